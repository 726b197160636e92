"""An order leaves once, and its outcome is told honestly."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    Disconnected,
    MarketClosed,
    NotFound,
    NotSent,
    NotSupported,
    OrderOutcomeUnknown,
    OrderRejected,
    RateLimited,
    RequestTimeout,
    TradeForgeError,
    TransportError,
    VenueError,
)
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.orders.path import before_sending, send_once


@pytest.fixture
async def tasks(no_leaks: None) -> AsyncIterator[TaskOwner]:
    owner = TaskOwner()
    yield owner
    await owner.close()


async def _failing(error: Exception) -> None:
    raise error


async def _send(tasks: TaskOwner, error: Exception) -> None:
    await send_once(
        _failing(error), tasks=tasks, operation="place", client_order_id="tf1", order_id="7"
    )


@pytest.mark.parametrize(
    "proof",
    [
        OrderRejected("no", code=2),
        MarketClosed("shut"),
        NotFound("no such account"),
        NotSupported("cannot"),
        NotSent("never left"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_proof_passes_through(tasks: TaskOwner, proof: Exception) -> None:
    with pytest.raises(type(proof)) as caught:
        await _send(tasks, proof)
    assert caught.value is proof


@pytest.mark.parametrize("kind", [TransportError, Disconnected, RequestTimeout])
async def test_what_never_left_is_not_sent(tasks: TaskOwner, kind: type[TransportError]) -> None:
    with pytest.raises(NotSent, match="refused; nothing was sent") as caught:
        await _send(tasks, kind("refused", sent=False))
    assert caught.value.client_order_id == "tf1"
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize(
    "doubt",
    [
        Disconnected("reset"),
        RequestTimeout("late"),
        DecodeError("half an answer"),
        VenueError("HTTP 500", code=500),
        AuthenticationError("HTTP 401", code=401),
        RateLimited("HTTP 429", code=429),
        TradeForgeError("something"),
        KeyError("a bug after the bytes had left"),
        ValueError("another"),
    ],
    ids=lambda error: f"{type(error).__name__}",
)
async def test_all_else_is_unknown(tasks: TaskOwner, doubt: Exception) -> None:
    with pytest.raises(OrderOutcomeUnknown) as caught:
        await _send(tasks, doubt)
    unknown = caught.value
    assert (unknown.operation, unknown.client_order_id, unknown.order_id) == ("place", "tf1", "7")
    assert unknown.__cause__ is doubt
    assert "find_order" in str(unknown)
    assert "client_order_id=tf1" in str(unknown)


async def test_without_a_client_id_the_open_orders_tell(tasks: TaskOwner) -> None:
    with pytest.raises(OrderOutcomeUnknown, match="look with the open orders") as caught:
        await send_once(
            _failing(RequestTimeout("late")), tasks=tasks, operation="cancel", order_id="7"
        )
    assert caught.value.client_order_id is None


async def test_the_result_is_given(tasks: TaskOwner) -> None:
    async def write() -> str:
        return "accepted"

    assert await send_once(write(), tasks=tasks, operation="place") == "accepted"


async def test_a_cancelled_caller_goes_at_once_and_the_write_goes_on(tasks: TaskOwner) -> None:
    may_answer, written = asyncio.Event(), []

    async def write() -> None:
        written.append("begun")
        await may_answer.wait()
        written.append("ended")

    caller = asyncio.create_task(send_once(write(), tasks=tasks, operation="place"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert written == ["begun"]
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert written == ["begun"]
    may_answer.set()
    await tasks.close(grace=5)
    assert written == ["begun", "ended"]


async def test_a_caller_s_timeout_is_a_timeout(tasks: TaskOwner) -> None:
    """A cancellation that was swallowed or changed would break `asyncio.timeout`."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await send_once(asyncio.sleep(60), tasks=tasks, operation="place")


async def test_a_write_that_disconnect_ends_is_unknown(tasks: TaskOwner) -> None:
    """The caller was not cancelled, and nobody knows what became of the order."""
    caller = asyncio.create_task(
        send_once(asyncio.Event().wait(), tasks=tasks, operation="place", client_order_id="tf1")
    )
    await asyncio.sleep(0)
    await tasks.close()
    with pytest.raises(OrderOutcomeUnknown, match=r"disconnect\(\)"):
        await caller


@pytest.mark.parametrize(
    "error", [Disconnected("lost"), VenueError("no"), DecodeError("strange"), RateLimited("slow")]
)
async def test_a_check_that_fails_means_that_nothing_was_sent(error: TradeForgeError) -> None:
    with pytest.raises(NotSent, match="the check before it failed") as caught:
        await before_sending(_failing(error), "modify")
    assert caught.value.__cause__ is error


async def test_a_check_that_finds_nothing_says_so() -> None:
    with pytest.raises(NotFound):
        await before_sending(_failing(NotFound("no such order")), "modify")
