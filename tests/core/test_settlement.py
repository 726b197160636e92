"""What becomes of an outcome that is not known: looked for, waited for, sent again, let be."""

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from tradeforge_core import (
    Disconnected,
    DuplicateClientOrderId,
    Event,
    InvalidOrder,
    LookUps,
    NotFound,
    NotSent,
    Order,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderStatus,
    OrderUpdateEvent,
    OrderVetoed,
    Position,
    Resolution,
    VenueClass,
    VenueError,
    outcomes,
)

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make

    from tradeforge_testing import ManualClock


NewBroker = Callable[..., "FakeProvider"]
InTime = Callable[..., Any]
BUY = OrderRequest.market("1", "ABC", OrderSide.BUY, 1)
NAMED = attrs.evolve(BUY, client_order_id="mine")


class Records:
    """What a look at the fake venue finds; each answer is for one look, the last one stays."""

    def __init__(self, *answers: Order | Exception) -> None:
        self.answers = list(answers)
        self.looks = 0

    async def __call__(self, account_id: str, name: str) -> Order:
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return attrs.evolve(answer, client_order_id=name)


class ByName(Records):
    """The same of a look by name, which finds a list."""

    async def __call__(self, account_id: str, name: str) -> list[Order]:  # type: ignore[override]
        try:
            return [await super().__call__(account_id, name)]
        except NotFound:
            return []


@pytest.fixture
def records(broker: "FakeProvider", monkeypatch: pytest.MonkeyPatch) -> Callable[..., Records]:
    """Lets the next write come back with nothing, and looks at its order find this."""

    def begin(*answers: Order | Exception, attribute: str = "_find_by_client_id") -> Records:
        broker.write_error = Disconnected("reset")
        kind = ByName if attribute == "_find_by_client_id" else Records
        found = kind(*answers)
        monkeypatch.setattr(broker, attribute, found)
        return found

    return begin


class TestSearch:
    async def test_a_failed_look_is_not_absence(
        self, broker: "FakeProvider", make: "Make", records: Callable[..., Records], in_time: InTime
    ) -> None:
        failed = [VenueError("HTTP 503", code=503), Disconnected("reset")]
        found = records(NotFound("nothing"), *failed, NotFound("nothing"), make.order())
        order = await in_time(broker.place_order(BUY))
        assert order.id == "7"
        assert found.looks == 5
        assert len(broker.submitted) == 1

    async def test_absence_is_not_proof(
        self, broker: "FakeProvider", records: Callable[..., Records], in_time: InTime
    ) -> None:
        records(NotFound("nothing"))
        with pytest.raises(OrderOutcomeUnknown, match="absent"):
            await in_time(broker.place_order(NAMED))
        outcome = await broker.outcome("mine")
        assert isinstance(outcome, outcomes.Unknown)
        assert outcome.resolution is Resolution.ABSENT
        assert len(broker.submitted) == 1

    async def test_what_was_absent_does_not_become_unreachable_by_more_looks(
        self,
        broker: "FakeProvider",
        clock: "ManualClock",
        records: Callable[..., Records],
        in_time: InTime,
    ) -> None:
        told: list[Resolution] = []

        @broker.on_event
        def note(event: Event) -> None:
            if isinstance(outcome := getattr(event, "outcome", None), outcomes.Unknown):
                told.append(outcome.resolution)

        found = records(NotFound("nothing"))
        with pytest.raises(OrderOutcomeUnknown, match="absent"):
            await in_time(broker.place_order(NAMED))
        looks = found.looks
        while found.looks < looks + 4:
            clock.advance(60)
            await asyncio.sleep(0)
        assert told == [Resolution.SEARCHING, Resolution.ABSENT]

    async def test_too_few_looks_are_not_even_absence(
        self, new_broker: NewBroker, monkeypatch: pytest.MonkeyPatch, in_time: InTime
    ) -> None:
        short = LookUps(deadline=5.0, settle=10.0)
        broker = new_broker(safety=OrderSafety(look_ups=short))
        await broker.connect()
        broker.write_error = Disconnected("reset")
        monkeypatch.setattr(broker, "_find_by_client_id", ByName(NotFound("nothing")))
        with pytest.raises(OrderOutcomeUnknown, match="unreachable"):
            await in_time(broker.place_order(NAMED))

    async def test_a_look_that_hangs_does_not_hold_the_caller(
        self, broker: "FakeProvider", monkeypatch: pytest.MonkeyPatch, in_time: InTime
    ) -> None:
        async def hang(account_id: str, name: str) -> Order:
            await asyncio.Event().wait()
            raise AssertionError

        broker.write_error = Disconnected("reset")
        monkeypatch.setattr(broker, "_find_by_client_id", hang)
        with pytest.raises(OrderOutcomeUnknown, match="unreachable"):
            await in_time(broker.place_order(NAMED))

    async def test_the_search_goes_on_after_the_deadline(
        self,
        broker: "FakeProvider",
        make: "Make",
        records: Callable[..., Records],
        in_time: InTime,
    ) -> None:
        found = records(NotFound("nothing"))
        with pytest.raises(OrderOutcomeUnknown):
            await in_time(broker.place_order(NAMED))
        found.answers = [make.order()]
        outcome = await in_time(broker.resolve("mine"))
        assert isinstance(outcome, outcomes.Accepted)
        assert broker.unsettled_outcomes() == []

    @pytest.mark.parametrize(
        "change",
        [
            {"contract_id": "DEF"},
            {"side": OrderSide.SELL},
            {"size": Decimal(2)},
            {"account_id": "2"},
        ],
        ids=lambda change: next(iter(change)),
    )
    async def test_another_order_of_the_name_settles_nothing(
        self,
        broker: "FakeProvider",
        make: "Make",
        records: Callable[..., Records],
        in_time: InTime,
        change: dict[str, Any],
    ) -> None:
        records(make.order(**change))
        with pytest.raises(OrderOutcomeUnknown, match=f"another {next(iter(change))}"):
            await in_time(broker.place_order(NAMED))
        outcome = await broker.outcome("mine")
        assert isinstance(outcome, outcomes.Unknown)
        assert outcome.resolution is Resolution.CONFLICT

    async def test_an_order_that_the_venue_rejected_is_rejected(
        self, broker: "FakeProvider", make: "Make", records: Callable[..., Records], in_time: InTime
    ) -> None:
        records(make.order(status=OrderStatus.REJECTED))
        with pytest.raises(OrderRejected) as caught:
            await in_time(broker.place_order(NAMED))
        assert caught.value.order_id == "7"

    async def test_the_stream_is_evidence(
        self, broker: "FakeProvider", make: "Make", records: Callable[..., Records], in_time: InTime
    ) -> None:
        records(Disconnected("no route"))
        await broker.subscribe_user_data("1", "order_update")  # type: ignore[arg-type]
        placing = asyncio.ensure_future(in_time(broker.place_order(NAMED)))
        while not broker.unsettled_outcomes():  # noqa: ASYNC110  # the order makes it true
            await asyncio.sleep(0)
        order = make.order(client_order_id="mine")
        broker.publish(make.ORDER, OrderUpdateEvent(order=order, received=broker._clock.now()))
        assert (await placing).id == "7"
        outcome = await broker.outcome("mine")
        assert isinstance(outcome, outcomes.Accepted)
        assert outcome.evidence is outcomes.Evidence.STREAMED

    async def test_an_order_that_the_stream_shows_as_pending_may_yet_be_refused(
        self, broker: "FakeProvider", make: "Make", records: Callable[..., Records], in_time: InTime
    ) -> None:
        pending = make.order(client_order_id="mine", status=OrderStatus.PENDING)
        records(attrs.evolve(pending, status=OrderStatus.REJECTED))
        await broker.subscribe_user_data("1", "order_update")  # type: ignore[arg-type]
        placing = asyncio.ensure_future(in_time(broker.place_order(NAMED)))
        while not broker.unsettled_outcomes():  # noqa: ASYNC110  # the order makes it true
            await asyncio.sleep(0)
        broker.publish(make.ORDER, OrderUpdateEvent(order=pending, received=broker._clock.now()))
        with pytest.raises(OrderRejected):
            await placing

    async def test_a_duplicate_is_the_order_itself(
        self, broker: "FakeProvider", make: "Make", records: Callable[..., Records], in_time: InTime
    ) -> None:
        records(make.order())
        broker.write_error = DuplicateClientOrderId("in use", code=2)
        assert (await in_time(broker.place_order(NAMED))).id == "7"
        outcome = await broker.outcome("mine")
        assert isinstance(outcome, outcomes.Accepted)
        assert outcome.evidence is outcomes.Evidence.DUPLICATE

    @pytest.mark.parametrize("found", ["another order", "nothing"])
    async def test_a_duplicate_of_something_else_is_a_refusal(
        self,
        broker: "FakeProvider",
        make: "Make",
        records: Callable[..., Records],
        in_time: InTime,
        found: str,
    ) -> None:
        records(make.order(size=Decimal(9)) if found == "another order" else NotFound(found))
        refusal = broker.write_error = DuplicateClientOrderId("in use", code=2)
        with pytest.raises(DuplicateClientOrderId) as caught:
            await in_time(broker.place_order(NAMED))
        assert caught.value is refusal


class TestOtherRequests:
    @pytest.mark.parametrize(
        ("status", "error"),
        [(OrderStatus.CANCELLED, None), (OrderStatus.FILLED, OrderRejected)],
    )
    async def test_a_lost_cancel_is_what_became_of_the_order(
        self,
        broker: "FakeProvider",
        make: "Make",
        records: Callable[..., Records],
        in_time: InTime,
        status: OrderStatus,
        error: type[Exception] | None,
    ) -> None:
        records(make.order(status=status), attribute="_fetch_order")
        if error is None:
            await in_time(broker.cancel_order("1", "7"))
        else:
            with pytest.raises(error, match="filled"):
                await in_time(broker.cancel_order("1", "7"))

    async def test_a_cancel_is_repeated_only_while_the_order_is_seen_at_work(
        self,
        broker: "FakeProvider",
        make: "Make",
        records: Callable[..., Records],
        in_time: InTime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        records(
            Disconnected("reset"),
            make.order(status=OrderStatus.PENDING_CANCEL),
            make.order(status=OrderStatus.WORKING),
            make.order(status=OrderStatus.CANCELLED),
            attribute="_fetch_order",
        )
        sent: list[str] = []

        async def cancel(account_id: str, order_id: str) -> None:
            sent.append(order_id)
            raise OrderRejected("too late") if len(sent) > 1 else Disconnected("reset")

        monkeypatch.setattr(broker, "_submit_cancel", cancel)
        await in_time(broker.cancel_order("1", "7"))
        assert sent == ["7", "7"]

    async def test_a_cancel_is_not_repeated_for_ever(
        self,
        new_broker: NewBroker,
        make: "Make",
        in_time: InTime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        long = LookUps(deadline=300.0)  # the disk has no part in the clock of the test
        broker = new_broker(safety=OrderSafety(look_ups=long))
        await broker.connect()
        monkeypatch.setattr(broker, "_fetch_order", Records(make.order()))
        sent: list[str] = []

        async def cancel(account_id: str, order_id: str) -> None:
            sent.append(order_id)
            raise Disconnected("reset")

        monkeypatch.setattr(broker, "_submit_cancel", cancel)
        with pytest.raises(OrderOutcomeUnknown):
            await in_time(broker.cancel_order("1", "7"))
        assert len(sent) == 3

    @pytest.mark.parametrize(
        ("seen", "error"),
        [
            ({"size": Decimal(2)}, None),
            ({"status": OrderStatus.FILLED}, OrderRejected),
            ({}, OrderOutcomeUnknown),
        ],
    )
    async def test_a_lost_change_is_what_the_order_has(
        self,
        broker: "FakeProvider",
        make: "Make",
        records: Callable[..., Records],
        in_time: InTime,
        seen: dict[str, Any],
        error: type[Exception] | None,
    ) -> None:
        records(make.order(), make.order(**seen), attribute="_fetch_order")
        if error is None:
            await in_time(broker.modify_order("1", "7", size=2))
        else:
            with pytest.raises(error):
                await in_time(broker.modify_order("1", "7", size=2))

    @pytest.mark.parametrize(
        ("before", "size", "after", "error"),
        [
            (3, None, 0, None),
            (3, 1, 2, None),
            (-3, 1, -2, None),
            (3, None, 3, OrderOutcomeUnknown),
            (3, 1, 3, OrderOutcomeUnknown),
            (3, 1, 1, OrderOutcomeUnknown),
        ],
    )
    async def test_a_lost_close_is_what_is_held(
        self,
        broker: "FakeProvider",
        monkeypatch: pytest.MonkeyPatch,
        in_time: InTime,
        before: int,
        size: int | None,
        after: int,
        error: type[Exception] | None,
    ) -> None:
        async def positions(account_id: str) -> list[Position]:
            held = Decimal(after if broker.written else before)
            return [Position(account_id="1", contract_id="ABC", size=held)] if held else []

        monkeypatch.setattr(broker, "_fetch_positions", positions)
        broker.write_error = Disconnected("reset")
        if error is None:
            await in_time(broker.close_position("1", "ABC", size=size))
            (entry,) = await broker.get_journal()
            assert '"inferred"' in str(entry.outcome)
        else:
            with pytest.raises(error):
                await in_time(broker.close_position("1", "ABC", size=size))


class TestWhileUnknown:
    @pytest.fixture
    async def lost(
        self, broker: "FakeProvider", records: Callable[..., Records], in_time: InTime
    ) -> Records:
        """An order of which nothing is to be seen."""
        found = records(NotFound("nothing"))
        with pytest.raises(OrderOutcomeUnknown):
            await in_time(broker.place_order(NAMED))
        broker.write_error = None
        return found

    async def test_new_risk_in_its_contract_is_not_sent(
        self, broker: "FakeProvider", lost: Records
    ) -> None:
        with pytest.raises(NotSent, match="mine"):
            await broker.place_order(BUY)
        await broker.place_order(OrderRequest.market("1", "DEF", OrderSide.BUY, 1))
        await broker.cancel_order("1", "7")
        await broker.close_position("1", "ABC")
        assert len(broker.booked) == 3

    async def test_less_risk_is_sent(
        self, broker: "FakeProvider", lost: Records, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def positions(account_id: str) -> list[Position]:
            return [Position(account_id="1", contract_id="ABC", size=Decimal(-2))]

        async def orders(account_id: str) -> list[Order]:
            return []

        monkeypatch.setattr(broker, "_fetch_positions", positions)
        monkeypatch.setattr(broker, "_fetch_open_orders", orders)
        await broker.place_order(BUY)
        with pytest.raises(NotSent, match="add to the risk"):  # with the lost one that is three
            await broker.place_order(attrs.evolve(BUY, size=2))
        assert len(broker.booked) == 1

    async def test_acknowledged_it_stands_in_nobodys_way(
        self, broker: "FakeProvider", lost: Records
    ) -> None:
        await broker.acknowledge("mine")
        assert broker.unsettled_outcomes() == []
        await broker.place_order(BUY)
        assert isinstance(await broker.outcome("mine"), outcomes.Unknown)
        with pytest.raises(NotFound):
            await broker.acknowledge("mine")

    async def test_whoever_waits_gets_what_is_known(
        self, broker: "FakeProvider", lost: Records
    ) -> None:
        outcome = await broker.resolve("mine", timeout=0.01)
        assert isinstance(outcome, outcomes.Unknown)

    async def test_a_second_order_of_the_name_is_no_way_out(
        self, broker: "FakeProvider", lost: Records
    ) -> None:
        await broker.acknowledge("mine")
        with pytest.raises(InvalidOrder, match="names one order for ever"):
            await broker.place_order(NAMED)
        assert len(broker.submitted) == 1

    async def test_the_same_bytes_once_more_where_the_venue_refuses_a_second_order(
        self, broker: "FakeProvider", lost: Records, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        capabilities = attrs.evolve(broker.capabilities, venue_class=VenueClass.A)
        monkeypatch.setattr(type(broker), "capabilities", capabilities)
        order = await broker.resubmit("mine")
        assert order.client_order_id == "mine"
        assert broker.submitted[0] == broker.submitted[1]
        (entry,) = [one for one in await broker.get_journal() if one.intent.id == "mine"]
        assert (entry.attempts, entry.state) == (2, "accepted")

    async def test_elsewhere_only_by_somebody_who_accepts_the_risk(
        self, broker: "FakeProvider", lost: Records
    ) -> None:
        with pytest.raises(NotSent, match="accept_duplicate_risk"):
            await broker.resubmit("mine")
        assert len(broker.submitted) == 1
        await broker.resubmit("mine", accept_duplicate_risk=True)
        assert len(broker.submitted) == 2

    async def test_a_refusal_of_the_second_says_nothing_about_the_first(
        self,
        broker: "FakeProvider",
        lost: Records,
        in_time: InTime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        capabilities = attrs.evolve(broker.capabilities, venue_class=VenueClass.A)
        monkeypatch.setattr(type(broker), "capabilities", capabilities)
        broker.write_error = OrderRejected("the market is closed by now")
        with pytest.raises(OrderOutcomeUnknown):
            await in_time(broker.resubmit("mine"))

    async def test_not_even_that_while_trading_is_halted(
        self, broker: "FakeProvider", lost: Records, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        capabilities = attrs.evolve(broker.capabilities, venue_class=VenueClass.A)
        monkeypatch.setattr(type(broker), "capabilities", capabilities)
        broker.halt("news")
        with pytest.raises(OrderVetoed):
            await broker.resubmit("mine")
        assert len(broker.submitted) == 1

    async def test_disconnecting_says_so_and_the_next_start_goes_on(
        self,
        broker: "FakeProvider",
        lost: Records,
        make: "Make",
        in_time: InTime,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with caplog.at_level(logging.WARNING, logger="tradeforge_core"):
            await broker.disconnect()
        assert "the outcome of place (mine) is not known yet" in caplog.text
        lost.answers = [make.order()]
        await broker.connect()
        (left,) = broker.unsettled_outcomes()
        assert left.client_order_id == "mine"
        assert isinstance(await in_time(broker.resolve("mine")), outcomes.Accepted)


async def test_a_name_that_was_proven_not_sent_is_free(broker: "FakeProvider") -> None:
    broker.write_error = Disconnected("refused", sent=False)
    with pytest.raises(NotSent):
        await broker.place_order(NAMED)
    broker.write_error = None
    assert (await broker.place_order(NAMED)).client_order_id == "mine"


async def test_a_name_in_two_accounts_is_two_orders(broker: "FakeProvider") -> None:
    other = attrs.evolve(NAMED, account_id="2")
    await asyncio.gather(broker.place_order(NAMED), broker.place_order(other))
    assert len(broker.booked) == 2


async def test_a_name_twice_at_once_is_one_order(broker: "FakeProvider") -> None:
    placing = (broker.place_order(NAMED) for _ in range(2))
    results = await asyncio.gather(*placing, return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["InvalidOrder", "Order"]
    assert len(broker.booked) == 1
    assert isinstance(await broker.outcome("mine"), outcomes.Accepted)


async def test_what_was_never_sent_is_not_found(broker: "FakeProvider") -> None:
    with pytest.raises(NotFound, match="nothing was sent under"):
        await broker.outcome("nobody's")
    with pytest.raises(NotFound):
        await broker.resolve("nobody's")
    with pytest.raises(NotFound):
        await broker.resubmit("nobody's")
