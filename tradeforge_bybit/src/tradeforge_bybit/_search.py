"""Looks for what is spread over categories: orders, positions, fills and contracts of a key."""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tradeforge_bybit import _mapping, _orders, _wire
from tradeforge_bybit._names import Place
from tradeforge_bybit._places import OrderPlace, Places
from tradeforge_bybit._rest import Rest
from tradeforge_core import NotFound, Order, OrderSide, Position, Trade, VenueError
from tradeforge_core.requests import Period

T = TypeVar("T")

_COINS = ("USDT", "USDC")
"""That linear contracts settle in; their lists have to be asked for by one of them."""
_SCOPES: tuple[tuple[str, dict[str, str]], ...] = (
    *(("linear", {"settleCoin": coin}) for coin in _COINS),
    ("inverse", {}),
    ("spot", {}),
)
_DERIVATIVES = tuple(one for one in _SCOPES if one[0] != "spot")


class Search:
    """Everything of one account, whatever the category; orders it finds have known places."""

    def __init__(self, rest: Rest, places: Places, account_id: str) -> None:
        self._rest = rest
        self._places = places
        self._account_id = account_id

    # --- orders ---

    async def open_orders(self) -> list[Order]:
        """Oldest first."""
        found = await _all(self._live(category, filters) for category, filters in _SCOPES)
        live = [order for order in found if not order.status.is_final]
        return _oldest_first(await self._with_entries(live))

    async def exits(self, entry: Order, now: datetime) -> list[Order]:
        """What came with the entry, whatever has become of it."""
        place = Place.of(entry.contract_id)
        mine = {"symbol": place.symbol}
        since = Period(start=(entry.created_at or now) - _A_MOMENT, end=now + _A_MOMENT)
        found = await _all(  # of two that say something, the ended one is right
            [
                self._live(place.category, mine),
                self._past(place.category, mine, since),
            ]
        )
        exits = [one for one in found if one.parent_order_id == entry.id]
        if all(one.status.is_final for one in exits):
            exits += await self._ended_exits(entry, place)
        return _oldest_first(exits)

    async def _ended_exits(self, entry: Order, place: Place) -> list[Order]:
        """Those that ended a short while ago: the list of past orders may be behind."""
        ended = await self._live(place.category, {"symbol": place.symbol, "openOnly": "1"})
        return [one for one in ended if one.parent_order_id == entry.id]

    async def _with_entries(self, orders: list[Order]) -> list[Order]:
        """Exits with the ids of their entries: the venue says only what those were named."""
        names = {name for one in orders if (name := self._places.unknown_entry(one))}
        await _all(self.of_name(name) for name in names)
        for name in names:
            self._places.give_up(name)
        return [self._places.note(one) for one in orders]

    async def order(self, order_id: str) -> Order:
        """Raises `NotFound`."""
        found = await self._by(self._places.find(order_id), "orderId", order_id)
        for order in found:
            if order.id == order_id:
                return order
        raise NotFound(f"there is no order {order_id!r} at work, and none of the last week")

    async def of_name(self, client_order_id: str) -> list[Order]:
        """Every order of this name that the venue still knows."""
        where = self._places.find(client_order_id)
        found = await self._by(where, "orderLinkId", client_order_id)
        return [one for one in found if one.client_order_id == client_order_id]

    async def shown(self, place: Place, order_id: str) -> Order | None:
        """The order as the list of live ones, or of ended ones, has it at this moment."""
        live = await self._live(place.category, {"symbol": place.symbol, "orderId": order_id})
        past = live or await self._past(place.category, {"orderId": order_id})
        return next((one for one in past if one.id == order_id), None)

    async def history(self, period: Period) -> list[Order]:
        """Those that were created in the period and that the venue still knows, oldest first."""
        past = (self._past(category, {}, period) for category in _categories())
        live = (self._live(category, filters) for category, filters in _SCOPES)
        found = await _all([*live, *past])  # of two that say something, the ended one is right
        return _oldest_first(one for one in found if _is_in(one.created_at, period))

    async def _by(self, where: OrderPlace | None, word: str, value: str) -> list[Order]:
        """By an id: first among the live, then the ended, at last by the fills it has left."""
        scopes = _SCOPES if where is None else _scope_of(where.place)
        categories = dict.fromkeys(category for category, _ in scopes)
        wanted = {word: value}
        return (
            await _all(self._live(category, more | wanted) for category, more in scopes)
            or await _all(self._past(category, wanted) for category in categories)
            or await _all(self._by_fills(category, wanted) for category in categories)
        )

    async def _live(self, category: str, filters: dict[str, str]) -> list[Order]:
        return self._orders(await self._rest.live_orders(category, **filters), category)

    async def _past(
        self, category: str, filters: dict[str, str], period: Period | None = None
    ) -> list[Order]:
        return self._orders(await self._rest.past_orders(category, period, **filters), category)

    async def _by_fills(self, category: str, wanted: dict[str, str]) -> list[Order]:
        rows = await self._rest.executions(category, None, **wanted)
        deals = [row for row in rows if row.execType in _mapping.DEALS]
        orders = _orders.of_fills(deals, category, self._account_id)
        return [self._places.note(order) for order in orders]

    def _orders(self, rows: Iterable[_wire.OrderRow], category: str) -> list[Order]:
        orders = (_orders.to_order(row, category, self._account_id) for row in rows)
        return [self._places.note(order) for order in orders]

    # --- positions and fills ---

    async def positions(self) -> list[Position]:
        """Those that are not flat."""
        found = await _all(self._positions(category, filters) for category, filters in _DERIVATIVES)
        return [one for one in found if not one.is_flat]

    async def positions_of(self, place: Place) -> list[Position]:
        """Those of one contract, flat ones too: two where it can be held long and short."""
        return await self._positions(place.category, {"symbol": place.symbol})

    async def held(self, place: Place, side: OrderSide | None) -> Position:
        """Raises `NotFound` where nothing is held."""
        positions = [] if place.category == "spot" else await self.positions_of(place)
        for one in positions:
            if one.hedge_side is side and not one.is_flat:
                return one
        raise NotFound(f"there is no position in {place.contract_id}")

    async def _positions(self, category: str, filters: dict[str, str]) -> list[Position]:
        rows = await self._rest.positions(category, **filters)
        return [_mapping.to_position(row, category, self._account_id) for row in rows]

    async def trades(self, period: Period) -> list[Trade]:
        """Oldest first; those of one millisecond in the order of the venue."""
        found = await _all(self._trades(category, period) for category in _categories())
        by_id = {one.id: one for one in found}
        return sorted(by_id.values(), key=_time_of)

    async def _trades(self, category: str, period: Period) -> list[Trade]:
        rows = await self._rest.executions(category, period)
        entries: dict[str, Decimal] = {}
        if category == "linear" and any(_closes(row) for row in rows):
            entries = await self._entry_prices(period)
        return [
            _mapping.to_trade(row, category, self._account_id, entries.get(row.orderId))
            for row in rows
            if row.execType in _mapping.DEALS
        ]

    async def _entry_prices(self, period: Period) -> dict[str, Decimal]:
        """Of what was closed in the period; without them the results of fills are not known."""
        try:
            return _mapping.entry_prices(await self._rest.closed("linear", period))
        except VenueError as error:
            if error.code in _NO_SUCH_OPERATION:
                return {}
            raise

    async def result(self, period: Period) -> Decimal:
        """What linear contracts have earned by what was closed, in the venue's own words."""
        rows = await self._rest.closed("linear", period)
        # the pages of two weeks may share a row, and an order may have two that differ in time only
        unique = {
            (row.orderId, row.closedSize, row.closedPnl, row.updatedTime): row for row in rows
        }
        return sum((_mapping.result_of(row) for row in unique.values()), Decimal(0))


_A_MOMENT = timedelta(minutes=1)
"""By how much the clock of the venue may be off."""
_NO_SUCH_OPERATION = (404, 10017)


def _closes(row: _wire.ExecutionRow) -> bool:
    """Whether it has closed something, and does not say with what result."""
    return row.execPnl in ("", None) and row.closedSize not in ("", "0", None)


def _categories() -> tuple[str, ...]:
    return tuple(dict.fromkeys(category for category, _ in _SCOPES))


def _scope_of(place: Place) -> tuple[tuple[str, dict[str, str]], ...]:
    return ((place.category, {"symbol": place.symbol}),)


async def _all(looks: Iterable[Coroutine[Any, Any, list[T]]]) -> list[T]:
    """What all of them find, at once. Raises the first failure, when all have ended."""
    found = await asyncio.gather(*looks, return_exceptions=True)
    failures = [one for one in found if isinstance(one, BaseException)]
    if failures:
        raise failures[0]
    return [one for several in found if isinstance(several, list) for one in several]


def _oldest_first(orders: Iterable[Order]) -> list[Order]:
    by_id = {order.id: order for order in orders}
    return sorted(by_id.values(), key=lambda order: order.created_at or _EARLIEST)


def _is_in(time: datetime | None, period: Period) -> bool:
    return time is None or period.start <= time <= period.end


def _time_of(trade: Trade) -> tuple[datetime, int]:
    return trade.time or _EARLIEST, getattr(trade.raw, "seq", None) or 0


_EARLIEST = datetime.min.replace(tzinfo=UTC)
"""Of what does not say its time."""
