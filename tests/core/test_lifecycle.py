"""Connecting and disconnecting, in every order and at every moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG

from tradeforge_core import (
    AuthenticationError,
    Disconnected,
    MarketDataType,
    StatusChanged,
    StreamConnectionStatus,
)

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make, UntilIdle

QUOTE, DEPTH = MarketDataType.QUOTE, MarketDataType.DEPTH
NewBroker = Callable[..., "FakeProvider"]


async def test_async_with_connects_and_disconnects(new_broker: NewBroker) -> None:
    async with new_broker() as broker:
        assert broker.calls == ["log in"]
        assert (await broker.get_accounts())[0].id == "1"
    assert broker.calls == ["log in", "log out"]
    with pytest.raises(Disconnected, match="connects again"):
        await broker.get_accounts()


async def test_twice_is_harmless(new_broker: NewBroker) -> None:
    broker = new_broker()
    await broker.disconnect()
    await broker.connect()
    await broker.connect()
    await broker.disconnect()
    await broker.disconnect()
    assert broker.calls == ["log in", "log out"]


async def test_at_once_is_harmless(new_broker: NewBroker) -> None:
    broker = new_broker()
    await asyncio.gather(*(broker.connect() for _ in range(5)))
    await broker.subscribe_market_data("ABC", [QUOTE])
    await asyncio.gather(*(broker.disconnect() for _ in range(5)))
    assert broker.calls == ["log in", "contract ABC", "log out"]


@pytest.mark.parametrize(
    "error", [AuthenticationError("no", code=401), Disconnected("refused"), KeyError("a bug")]
)
async def test_connecting_fails_and_then_succeeds(new_broker: NewBroker, error: Exception) -> None:
    broker = new_broker()
    broker.log_in_errors = [error]
    with pytest.raises(type(error)):
        await broker.connect()
    assert broker.calls == ["log in", "log out"]
    with pytest.raises(Disconnected, match="not connected yet"):
        await broker.get_accounts()
    async with broker:
        assert await broker.get_accounts()
        await broker.subscribe_market_data("ABC", [QUOTE])


async def test_disconnecting_while_connecting(
    new_broker: NewBroker, eventually: "Eventually"
) -> None:
    broker = new_broker()
    broker.may_log_in.clear()
    connecting = asyncio.create_task(broker.connect())
    await eventually(lambda: broker.calls)
    disconnecting = asyncio.create_task(broker.disconnect())
    await asyncio.sleep(0)
    broker.may_log_in.set()
    await asyncio.gather(connecting, disconnecting)
    assert broker.calls == ["log in", "log out"]


async def test_a_cancelled_connect_closes_what_it_opened(
    new_broker: NewBroker, eventually: "Eventually"
) -> None:
    broker = new_broker()
    broker.may_log_in.clear()
    connecting = asyncio.create_task(broker.connect())
    await eventually(lambda: broker.calls)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert broker.calls == ["log in", "log out"]
    broker.may_log_in.set()
    await broker.connect()


async def test_every_iterator_ends_with_the_reason(broker: "FakeProvider", make: "Make") -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]) as entered:
        awaited = await broker.subscribe_market_data("ABC", [QUOTE, DEPTH])
        aiter(awaited)
        broker.publish(make.QUOTE, make.quote(3))
        await broker.disconnect()
        for subscription in (entered, awaited):
            seen: list[Any] = []
            with pytest.raises(Disconnected, match=r"disconnect\(\) was called"):
                async for event in subscription:
                    seen.append(event)
            assert make.quote(3) in seen
            assert isinstance(seen[-1], StatusChanged)
            assert seen[-1].status is StreamConnectionStatus.CLOSED
            with pytest.raises(Disconnected):
                await anext(subscription)


async def test_an_iterator_that_begins_after_the_end(broker: "FakeProvider") -> None:
    subscription = await broker.subscribe_market_data("ABC", [QUOTE])
    await broker.disconnect()
    with pytest.raises(Disconnected):
        async with asyncio.timeout(HANG):
            await anext(aiter(subscription))


async def test_run_forever_waits_for_disconnect(broker: "FakeProvider") -> None:
    waiting = [asyncio.create_task(broker.run_forever()) for _ in range(2)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    await broker.disconnect()
    await asyncio.gather(*waiting)
    with pytest.raises(Disconnected):
        await broker.run_forever()


async def test_a_new_life_begins_with_nothing_wanted(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    await broker.subscribe_market_data("ABC", [QUOTE])
    await broker.disconnect()
    await broker.connect()
    assert broker.status is StreamConnectionStatus.IDLE
    assert len(venue.links) == 1
    async with broker.subscribe_market_data("ABC", [QUOTE]) as quotes:
        broker.publish(make.QUOTE, make.quote(2))
        async with asyncio.timeout(HANG):
            while await anext(quotes) != make.quote(2):
                pass


async def test_a_block_of_an_old_life_does_not_end_what_the_new_one_holds(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        await broker.disconnect()
        await broker.connect()
        new = broker.subscribe_market_data("ABC", [QUOTE])
        await new.__aenter__()
    assert make.QUOTE in venue.link.subscribed
    assert "unsubscribe quote ABC" not in venue.log
    await new.__aexit__()


async def test_subscribing_while_disconnecting_starts_nothing(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    """The look-up of the contract outlasts the connection."""
    fetch, may_fetch = broker._fetch_contract, asyncio.Event()

    async def slow(contract_id: str) -> Any:
        await may_fetch.wait()
        return await fetch(contract_id)

    broker._fetch_contract = slow  # type: ignore[method-assign]
    adding = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await eventually(lambda: may_fetch._waiters)
    await broker.disconnect()
    may_fetch.set()
    with pytest.raises(Disconnected):
        await adding
    assert venue.links == []


async def _stand(subscription: Awaitable[object]) -> None:
    await subscription


async def test_who_waits_for_a_confirmation_is_told(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    venue.hold(make.QUOTE)
    adding = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await eventually(lambda: "subscribe quote ABC" in venue.log)
    await broker.disconnect()
    with pytest.raises(Disconnected, match=r"disconnect\(\) was called"):
        await adding
    assert venue.link.closed


@pytest.mark.parametrize("ticks", range(12))
async def test_a_loss_in_the_moment_of_disconnecting(
    broker: "FakeProvider", venue: "FakeVenue", ticks: int
) -> None:
    """A cancellation that meets an error must not be lost, or disconnect() never returns."""
    await broker.subscribe_market_data("ABC", [QUOTE, DEPTH])
    for link in venue.links:
        link.lose()
    for _ in range(ticks):
        await asyncio.sleep(0)
    async with asyncio.timeout(HANG):
        await broker.disconnect()
    assert all(link.closed for link in venue.links)


@pytest.mark.parametrize("ticks", range(12))
async def test_a_cancelled_disconnect_still_closes_all(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually", ticks: int
) -> None:
    await broker.subscribe_market_data("ABC", [QUOTE, DEPTH])
    disconnecting = asyncio.create_task(broker.disconnect())
    for _ in range(ticks):
        await asyncio.sleep(0)
    disconnecting.cancel()
    await asyncio.wait([disconnecting])
    if ticks:
        await eventually(lambda: all(link.closed for link in venue.links))
        await eventually(lambda: "log out" in broker.calls)
    await broker.disconnect()
    await broker.connect()
    await broker.subscribe_market_data("ABC", [QUOTE])


@pytest.mark.parametrize("ticks", range(12))
async def test_disconnecting_at_every_moment_of_a_subscription(
    broker: "FakeProvider", venue: "FakeVenue", ticks: int
) -> None:
    adding = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    for _ in range(ticks):
        await asyncio.sleep(0)
    async with asyncio.timeout(HANG):
        await broker.disconnect()
        await asyncio.wait([adding])
    assert adding.exception() is None or isinstance(adding.exception(), Disconnected)
    assert all(link.closed for link in venue.links)


@pytest.mark.parametrize("ticks", range(16))
async def test_cancelling_at_every_moment_of_a_subscription(
    broker: "FakeProvider",
    venue: "FakeVenue",
    eventually: "Eventually",
    until_idle: "UntilIdle",
    ticks: int,
) -> None:
    async def use() -> None:
        async with broker.subscribe_market_data("ABC", [QUOTE, DEPTH]):
            await asyncio.sleep(0)

    user = asyncio.create_task(use())
    for _ in range(ticks):
        await asyncio.sleep(0)
    user.cancel()
    await asyncio.wait([user])
    await eventually(lambda: not any(link.subscribed for link in venue.links))
    await until_idle(broker)
    assert not broker._switchboard._held
    assert not broker._switchboard._subscribers
    assert all(link.closed for link in venue.links)
