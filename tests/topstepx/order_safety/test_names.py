"""Names of the caller's own: an order is known by its name only if it can be that order."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from tests.topstepx.order_safety.stage import PLACE, Stage, stage
from tests.truth_table import SHORT

from tradeforge_core import (
    Bracket,
    DuplicateClientOrderId,
    InvalidOrder,
    JournalKind,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderType,
    Plugins,
    Resolution,
)
from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.outcomes import Rejected, Unknown
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.provider import TopStepXProvider


class Clock(SystemClock):
    """A clock that goes wrong by so much."""

    def __init__(self, by: timedelta) -> None:
        super().__init__()
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


def resting(on: Stage, name: str | None = None) -> OrderRequest:
    request = OrderRequest.limit(
        on.account_id, on.contract.id, OrderSide.BUY, 1, on.contract.tick_size
    )
    return attrs.evolve(request, client_order_id=name)


def another(on: Stage, by: timedelta) -> TopStepXProvider:
    """A provider that knows nothing of what was sent before."""
    safety = OrderSafety(journal=JournalKind.MEMORY, look_ups=SHORT)
    plugins = Plugins([on.outcomes], installed=False)
    return TopStepXProvider(on.broker.config, plugins=plugins, clock=Clock(by), safety=safety)


@pytest.mark.parametrize("end", ["-SL", "-TP"])
async def test_an_exit_is_not_taken_for_an_order_of_its_name(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeforge_topstepx.provider.is_name_of_exit", lambda name: False)
    async with stage() as on:
        bracket = Bracket(stop_loss=10, take_profit=20)
        await on.broker.place_order(attrs.evolve(resting(on, "entry"), bracket=bracket))
        price = 90_000 * on.contract.tick_size
        request = attrs.evolve(
            resting(on, f"entry{end}"),
            side=OrderSide.SELL,
            type=OrderType.STOP if end == "-SL" else OrderType.LIMIT,
            stop_price=price if end == "-SL" else None,
            limit_price=price if end == "-TP" else None,
        )
        with pytest.raises(DuplicateClientOrderId):
            await on.broker.place_order(request)
        assert isinstance(on.outcomes[-1], Rejected)


async def test_nor_when_the_order_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeforge_topstepx.provider.is_name_of_exit", lambda name: False)
    async with stage() as on:
        bracket = Bracket(stop_loss=10, take_profit=20)
        await on.broker.place_order(attrs.evolve(resting(on, "entry"), bracket=bracket))
        price = 90_000 * on.contract.tick_size
        request = attrs.evolve(resting(on, "entry-TP"), side=OrderSide.SELL, limit_price=price)
        on.sandbox.fail_next(PLACE.path, 503, handled=False)
        with pytest.raises(OrderOutcomeUnknown, match="conflict"):
            await on.broker.place_order(request)


@pytest.mark.parametrize("end", ["-SL", "-TP"])
async def test_such_a_name_is_refused_before_it_leaves(end: str) -> None:
    async with stage() as on:
        with pytest.raises(InvalidOrder, match="-SL or -TP"):
            await on.broker.place_order(resting(on, f"mine{end}"))
        assert not on.orders


@pytest.mark.parametrize("lost", [False, True])
async def test_an_old_order_of_the_name_is_not_the_new_one(lost: bool) -> None:
    async with stage() as on:
        old = await on.broker.place_order(resting(on, "daily"))
        await on.broker.cancel_order(on.account_id, old.id)
        async with another(on, timedelta(hours=24)) as tomorrow:
            if lost:
                on.sandbox.fail_next(PLACE.path, 503, handled=False)
            with pytest.raises(OrderOutcomeUnknown if lost else DuplicateClientOrderId):
                await tomorrow.place_order(resting(on, "daily"))
            last = on.outcomes[-1]
            if lost:
                assert isinstance(last, Unknown)
                assert last.resolution is Resolution.CONFLICT
            else:
                assert isinstance(last, Rejected)
        assert len(on.standing) == 1


@pytest.mark.parametrize("minutes", [-40, 40])
async def test_a_wrong_clock_hides_no_order(minutes: int) -> None:
    async with stage() as on, another(on, timedelta(minutes=minutes)) as broker:
        on.sandbox.fail_next(PLACE.path, 503)
        placed = await broker.place_order(resting(on))
        assert [placed.id] == [str(one.id) for one in on.orders]


async def test_a_name_without_an_end() -> None:
    async with stage() as on:
        with pytest.raises(InvalidOrder, match="255 are the most"):
            await on.broker.place_order(resting(on, "x" * 1_200_000))


async def test_a_refusal_without_an_end() -> None:
    async with stage(journal=JournalKind.DURABLE) as on:
        said = "x" * 1_200_000
        on.sandbox.fail_next(PLACE.path, Fault.ENVELOPE, code=2, message=said, handled=False)
        with pytest.raises(OrderRejected):
            await on.broker.place_order(resting(on, "mine"))
        assert isinstance(await on.broker.outcome("mine"), Rejected)
        assert isinstance(on.outcomes[-1], Rejected)
