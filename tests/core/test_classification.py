"""What a request came back with is told honestly, and only proof counts as proof."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    Disconnected,
    InvalidOrder,
    MarketClosed,
    NotFound,
    NotSent,
    NotSupported,
    OrderOutcomeEvent,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSide,
    RateLimited,
    RequestTimeout,
    Resolution,
    TradeForgeError,
    TransportError,
    VenueError,
    outcomes,
)

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider

ORDER = OrderRequest.market("1", "ABC", OrderSide.BUY, 1)

InTime = Callable[..., Any]


async def _place(broker: "FakeProvider", error: Exception) -> OrderRequest:
    """Place an order that comes back with this error."""
    broker.write_error = error
    await broker.place_order(ORDER)
    return broker.submitted[-1]


@pytest.fixture
async def told(broker: "FakeProvider") -> list[outcomes.OrderOutcome]:
    """The outcomes that were announced, in order."""
    heard: list[outcomes.OrderOutcome] = []

    @broker.on_event
    def hear(event: object) -> None:
        if isinstance(event, OrderOutcomeEvent):
            heard.append(event.outcome)

    return heard


@pytest.mark.parametrize(
    "proof",
    [
        OrderRejected("no", code=2, order_id="8"),
        MarketClosed("shut"),
        NotFound("no such account"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_documented_refusal_passes_through(
    broker: "FakeProvider",
    told: list[outcomes.OrderOutcome],
    eventually: "Eventually",
    proof: Exception,
) -> None:
    with pytest.raises(type(proof)) as caught:
        await _place(broker, proof)
    assert caught.value is proof
    await eventually(lambda: told)
    (outcome,) = told
    assert isinstance(outcome, outcomes.Rejected)
    assert outcome == await broker.outcome(outcome.client_order_id)


@pytest.mark.parametrize(
    "proof", [NotSupported("cannot"), InvalidOrder(["cannot"])], ids=lambda one: type(one).__name__
)
async def test_what_the_provider_refuses_by_itself_was_not_sent(
    broker: "FakeProvider", proof: Exception
) -> None:
    with pytest.raises(type(proof)) as caught:
        await _place(broker, proof)
    assert caught.value is proof
    name = broker.submitted[0].client_order_id
    assert name is not None
    assert isinstance(await broker.outcome(name), outcomes.NotSent)


@pytest.mark.parametrize(
    "error",
    [
        TransportError("refused", sent=False),
        Disconnected("refused", sent=False),
        RequestTimeout("refused", sent=False),
        NotSent("refused"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_never_left_is_not_sent(broker: "FakeProvider", error: Exception) -> None:
    with pytest.raises(NotSent, match="refused") as caught:
        await _place(broker, error)
    assert caught.value.client_order_id == broker.submitted[0].client_order_id
    assert caught.value.__cause__ is error


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
    ids=lambda error: type(error).__name__,
)
class TestDoubt:
    async def test_is_resolved_by_a_look(
        self,
        broker: "FakeProvider",
        told: list[outcomes.OrderOutcome],
        in_time: InTime,
        doubt: Exception,
    ) -> None:
        request = await in_time(_place(broker, doubt))
        assert len(broker.submitted) == 1
        found = await broker.outcome(request.client_order_id)
        assert isinstance(found, outcomes.Accepted)
        assert found.evidence is outcomes.Evidence.LOOKED_UP
        assert [type(one) for one in told] == [outcomes.Unknown, outcomes.Accepted]

    async def test_stays_where_no_look_succeeds(
        self, broker: "FakeProvider", in_time: InTime, doubt: Exception
    ) -> None:
        broker.look_error = Disconnected("no route")
        with pytest.raises(OrderOutcomeUnknown) as caught:
            await in_time(_place(broker, doubt))
        unknown = caught.value
        assert (unknown.operation, unknown.__cause__) == ("place", doubt)
        assert unknown.client_order_id == broker.submitted[0].client_order_id
        assert unknown.client_order_id is not None
        assert f"resolve({unknown.client_order_id!r})" in str(unknown)
        found = await broker.outcome(unknown.client_order_id)
        assert isinstance(found, outcomes.Unknown)
        assert found.resolution is Resolution.UNREACHABLE


async def test_a_cancelled_caller_goes_at_once_and_the_outcome_is_an_event(
    broker: "FakeProvider", told: list[outcomes.OrderOutcome], eventually: "Eventually"
) -> None:
    broker.may_answer.clear()
    caller = asyncio.create_task(broker.place_order(ORDER))
    await eventually(lambda: broker.may_answer._waiters)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not broker.booked
    broker.may_answer.set()
    await eventually(lambda: told)
    assert isinstance(told[0], outcomes.Accepted)
    assert told[0].client_order_id == broker.submitted[0].client_order_id


async def test_a_caller_s_timeout_is_a_timeout(
    broker: "FakeProvider", eventually: "Eventually"
) -> None:
    """A cancellation that was swallowed or changed would break `asyncio.timeout`."""
    broker.may_answer.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30) as limit:
            caller = asyncio.ensure_future(eventually(lambda: broker.may_answer._waiters))
            caller.add_done_callback(lambda _: limit.reschedule(0))
            await broker.place_order(ORDER)
    broker.may_answer.set()
    await eventually(lambda: broker.booked)


async def test_a_write_that_disconnect_ends_is_unknown(
    broker: "FakeProvider", eventually: "Eventually", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller was not cancelled, and nobody knows what became of the order."""
    monkeypatch.setattr("tradeforge_core.provider._LAST_ANSWERS", 0.0)
    broker.may_answer.clear()
    caller = asyncio.create_task(broker.place_order(ORDER))
    await eventually(lambda: broker.may_answer._waiters)
    await broker.disconnect()
    with pytest.raises(OrderOutcomeUnknown, match="disconnect"):
        await caller
