"""Limits, the kill switch, and what still passes them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from tradeforge_core import (
    Bracket,
    ConfigError,
    Disconnected,
    NotSent,
    Order,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderVetoed,
    Position,
    RiskLimits,
    Trade,
    TradingDay,
)
from tradeforge_core.orders.kill_switch import KillSwitch
from tradeforge_core.orders.limits import realised

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make

    from tradeforge_testing import ManualClock

NewBroker = Callable[..., "FakeProvider"]


def buy(size: int = 1, contract_id: str = "ABC") -> OrderRequest:
    return OrderRequest.market("1", contract_id, OrderSide.BUY, size)


def sell(size: int = 1) -> OrderRequest:
    return OrderRequest.market("1", "ABC", OrderSide.SELL, size)


class Holding:
    """What the account of the fake venue holds, what works there, and what it earned."""

    def __init__(self, broker: "FakeProvider", make: "Make", monkeypatch: pytest.MonkeyPatch):
        self.position = Decimal(0)
        self.orders: list[Order] = []
        self.trades: list[Trade] = []
        self.looks = 0
        self._make = make
        for name in ("positions", "open_orders", "trades"):
            monkeypatch.setattr(broker, f"_fetch_{name}", getattr(self, f"fetch_{name}"))

    async def fetch_positions(self, account_id: str) -> list[Position]:
        self.looks += 1
        held = Position(account_id="1", contract_id="ABC", size=self.position)
        return [held] if self.position else []

    async def fetch_open_orders(self, account_id: str) -> list[Order]:
        await asyncio.sleep(0)  # so that another order can come in between
        return self.orders

    async def fetch_trades(self, account_id: str, period: Any) -> list[Trade]:
        return [one for one in self.trades if one.time is None or one.time >= period.start]

    def works(self, side: OrderSide, size: int) -> None:
        order = self._make.order(id=str(len(self.orders)), side=side, size=Decimal(size))
        self.orders.append(order)


@pytest.fixture
def limited(
    new_broker: NewBroker, make: "Make", monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """A connected provider with these limits, and what it holds."""

    async def new(**limits: Any) -> tuple["FakeProvider", Holding]:
        broker = new_broker(safety=OrderSafety(limits=RiskLimits(**limits)))
        await broker.connect()
        return broker, Holding(broker, make, monkeypatch)

    return new


class TestLimits:
    async def test_every_reason_is_told(self, limited: Callable[..., Any]) -> None:
        broker, _ = await limited(max_order_size=2, allowed_contracts=["DEF"])
        with pytest.raises(OrderVetoed) as caught:
            await broker.place_order(buy(3))
        assert caught.value.reasons == (
            "max_order_size is 2, and this order has 3",
            "ABC is not among allowed_contracts: DEF",
        )
        assert not broker.submitted

    async def test_what_keeps_them_passes_without_a_look(self, limited: Callable[..., Any]) -> None:
        broker, holding = await limited(max_order_size=2, allowed_contracts=["ABC"])
        await broker.place_order(buy(2))
        assert len(broker.submitted) == 1
        assert not holding.looks

    async def test_a_larger_size_later_is_a_larger_order(self, limited: Callable[..., Any]) -> None:
        broker, _ = await limited(max_order_size=2)
        with pytest.raises(OrderVetoed, match="max_order_size"):
            await broker.modify_order("1", "7", size=3)
        await broker.modify_order("1", "7", size=2)
        assert len(broker.booked) == 1

    async def test_the_pace(self, limited: Callable[..., Any], clock: "ManualClock") -> None:
        broker, _ = await limited(max_orders_per_minute=2)
        await broker.place_order(buy())
        await broker.place_order(buy())
        with pytest.raises(OrderVetoed, match="max_orders_per_minute is 2"):
            await broker.place_order(buy())
        clock.advance(61)
        await broker.place_order(buy())
        assert len(broker.submitted) == 3

    async def test_the_pace_holds_for_orders_at_once(self, limited: Callable[..., Any]) -> None:
        broker, _ = await limited(max_orders_per_minute=2, max_position=100)
        placing = (broker.place_order(buy()) for _ in range(5))
        results = await asyncio.gather(*placing, return_exceptions=True)
        assert sum(isinstance(one, Order) for one in results) == 2
        assert len(broker.submitted) == 2

    @pytest.mark.parametrize(
        ("held", "working", "order", "passes"),
        [
            (0, [], buy(3), True),
            (0, [], buy(4), False),
            (2, [], buy(2), False),
            (2, [(OrderSide.BUY, 1)], buy(1), False),
            (2, [(OrderSide.SELL, 1)], buy(1), True),
            (-3, [], sell(1), False),
            (5, [], sell(1), True),  # less is less, also from above the limit
            (5, [(OrderSide.SELL, 5)], sell(1), True),
            (3, [], sell(6), True),
            (3, [], sell(7), False),
        ],
    )
    async def test_the_position(
        self,
        limited: Callable[..., Any],
        held: int,
        working: list[tuple[OrderSide, int]],
        order: OrderRequest,
        passes: bool,
    ) -> None:
        broker, holding = await limited(max_position=3)
        holding.position = Decimal(held)
        for side, size in working:
            holding.works(side, size)
        if passes:
            await broker.place_order(order)
        else:
            with pytest.raises(OrderVetoed, match="max_position is 3"):
                await broker.place_order(order)
        assert len(broker.submitted) == passes

    async def test_the_position_holds_for_orders_at_once(self, limited: Callable[..., Any]) -> None:
        broker, _ = await limited(max_position=3)
        placing = (broker.place_order(buy(2)) for _ in range(3))
        results = await asyncio.gather(*placing, return_exceptions=True)
        assert sum(isinstance(one, Order) for one in results) <= 1

    async def test_an_order_counts_whose_caller_is_gone(
        self, limited: Callable[..., Any], eventually: Callable[..., Any]
    ) -> None:
        broker, _ = await limited(max_position=3)
        broker.may_answer.clear()
        caller = asyncio.create_task(broker.place_order(buy(2)))
        await eventually(lambda: broker.submitted)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        with pytest.raises(OrderVetoed, match="max_position is 3, and it could become 4"):
            await broker.place_order(buy(2))
        broker.may_answer.set()

    async def test_a_look_that_fails_lets_nothing_through(
        self, limited: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broker, _ = await limited(max_position=3)

        async def fail(account_id: str) -> list[Position]:
            raise Disconnected("reset")

        monkeypatch.setattr(broker, "_fetch_positions", fail)
        with pytest.raises(NotSent, match="reset"):
            await broker.place_order(buy())
        assert not broker.submitted

    async def test_the_loss_of_the_day(
        self, limited: Callable[..., Any], make: "Make", clock: "ManualClock"
    ) -> None:
        broker, holding = await limited(max_daily_loss=100)
        lost = Trade(
            id="1",
            account_id="1",
            contract_id="ABC",
            order_id="7",
            side=OrderSide.SELL,
            size=Decimal(1),
            price=Decimal(1),
            realized_pnl=Decimal(-98),
            fees=Decimal(1),
            time=clock.now(),
        )
        holding.trades = [lost]
        await broker.place_order(buy())
        holding.trades = [attrs.evolve(lost, commissions=Decimal(1))]
        with pytest.raises(OrderVetoed, match="max_daily_loss is 100, and 100 were lost"):
            await broker.place_order(buy())
        holding.position = Decimal(1)
        await broker.place_order(sell())  # the way out is open
        clock.advance(86_400)
        holding.position = Decimal(0)
        await broker.place_order(buy())  # a new day

    def test_limits_make_sense(self) -> None:
        for name in ("max_order_size", "max_position", "max_orders_per_minute", "max_daily_loss"):
            with pytest.raises(ValueError, match=f"{name} must be above zero"):
                RiskLimits(**{name: 0})  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="allowed_contracts"):
            RiskLimits(allowed_contracts="MNQ")

    def test_voided_trades_count_for_nothing(self) -> None:
        trade = Trade(
            id="1",
            account_id="1",
            contract_id="ABC",
            order_id="7",
            side=OrderSide.BUY,
            size=Decimal(1),
            price=Decimal(1),
            realized_pnl=Decimal(5),
            fees=Decimal(2),
        )
        assert realised([trade, attrs.evolve(trade, id="2", voided=True)]) == 3

    def test_settings(self) -> None:
        safety = OrderSafety.from_settings(
            {
                "TRADEFORGE_JOURNAL": "memory",
                "TRADEFORGE_MAX_ORDER_SIZE": "2",
                "TRADEFORGE_MAX_POSITION": "4",
                "TRADEFORGE_MAX_ORDERS_PER_MINUTE": "10",
                "TRADEFORGE_ALLOWED_CONTRACTS": "MNQ, MES",
                "TRADEFORGE_MAX_DAILY_LOSS": "500.50",
            }
        )
        assert safety.journal == "memory"
        assert safety.limits == RiskLimits(
            max_order_size=2,
            max_position=4,
            max_orders_per_minute=10,
            allowed_contracts=["MNQ", "MES"],
            max_daily_loss="500.50",
        )

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("TRADEFORGE_JOURNAL", "paper"),
            ("TRADEFORGE_MAX_ORDER_SIZE", "many"),
            ("TRADEFORGE_MAX_ORDERS_PER_MINUTE", "1.5"),
            ("TRADEFORGE_MAX_DAILY_LOSS", "-1"),
        ],
    )
    def test_settings_that_cannot_be_meant(self, name: str, value: str) -> None:
        with pytest.raises(ConfigError, match=value):
            OrderSafety.from_settings({name: value})


class TestTradingDay:
    @pytest.mark.parametrize(
        ("now", "began"),
        [
            ((2026, 3, 2, 22, 59), (2026, 3, 1, 23)),  # 16:59 in Chicago
            ((2026, 3, 2, 23, 0), (2026, 3, 2, 23)),
            ((2026, 3, 9, 12, 0), (2026, 3, 8, 22)),  # summer time began on the 8th
        ],
    )
    def test_begins_in_the_afternoon_of_chicago(
        self, now: tuple[int, ...], began: tuple[int, ...]
    ) -> None:
        day = TradingDay(starts=datetime(2026, 1, 1, 17).time(), zone="America/Chicago")  # noqa: DTZ001
        assert day.began(datetime(*now, tzinfo=UTC)) == datetime(*began, tzinfo=UTC)  # type: ignore[arg-type, misc]

    def test_of_a_zone_that_is_not_there(self) -> None:
        with pytest.raises(ConfigError, match="tzdata"):
            TradingDay(zone="Mars/Olympus").began(datetime.now(UTC))


class TestKillSwitch:
    async def test_nothing_new_passes(self, limited: Callable[..., Any]) -> None:
        broker, _ = await limited()
        broker.halt("news")
        with pytest.raises(OrderVetoed, match="trading is halted: news"):
            await broker.place_order(buy())
        with pytest.raises(OrderVetoed, match="trading is halted"):
            await broker.modify_order("1", "7", limit_price=1)
        broker.resume()
        await broker.place_order(buy())
        assert len(broker.submitted) == 1

    async def test_the_way_out_is_open(self, limited: Callable[..., Any]) -> None:
        broker, holding = await limited()
        holding.position = Decimal(2)
        broker.halt("news")
        await broker.place_order(sell(2))
        await broker.cancel_order("1", "7")
        await broker.close_position("1", "ABC")
        assert len(broker.booked) == 3

    @pytest.mark.parametrize(
        ("held", "working", "order"),
        [
            (2, [], sell(3)),  # it would turn the position around
            (2, [(OrderSide.SELL, 1)], sell(2)),  # and so would these together
            (-1, [], sell(1)),
            (0, [], buy(1)),
        ],
    )
    async def test_what_could_add_to_the_risk_does_not_pass(
        self,
        limited: Callable[..., Any],
        held: int,
        working: list[tuple[OrderSide, int]],
        order: OrderRequest,
    ) -> None:
        broker, holding = await limited()
        holding.position = Decimal(held)
        for side, size in working:
            holding.works(side, size)
        broker.halt("news")
        with pytest.raises(OrderVetoed):
            await broker.place_order(order)
        assert not broker.submitted

    async def test_an_exit_with_a_bracket_is_no_exit(self, limited: Callable[..., Any]) -> None:
        broker, holding = await limited()
        holding.position = Decimal(2)
        broker.capabilities = attrs.evolve(broker.capabilities, brackets=True)
        broker.halt("news")
        with pytest.raises(OrderVetoed):
            await broker.place_order(attrs.evolve(sell(1), bracket=Bracket(stop_loss=1)))

    async def test_it_survives_the_provider(self, new_broker: NewBroker) -> None:
        first, second = new_broker(), new_broker()
        first.halt("by the other one")
        halted = second.halted
        assert halted is not None and halted.reason == "by the other one"
        assert halted.since == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
        second.resume()
        assert first.halted is None

    def test_one_that_cannot_be_read_is_a_halt(self, tmp_path: Path) -> None:
        switch = KillSwitch(tmp_path)
        (tmp_path / "HALTED.json").write_text("stop!")
        assert "stop!" in str(switch.halt)
        (tmp_path / "HALTED.json").unlink()
        (tmp_path / "HALTED.json").mkdir()
        assert "cannot be read" in str(switch.halt)

    def test_one_that_cannot_be_written_holds_for_this_process(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        switch = KillSwitch(tmp_path / "file")  # no folder can be made there
        with pytest.raises(OSError, match="file"):
            switch.throw("news", datetime.now(UTC))
        assert switch.halt is not None and switch.halt.reason == "news"

    def test_in_memory_it_is_of_this_provider_only(self) -> None:
        switch = KillSwitch(None)
        switch.throw("news", datetime.now(UTC))
        assert switch.halt is not None
        assert KillSwitch(None).halt is None
        switch.release()
        assert switch.halt is None
