"""What happens to an order between the user and the provider's own method."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import (
    BarUnit,
    DecodeError,
    Disconnected,
    InvalidOrder,
    NotFound,
    NotSent,
    NotSupported,
    OrderContext,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSide,
    OrderType,
    OrderVetoed,
    Plugins,
    RequestTimeout,
    Veto,
    hookimpl,
)
from tradeforge_core.orders.client_ids import made_at

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider

ORDER = OrderRequest.market("1", "ABC", OrderSide.BUY, 1)


async def test_an_order_is_named_and_sent_once(broker: "FakeProvider") -> None:
    placed = await broker.place_order(ORDER)
    (submitted,) = broker.submitted
    assert submitted.client_order_id is not None
    assert made_at(submitted.client_order_id) == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    assert placed.client_order_id == submitted.client_order_id


async def test_a_name_of_the_caller_is_kept(broker: "FakeProvider") -> None:
    import attrs

    await broker.place_order(attrs.evolve(ORDER, client_order_id="mine"))
    assert broker.submitted[0].client_order_id == "mine"


async def test_the_same_request_twice_is_two_orders(broker: "FakeProvider") -> None:
    await broker.place_order(ORDER)
    await broker.place_order(ORDER)
    names = {request.client_order_id for request in broker.submitted}
    assert len(names) == 2
    assert broker.calls.count("contract ABC") == 1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (OrderRequest.market("1", "ABC", OrderSide.BUY, 0), InvalidOrder),
        (OrderRequest.market("1", "NONE", OrderSide.BUY, 1), NotFound),
        (OrderRequest.limit("1", "ABC", OrderSide.BUY, 1, "0.1"), InvalidOrder),
        (
            OrderRequest(
                account_id="1",
                contract_id="ABC",
                side=OrderSide.BUY,
                type=OrderType.TRAILING_STOP,
                size="1",
            ),
            NotSupported,
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_is_wrong_never_leaves(
    broker: "FakeProvider", request_: OrderRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await broker.place_order(request_)
    assert not broker.submitted


@pytest.mark.parametrize("error", [RequestTimeout("late"), DecodeError("strange")])
async def test_a_contract_that_cannot_be_looked_up(
    broker: "FakeProvider", error: Exception
) -> None:
    broker.contract_error = error
    with pytest.raises(NotSent):
        await broker.place_order(ORDER)
    assert not broker.submitted


@pytest.mark.parametrize(
    "write",
    [
        lambda broker: broker.place_order(ORDER),
        lambda broker: broker.modify_order("1", "7", size=2),
        lambda broker: broker.cancel_order("1", "7"),
        lambda broker: broker.close_position("1", "ABC", size="1"),
    ],
    ids=["place", "modify", "cancel", "close"],
)
class TestEveryWrite:
    async def test_is_unknown_when_the_answer_is_lost_and_no_look_succeeds(
        self,
        broker: "FakeProvider",
        in_time: Callable[..., Any],
        write: Callable[..., Any],
    ) -> None:
        broker.write_error = broker.look_error = Disconnected("reset")
        with pytest.raises(OrderOutcomeUnknown, match="unreachable") as caught:
            await in_time(write(broker))
        assert not broker.booked
        (outcome,) = broker.unsettled_outcomes()
        assert outcome.client_order_id == caught.value.client_order_id

    async def test_needs_a_connection(
        self, new_broker: Callable[..., "FakeProvider"], write: Callable[..., Any]
    ) -> None:
        broker = new_broker()
        with pytest.raises(Disconnected, match="not connected yet") as caught:
            await write(broker)
        assert not caught.value.sent
        await broker.connect()
        await broker.disconnect()
        with pytest.raises(Disconnected, match="connects again"):
            await write(broker)
        assert not broker.booked

    async def test_outlives_its_caller(
        self, broker: "FakeProvider", eventually: "Eventually", write: Callable[..., Any]
    ) -> None:
        broker.may_answer.clear()
        caller = asyncio.create_task(write(broker))
        await eventually(lambda: broker.may_answer._waiters)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert not broker.booked
        broker.may_answer.set()
        await eventually(lambda: broker.booked)
        assert len(broker.booked) == 1

    async def test_is_waited_for_by_disconnect(
        self, broker: "FakeProvider", eventually: "Eventually", write: Callable[..., Any]
    ) -> None:
        broker.may_answer.clear()
        caller = asyncio.create_task(write(broker))
        await eventually(lambda: broker.may_answer._waiters)
        leaving = asyncio.create_task(broker.disconnect())
        await eventually(lambda: broker.status is not None)
        broker.may_answer.set()
        await asyncio.gather(caller, leaving)
        assert len(broker.booked) == 1


class _Slow:
    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    @hookimpl
    async def tradeforge_check_order(self) -> None:
        self.asked.set()
        await self.may_answer.wait()


async def test_an_order_whose_check_outlasts_the_connection_is_not_sent(
    new_broker: Callable[..., "FakeProvider"],
) -> None:
    slow = _Slow()
    broker = new_broker(plugins=Plugins([slow], installed=False))
    await broker.connect()
    caller = asyncio.create_task(broker.place_order(ORDER))
    await slow.asked.wait()
    await broker.disconnect()
    slow.may_answer.set()
    with pytest.raises(Disconnected) as caught:
        await caller
    assert not caught.value.sent
    assert not broker.submitted


async def test_a_caller_who_goes_during_the_check_sends_nothing(
    new_broker: Callable[..., "FakeProvider"],
) -> None:
    slow = _Slow()
    broker = new_broker(plugins=Plugins([slow], installed=False))
    await broker.connect()
    caller = asyncio.create_task(broker.place_order(ORDER))
    await slow.asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    slow.may_answer.set()
    await asyncio.sleep(0)
    assert not broker.submitted


async def test_a_veto_stops_the_order(new_broker: Callable[..., "FakeProvider"]) -> None:
    seen: list[tuple[OrderRequest, OrderContext]] = []

    class Strict:
        @hookimpl
        def tradeforge_check_order(self, request: OrderRequest, context: OrderContext) -> Veto:
            seen.append((request, context))
            return Veto("not today")

    broker = new_broker(plugins=Plugins([Strict()], installed=False))
    await broker.connect()
    with pytest.raises(OrderVetoed) as caught:
        await broker.place_order(ORDER)
    assert caught.value.reasons == ("not today",)
    assert not broker.submitted
    ((request, context),) = seen
    assert request.client_order_id
    assert (context.provider, context.contract.id) == ("fake", "ABC")


async def test_a_change_is_checked_against_the_contract(broker: "FakeProvider") -> None:
    with pytest.raises(InvalidOrder):
        await broker.modify_order("1", "7", limit_price="0.1")
    with pytest.raises(InvalidOrder, match="nothing is to be changed"):
        await broker.modify_order("1", "7")
    with pytest.raises(TypeError):
        await broker.modify_order("1", "7", limit_price=0.25)  # type: ignore[arg-type]
    assert not broker.booked


@pytest.mark.parametrize("size", [0, "-1", "0.5"])
async def test_a_part_of_a_position_is_checked(broker: "FakeProvider", size: int | str) -> None:
    with pytest.raises(InvalidOrder):
        await broker.close_position("1", "ABC", size=size)
    assert not broker.booked


async def test_a_whole_position_needs_no_size(broker: "FakeProvider") -> None:
    await broker.close_position("1", "ABC")
    assert broker.booked == [None]
    await broker.close_position("1", "ABC", size="2")
    assert broker.booked == [None, Decimal(2)]


async def test_bars_of_a_unit_that_there_is_not(broker: "FakeProvider") -> None:
    with pytest.raises(NotSupported, match="no bars of a week; it has: minute"):
        await broker.get_historical_bars("ABC", start=datetime.now(UTC), unit=BarUnit.WEEK)


async def test_a_period_is_aware_ordered_and_ends_now(broker: "FakeProvider") -> None:
    half_past_nine = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=-4)))
    await broker.get_historical_bars("ABC", start=half_past_nine)
    assert broker.calls[-1] == "bars 13:30 14:30"
    with pytest.raises(ValueError, match="time zone"):
        await broker.get_historical_bars("ABC", start=datetime(2026, 3, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="is before start"):
        await broker.get_trade_history("1", start=datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(("size", "limit"), [(0, None), (-1, None), (1, 0), (1, -1)])
async def test_bars_of_no_size_and_no_bars_at_all(
    broker: "FakeProvider", size: int, limit: int | None
) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    with pytest.raises(ValueError, match="must be at least 1"):
        await broker.get_historical_bars("ABC", start=start, size=size, limit=limit)
