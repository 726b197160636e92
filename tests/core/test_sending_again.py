"""An order of unknown outcome is sent again: never once it is known, and one at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import attrs
import pytest
from tests.core.conftest import FakeProvider, FakeVenue

from tradeforge_core import (
    Capabilities,
    Disconnected,
    NotSent,
    Order,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSide,
    VenueClass,
    outcomes,
)
from tradeforge_core.adapter import Write

ORDER = attrs.evolve(OrderRequest.market("1", "ABC", OrderSide.BUY, 1), client_order_id="mine")
InTime = Callable[[Awaitable[Any]], Awaitable[Any]]


class Forgetful(FakeProvider):
    """Books every order that it gets: a venue that knows no names (class B)."""

    capabilities: ClassVar[Capabilities] = attrs.evolve(
        FakeProvider.capabilities, venue_class=VenueClass.B
    )
    hidden = True
    """Whether looks find nothing."""
    broken = False
    """Whether looks end in a bug of the provider."""
    may_prepare: asyncio.Event

    async def _prepare_order(self, request: OrderRequest) -> Callable[[], Write[Order]]:
        await self.may_prepare.wait()
        return await super()._prepare_order(request)

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        if self.broken:
            raise ValueError("a bug")
        if self.hidden:
            return []
        return await super()._find_by_client_id(account_id, client_order_id)


@pytest.fixture
async def broker(
    no_leaks: None, venue: FakeVenue, options: dict[str, Any]
) -> AsyncIterator[Forgetful]:
    broker = Forgetful(venue, **options)
    broker.may_prepare = asyncio.Event()
    broker.may_prepare.set()
    async with broker:
        yield broker


@pytest.fixture
async def lost(broker: Forgetful, in_time: InTime) -> Forgetful:
    """Sent once, and not found."""
    broker.write_error = Disconnected("reset")
    with pytest.raises(OrderOutcomeUnknown, match="absent"):
        await in_time(broker.place_order(ORDER))
    broker.write_error = None
    return broker


async def test_it_needs_the_word_of_who_takes_the_risk(lost: Forgetful, in_time: InTime) -> None:
    with pytest.raises(NotSent, match="accept_duplicate_risk"):
        await in_time(lost.resubmit("mine"))
    assert len(lost.submitted) == 1
    await in_time(lost.resubmit("mine", accept_duplicate_risk=True))
    assert len(lost.submitted) == 2


async def test_what_is_found_while_it_is_prepared_does_not_leave_again(
    lost: Forgetful, in_time: InTime
) -> None:
    lost.may_prepare.clear()
    again = asyncio.create_task(lost.resubmit("mine", accept_duplicate_risk=True))
    await asyncio.sleep(0)
    lost.hidden = False
    await in_time(lost.resolve("mine"))
    lost.may_prepare.set()
    order = await in_time(again)
    assert order.client_order_id == "mine"
    assert len(lost.submitted) == 1


async def test_two_at_once_are_one_request(lost: Forgetful, in_time: InTime) -> None:
    first, second = (
        asyncio.create_task(lost.resubmit("mine", accept_duplicate_risk=True)) for _ in range(2)
    )
    assert await in_time(first) == await in_time(second)
    assert len(lost.submitted) == 2, "the first one, and one more"


async def test_a_bug_in_a_look_does_not_end_the_search(lost: Forgetful, in_time: InTime) -> None:
    lost.broken = True
    waiting = asyncio.create_task(lost.resolve("mine", timeout=None))
    for _ in range(2000):
        lost._clock.advance(0.1)  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    assert not waiting.done()
    lost.broken = lost.hidden = False
    assert isinstance(await in_time(waiting), outcomes.Accepted)
