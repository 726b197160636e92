"""Every mutation under every wrong answer: nothing false is said, and nothing is sent twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import evolve, field, frozen
from tests import truth_table
from tests.bybit.small_venue import (
    ACCOUNT,
    SETTINGS,
    Answer,
    Row,
    SmallVenue,
    fill,
    position,
)
from tests.truth_table import SHORT, Outcomes, check_told, error_of

from tradeforge_bybit import _errors
from tradeforge_bybit._errors import Kind
from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    JournalKind,
    NotSent,
    OrderOutcome,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Plugins,
    Resolution,
    Settings,
)
from tradeforge_core.orders.intents import Operation
from tradeforge_core.outcomes import Accepted, Rejected, Unknown

LINEAR = "linear:BTCUSDT"


@frozen(kw_only=True)
class Stage:
    venue: SmallVenue
    broker: BybitProvider
    outcomes: Outcomes

    @property
    def order(self) -> Row:
        return next(iter(self.venue.orders.values()))

    async def nothing(self) -> None: ...

    async def rest(self) -> None:
        await self.broker.place_order(_limit())

    async def hold(self) -> None:
        self.venue.positions = [position("2")]
        self.venue.on_create = self._sell_out

    def _sell_out(self, order: Row) -> None:
        fill(order)
        self.venue.positions = [position("0")]


def _limit() -> OrderRequest:
    return OrderRequest.limit(ACCOUNT, LINEAR, OrderSide.BUY, "0.5", "100.5")


@frozen(kw_only=True)
class Mutation:
    """A way to change something at the venue, and how its books show that it was done."""

    operation: Operation
    before: Callable[[Stage], Coroutine[Any, Any, None]]
    call: Callable[[Stage], Coroutine[Any, Any, object]]
    was_done: Callable[[Stage], bool]
    path: str


MUTATIONS = (
    Mutation(
        operation=Operation.PLACE,
        path="/v5/order/create",
        before=Stage.nothing,
        call=lambda on: on.broker.place_order(_limit()),
        was_done=lambda on: bool(on.venue.orders),
    ),
    Mutation(
        operation=Operation.MODIFY,
        path="/v5/order/amend",
        before=Stage.rest,
        call=lambda on: on.broker.modify_order(ACCOUNT, on.order["orderId"], limit_price="99.5"),
        was_done=lambda on: bool(on.order["price"] == "99.5"),
    ),
    Mutation(
        operation=Operation.CANCEL,
        path="/v5/order/cancel",
        before=Stage.rest,
        call=lambda on: on.broker.cancel_order(ACCOUNT, on.order["orderId"]),
        was_done=lambda on: bool(on.order["orderStatus"] == "Cancelled"),
    ),
    Mutation(
        operation=Operation.CLOSE,
        path="/v5/order/create",
        before=Stage.hold,
        call=lambda on: on.broker.close_position(ACCOUNT, LINEAR),
        was_done=lambda on: bool(on.venue.positions[0]["size"] == "0"),
    ),
)


@frozen(kw_only=True)
class Wrong:
    answer: Answer
    handled: tuple[bool, ...] = (True, False)
    undone: type = Unknown
    mutations: tuple[Mutation, ...] = field(default=MUTATIONS)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


WRONG = [
    Wrong(answer=Answer(lost=True, body=b"")),
    *(Wrong(answer=Answer(status=one, body=b"<html>")) for one in (400, 401, 404, 408, 500, 503)),
    *(Wrong(answer=Answer(status=one, body=_json({"retCode": 0}))) for one in (500, 502, 404)),
    Wrong(answer=Answer(status=500, body=_json({"retCode": 110007, "retMsg": "no money"}))),
    *(Wrong(answer=Answer(status=one, body=b"")) for one in (301, 302, 307, 308)),
    *(
        Wrong(answer=Answer(body=body))
        for body in (
            b"",
            b"{",
            b"<html>",
            b"[]",
            b"null",
            b'{"retCode":"perhaps"}',
            b'{"retCode":null}',
        )
    ),
    # a cancel needs nothing but the code: what it says is enough
    Wrong(
        answer=Answer(body=_json({"retCode": 0, "result": {"orderId": 5}})), mutations=MUTATIONS[:1]
    ),
    Wrong(answer=Answer(body=_json({"retCode": 0, "result": {}})), mutations=MUTATIONS[:1]),
    *(Wrong(answer=Answer(code=code)) for code in (987654, 2**31, -77)),
]


def _codes() -> Iterator[Wrong]:
    """What is documented: proof of a refusal, or that nobody knows."""
    for code, meaning in _errors.CODES.items():
        if meaning.kind is Kind.UNKNOWN:
            yield Wrong(answer=Answer(code=code, text="said"))
        elif meaning.kind not in (Kind.DONE, Kind.DUPLICATE):
            yield Wrong(answer=Answer(code=code, text="said"), handled=(False,), undone=Rejected)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    outcomes = Outcomes()
    async with SmallVenue() as venue:
        settings = Settings("bybit", SETTINGS | {"BYBIT_REST_URL": venue.url})
        broker = BybitProvider(
            BybitConfig.from_settings(settings),
            plugins=Plugins([outcomes], installed=False),
            safety=OrderSafety(journal=JournalKind.MEMORY, look_ups=SHORT),
        )
        broker._proofs.longest = 0.3
        async with broker:
            yield Stage(venue=venue, broker=broker, outcomes=outcomes)


async def failures(wrongs: Iterable[Wrong], mutation: Mutation) -> list[str]:
    """What is wrong with the rows, a line for each."""
    rows = [(one, done) for one in wrongs if mutation in one.mutations for done in one.handled]
    return await truth_table.failures(
        rows,
        lambda row: _try(row[0], mutation, row[1]),
        lambda row: f"{row[0].answer}, {'' if row[1] else 'not '}done",
    )


async def _try(wrong: Wrong, mutation: Mutation, done: bool) -> None:
    async with stage() as on:
        await mutation.before(on)
        on.outcomes.clear()
        asked = len(on.venue.asked(mutation.path))
        on.venue.tell(mutation.path, evolve(wrong.answer, done=done))
        error = await error_of(mutation.call(on))
        assert on.outcomes, f"no outcome, and {error!r}"
        check_told(on.outcomes[-1], error)
        outcome = await _settled(mutation, on)
        if mutation.was_done(on):
            assert isinstance(outcome, Accepted), f"it was done, and it is called {outcome}"
        else:
            assert isinstance(outcome, wrong.undone), f"not done, and it is called {outcome}"
        assert len(on.venue.asked(mutation.path)) - asked <= _most(mutation, wrong)


def _most(mutation: Mutation, wrong: Wrong) -> int:
    """An exit goes again where the venue says that nothing was done, for its time or its number."""
    if mutation.operation is Operation.CANCEL:
        return 3
    again = _errors.kind_of(wrong.answer.code) in (Kind.CLOCK, Kind.TOO_MANY)
    return 2 if again and mutation.operation is Operation.CLOSE else 1


async def _settled(mutation: Mutation, on: Stage) -> OrderOutcome:
    """What the venue did becomes known in time; what it did not do is found to be absent."""
    outcome = on.outcomes[-1]
    async with asyncio.timeout(10):
        while isinstance(outcome, Unknown):
            if outcome.resolution is Resolution.ABSENT and not mutation.was_done(on):
                break
            outcome = await on.broker.resolve(outcome.client_order_id, timeout=0.1)
    return outcome


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.operation.value)
async def test_a_wrong_answer_leads_to_nothing_false(mutation: Mutation) -> None:
    wrong = await failures(WRONG, mutation)
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.operation.value)
async def test_a_documented_code_is_what_it_says(mutation: Mutation) -> None:
    wrong = await failures(_codes(), mutation)
    assert not wrong, "\n" + "\n".join(wrong)


async def test_a_duplicate_of_which_there_is_no_original_is_a_refusal() -> None:
    async with stage() as on:
        on.venue.tell("/v5/order/create", Answer(code=110072, text="OrderLinkedID is duplicate"))
        with pytest.raises(OrderRejected, match="duplicate"):
            await on.broker.place_order(_limit())


async def test_while_an_outcome_is_unknown_no_risk_is_added() -> None:
    async with stage() as on:
        on.venue.tell("/v5/order/create", Answer(code=10016))
        with pytest.raises(OrderOutcomeUnknown):
            await on.broker.place_order(_limit())
        with pytest.raises(NotSent, match="would add to the risk"):
            await on.broker.place_order(_limit())
        assert len(on.venue.asked("/v5/order/create")) == 1
