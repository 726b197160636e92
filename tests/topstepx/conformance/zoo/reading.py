"""Defects of what is asked for: accounts, contracts, bars, orders, positions, fills."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve
from tests.topstepx.conformance.zoo.defects import defect

from tradeforge_core import (
    Account,
    Bar,
    Contract,
    FrontMonth,
    NotFound,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
    Trade,
)
from tradeforge_core.requests import BarQuery, Period
from tradeforge_topstepx.provider import TopStepXProvider

_OTHER = {OrderSide.BUY: OrderSide.SELL, OrderSide.SELL: OrderSide.BUY}


# --- accounts and contracts ---


@defect("TF-ACC-010")
class FloatBalances(TopStepXProvider):
    """Balances are read as floats."""

    async def _fetch_accounts(self) -> list[Account]:
        accounts = await super()._fetch_accounts()
        return [evolve(one, balance=Decimal(float(one.balance))) for one in accounts]


@defect("TF-ACC-020")
class LockedAccountsMayTrade(TopStepXProvider):
    """All accounts are given, and each is said to be open for trading."""

    async def _fetch_accounts(self) -> list[Account]:
        return [evolve(one, can_trade=True) for one in await self._fetch_all_accounts()]


@defect("TF-USR-070")
class AnyAccountIsFound(TopStepXProvider):
    """Whether an account exists is left to the venue, which confirms any."""

    async def _begin_with(self, topics: Any) -> None:
        self._require_connection()


@defect("TF-CON-010")
class FloatTicks(TopStepXProvider):
    """Tick sizes are read as floats."""

    async def _fetch_contract(self, contract_id: str) -> Contract:
        found = await super()._fetch_contract(contract_id)
        return evolve(found, tick_size=Decimal(float(found.tick_size)))


@defect("TF-CON-020", "TF-MKT-060")
class MissingContractIsMadeUp(TopStepXProvider):
    """An unknown contract is given with usual ticks."""

    async def _fetch_contract(self, contract_id: str) -> Contract:
        try:
            return await super()._fetch_contract(contract_id)
        except NotFound:
            tick = Decimal("0.25")
            return Contract(
                id=contract_id,
                symbol=contract_id,
                root=contract_id,
                description="",
                tick_size=tick,
                tick_value=tick,
                active=True,
            )


@defect("TF-CON-030")
class FirstHitIsTheContract(TopStepXProvider):
    """The first contract that a search finds is taken for the one that was asked for."""

    async def _find_contract(self, symbol: str) -> FrontMonth:
        found = await self._search_contracts(symbol[:1])
        return FrontMonth(contract=found[0], reason="it was the first")


@defect("TF-CON-040")
class NothingFoundIsAnError(TopStepXProvider):
    """A search that finds nothing raises."""

    async def _search_contracts(self, text: str) -> list[Contract]:
        if found := await super()._search_contracts(text):
            return found
        raise NotFound(f"no contract is called {text}")


# --- bars ---


@defect("TF-HIS-010")
class BarsUnsorted(TopStepXProvider):
    """Bars come in the order of the gateway, newest first."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        return (await super()._fetch_bars(query))[::-1]


@defect("TF-HIS-010")
class NaiveBars(TopStepXProvider):
    """The times of bars have lost their zone."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        bars = await super()._fetch_bars(query)
        return [evolve(one, time=one.time.replace(tzinfo=None)) for one in bars]


@defect("TF-HIS-020")
class FloatPrices(TopStepXProvider):
    """The prices of bars are read as floats."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        bars = await super()._fetch_bars(query)
        return [evolve(one, close=Decimal(float(one.close))) for one in bars]


@defect("TF-HIS-020")
class BarsWithoutVolume(TopStepXProvider):
    """The volume of bars is left at zero."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        return [evolve(one, volume=Decimal(0)) for one in await super()._fetch_bars(query)]


@defect("TF-HIS-030")
class OnePageOfBars(TopStepXProvider):
    """The first answer of the gateway is taken for all of the span."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        return (await super()._fetch_bars(query))[-20_000:]


@defect("TF-HIS-030")
class PagesOverlap(TopStepXProvider):
    """The bar at the joint of two pages comes twice."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        bars = await super()._fetch_bars(query)
        joint = len(bars) // 2
        return bars[: joint + 1] + bars[joint:]


@defect("TF-HIS-040")
class FormingBarIsComplete(TopStepXProvider):
    """The bar that is still forming comes with the others, without a mark."""

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        bars = await super()._fetch_bars(evolve(query, include_partial=True))
        return [evolve(one, partial=False) for one in bars]


@defect("TF-HIS-050")
class NaiveTimeIsUtc(TopStepXProvider):
    """A time without a zone is taken for UTC."""

    async def get_historical_bars(self, contract_id: str, **span: Any) -> list[Bar]:
        start: datetime = span["start"]
        aware = start if start.tzinfo else start.replace(tzinfo=UTC)
        return await super().get_historical_bars(contract_id, **{**span, "start": aware})


# --- orders ---


@defect("TF-ORD-070")
class FirstPageOfOpenOrders(TopStepXProvider):
    """Open orders are those of the first page."""

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        return (await super()._fetch_open_orders(account_id))[:20]


@defect("TF-CAP-040")
class UnknownOrderTypeDropped(TopStepXProvider):
    """Orders of a type that the table does not have are left out."""

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        known = (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)
        return [one for one in await super()._fetch_open_orders(account_id) if one.type in known]


@defect("TF-ORD-080")
class OnlyOpenOrdersAreFound(TopStepXProvider):
    """An order is looked for among the open ones."""

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        for order in await self._fetch_open_orders(account_id):
            if order.id == order_id:
                return order
        raise NotFound(f"there is no order {order_id}")


@defect("TF-ORD-090")
class HistoryPagesOverlap(TopStepXProvider):
    """The order at the joint of two pages comes twice."""

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        orders = await super()._fetch_order_history(account_id, period)
        return orders[:10] + orders[9:]


@defect("TF-ORD-090")
class NewestOrdersFirst(TopStepXProvider):
    """The history of orders begins with the newest."""

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        return (await super()._fetch_order_history(account_id, period))[::-1]


@defect("TF-ORD-120")
class WrongSideRead(TopStepXProvider):
    """Orders are read with the table of sides the wrong way round."""

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        orders = await super()._fetch_order_history(account_id, period)
        return [evolve(one, side=_OTHER[one.side]) for one in orders]


# --- positions and fills ---


@defect("TF-POS-010")
class ShortIsLong(TopStepXProvider):
    """The sign of a position is lost."""

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        held = await super()._fetch_positions(account_id)
        return [evolve(one, size=abs(one.size)) for one in held]


@defect("TF-POS-010")
class AveragePriceZero(TopStepXProvider):
    """A position has no average price, and zero is put there."""

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        held = await super()._fetch_positions(account_id)
        return [evolve(one, average_price=Decimal(0)) for one in held]


@defect("TF-POS-020")
class FlatIsAPosition(TopStepXProvider):
    """What was held once stays in the list, with a size of zero."""

    async def get_positions(self, account_id: str) -> list[Position]:
        held = await super().get_positions(account_id)
        self._seen = {one.contract_id: one for one in (*getattr(self, "_seen", {}).values(), *held)}
        gone = self._seen.keys() - {one.contract_id for one in held}
        return held + [evolve(self._seen[one], size=Decimal(0)) for one in gone]


@defect("TF-FIL-010")
class FillsTwice(TopStepXProvider):
    """The fill at the joint of two pages comes twice."""

    async def get_trade_history(self, account_id: str, **span: Any) -> list[Trade]:
        trades = await super().get_trade_history(account_id, **span)
        return trades[:10] + trades[9:]


@defect("TF-FIL-010")
class InventedTimestamp(TopStepXProvider):
    """The time of a fill is the time at which it was read."""

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        trades = await super()._fetch_trades(account_id, period)
        return [evolve(one, time=self._clock.now()) for one in trades]


@defect("TF-FIL-020")
class LimitPriceIsTheAverage(TopStepXProvider):
    """The average price of an order is the limit that it was placed with."""

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        order = await super()._fetch_order(account_id, order_id)
        return evolve(order, average_fill_price=order.limit_price)


@defect("TF-FIL-030")
class UnknownProfitIsZero(TopStepXProvider):
    """A profit that the venue has not said is zero."""

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        trades = await super()._fetch_trades(account_id, period)
        return [evolve(one, realized_pnl=one.realized_pnl or Decimal(0)) for one in trades]


# --- brackets ---


@defect("TF-BRA-010")
class DistanceOfTheOther(TopStepXProvider):
    """The stop loss is set at the distance of the take profit."""

    async def place_order(self, request: Any) -> Order:
        bracket = request.bracket
        wrong = bracket and evolve(bracket, stop_loss=bracket.take_profit)
        return await super().place_order(evolve(request, bracket=wrong))


@defect("TF-BRA-020")
class EveryExitIsWorking(TopStepXProvider):
    """Both exits are called working, whatever became of them."""

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        exits = await super()._fetch_exits(entry)
        return [evolve(one, status=OrderStatus.WORKING) for one in exits]


@defect("TF-BRA-030")
class ExitsAsAskedFor(TopStepXProvider):
    """The exits are those that were asked for, not those that the venue has."""

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        exits = await super()._fetch_exits(entry)
        if any(one.type is OrderType.STOP for one in exits):
            return exits
        stop = evolve(
            entry,
            id=f"{entry.id}0",
            side=_OTHER[entry.side],
            type=OrderType.STOP,
            stop_price=Decimal(1),
            parent_order_id=entry.id,
            status=OrderStatus.WORKING,
        )
        return [*exits, stop]


@defect("TF-BRA-040")
class FamilyWithoutExits(TopStepXProvider):
    """The family of an entry has those exits only that are filled."""

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        exits = await super()._fetch_exits(entry)
        return [one for one in exits if one.status is OrderStatus.FILLED]
