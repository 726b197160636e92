"""From the gateway's messages to the models and events of TradeForge: tables and pure functions.

An unknown status or type keeps the order visible as UNKNOWN; an unknown side or sign raises
`DecodeError`, because a guess there would turn a position around.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from tradeforge_core import (
    Account,
    AssetClass,
    Bar,
    BarUnit,
    Bracket,
    Contract,
    DecodeError,
    DepthEvent,
    DepthLevel,
    MarketTradeEvent,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
    QuoteEvent,
    Trade,
)
from tradeforge_core.kit.constructors import Levels, new_depth, new_market_trade, new_quote
from tradeforge_topstepx import _wire
from tradeforge_topstepx._checks import (
    LARGE,
    finite,
    number_of,
    positive,
    price_or_none,
    size_of,
    to_utc,
    utc_or_none,
    whole_of,
)

SIDES = {0: OrderSide.BUY, 1: OrderSide.SELL}
SIDE_CODES = {side: code for code, side in SIDES.items()}

TYPES = {
    1: OrderType.LIMIT,
    2: OrderType.MARKET,
    3: OrderType.STOP_LIMIT,
    4: OrderType.STOP,
    5: OrderType.TRAILING_STOP,
    6: OrderType.JOIN_BID,
    7: OrderType.JOIN_ASK,
}
TYPE_CODES = {type_: code for code, type_ in TYPES.items()}

STATUSES = {
    1: OrderStatus.WORKING,
    2: OrderStatus.FILLED,
    3: OrderStatus.CANCELLED,
    4: OrderStatus.EXPIRED,
    5: OrderStatus.REJECTED,
    6: OrderStatus.PENDING,
    7: OrderStatus.PENDING_CANCEL,
    8: OrderStatus.SUSPENDED,
}

BAR_UNITS = {
    BarUnit.SECOND: 1,
    BarUnit.MINUTE: 2,
    BarUnit.HOUR: 3,
    BarUnit.DAY: 4,
    BarUnit.WEEK: 5,
    BarUnit.MONTH: 6,
}

_FLAT, _LONG, _SHORT = 0, 1, 2
_ASK, _BID, _BEST_ASK, _BEST_BID, _RESET = 1, 2, 3, 4, 6
_NEW_BEST_BID, _NEW_BEST_ASK = 9, 10
_LEVELS = {
    _BID: 0,
    _ASK: 1,
    _BEST_BID: 2,
    _NEW_BEST_BID: 2,
    _BEST_ASK: 3,
    _NEW_BEST_ASK: 3,
}
"""Where in a `Levels` the levels of a type belong."""

_MONTHS = "FGHJKMNQUVXZ"
_SYMBOL = re.compile(rf"^(?P<root>.+)(?P<month>[{_MONTHS}])(?P<year>\d{{1,2}})$")


def to_account(row: _wire.AccountRow) -> Account:
    return Account(
        id=str(row.id),
        name=row.name,
        balance=finite(row.balance, "balance"),
        can_trade=row.canTrade,
        simulated=row.simulated,
        raw=row,
    )


def to_contract(row: _wire.ContractRow) -> Contract:
    return Contract(
        id=row.id,
        symbol=row.name,
        root=root_of(row.name),
        description=row.description,
        tick_size=positive(row.tickSize, "tickSize"),
        tick_value=positive(row.tickValue, "tickValue"),
        active=row.activeContract,
        asset_class=AssetClass.FUTURE,
        raw=row,
    )


def root_of(symbol: str) -> str:
    """The product in a symbol: `MNQ` of `MNQZ6`; the symbol itself where it has another form."""
    match = _SYMBOL.match(symbol)
    return match["root"] if match else symbol


def expiry_key(symbol: str, today: datetime) -> tuple[int, int]:
    """Sorts symbols by expiry. The year is one digit: it means the one nearest to `today`."""
    match = _SYMBOL.match(symbol)
    if match is None:
        return (9999, 0)
    years = 10 ** len(match["year"])
    year = today.year + (int(match["year"]) - today.year + years // 2) % years - years // 2
    return (year, _MONTHS.index(match["month"]))


def to_bar(contract_id: str, row: _wire.BarRow) -> Bar:
    return Bar(
        contract_id=contract_id,
        time=to_utc(row.t, "t"),
        open=finite(row.o, "o"),
        high=finite(row.h, "h"),
        low=finite(row.l, "l"),
        close=finite(row.c, "c"),
        volume=size_of(row.v, "v"),
    )


def to_order(row: _wire.OrderRow) -> Order:
    size = size_of(row.size, "size")
    filled = Decimal(0) if row.fillVolume is None else size_of(row.fillVolume, "fillVolume")
    return Order(
        id=str(row.id),
        account_id=str(row.accountId),
        contract_id=row.contractId,
        client_order_id=row.customTag,
        side=_side(row.side),
        type=TYPES.get(row.type, OrderType.UNKNOWN),
        status=_status(row.status, filled, size),
        size=size,
        filled_size=filled,
        limit_price=price_or_none(row.limitPrice, "limitPrice"),
        stop_price=price_or_none(row.stopPrice, "stopPrice"),
        trail_distance=_trail_distance(row),
        parent_order_id=None if row.parentOrderId is None else str(row.parentOrderId),
        linked_order_id=None if row.linkedOrderId is None else str(row.linkedOrderId),
        average_fill_price=price_or_none(row.filledPrice, "filledPrice"),
        created_at=utc_or_none(row.creationTimestamp),
        updated_at=utc_or_none(row.updateTimestamp),
        raw=row,
    )


def _status(code: int, filled: Decimal, size: Decimal) -> OrderStatus:
    """The gateway has no word for a partial fill: it is an open order with a filled volume."""
    status = STATUSES.get(code, OrderStatus.UNKNOWN)
    if status is OrderStatus.WORKING and 0 < filled < size:
        return OrderStatus.PARTIALLY_FILLED
    return status


def _trail_distance(row: _wire.OrderRow) -> Decimal | None:
    """Written as a level, read back as a distance.

    On the legs of brackets it is signed like their ticks, and stands on those that do not trail.
    """
    if TYPES.get(row.type) is not OrderType.TRAILING_STOP or row.trailPrice is None:
        return None
    return finite(row.trailPrice, "trailPrice").copy_abs()  # abs() would round


def accepted_order(request: OrderRequest, order_id: int) -> Order:
    """The order as the gateway's answer to `place` proves it: it is there, no fill is known."""
    return Order(
        id=str(order_id),
        account_id=request.account_id,
        contract_id=request.contract_id,
        client_order_id=request.client_order_id,
        side=request.side,
        type=request.type,
        status=OrderStatus.PENDING,
        size=request.size,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_distance=request.trail_distance,
    )


def trail_level(side: OrderSide, last: Decimal, distance: Decimal) -> Decimal:
    """The level that a trailing stop starts at: the gateway takes no distance."""
    return last + distance if side is OrderSide.BUY else last - distance


def to_legs(bracket: Bracket, side: OrderSide, tick_size: Decimal) -> dict[str, dict[str, int]]:
    """The exits in the gateway's words: ticks from the fill, signed by where the price must go.

    Gateway reference, section 4.4: a long's stop loss is below zero and its take profit above, a
    short's the other way round, trailing or not.
    """
    up = 1 if side is OrderSide.BUY else -1
    legs = {}
    if bracket.stop_loss is not None:
        type_ = OrderType.TRAILING_STOP if bracket.trailing else OrderType.STOP
        ticks = -up * int(bracket.stop_loss / tick_size)
        legs["stopLossBracket"] = {"ticks": ticks, "type": TYPE_CODES[type_]}
    if bracket.take_profit is not None:
        ticks = up * int(bracket.take_profit / tick_size)
        legs["takeProfitBracket"] = {"ticks": ticks, "type": TYPE_CODES[OrderType.LIMIT]}
    return legs


def to_position(row: _wire.PositionRow) -> Position:
    return Position(
        account_id=str(row.accountId),
        contract_id=row.contractId,
        size=_signed_size(row),
        average_price=price_or_none(row.averagePrice, "averagePrice"),
        opened_at=utc_or_none(row.creationTimestamp),
        raw=row,
    )


def _signed_size(row: _wire.PositionRow) -> Decimal:
    size = size_of(row.size, "size")  # its sign is in its type
    if row.type == _LONG:
        return size
    if row.type == _SHORT:
        return size.copy_negate()  # a minus would round
    if row.type == _FLAT and size == 0:
        return size
    raise DecodeError(f"{row.type} is not a position type", path="$.type")


def to_trade(row: _wire.TradeRow) -> Trade:
    return Trade(
        id=str(row.id),
        account_id=str(row.accountId),
        contract_id=row.contractId,
        order_id=str(row.orderId),
        side=_side(row.side),
        size=size_of(row.size, "size"),
        price=finite(row.price, "price"),
        realized_pnl=price_or_none(row.profitAndLoss, "profitAndLoss"),
        fees=price_or_none(row.fees, "fees"),
        commissions=price_or_none(row.commissions, "commissions"),
        time=utc_or_none(row.creationTimestamp),
        voided=row.voided,
        raw=row,
    )


def to_quote(
    contract_id: str, row: _wire.QuoteRow, previous: QuoteEvent | None, received: datetime
) -> QuoteEvent:
    """The whole quote after a sparse change: a member that did not come is as it was.

    The time is `lastUpdated`: the gateway's `timestamp` can stand still while quotes go on.
    """
    old = previous or _NO_QUOTE
    return new_quote(
        contract_id,
        old.bid if row.bestBid is None else number_of(row.bestBid, "bestBid"),
        old.ask if row.bestAsk is None else number_of(row.bestAsk, "bestAsk"),
        old.last if row.lastPrice is None else number_of(row.lastPrice, "lastPrice"),
        old.volume if row.volume is None else number_of(row.volume, "volume"),
        old.open if row.open is None else number_of(row.open, "open"),
        old.high if row.high is None else number_of(row.high, "high"),
        old.low if row.low is None else number_of(row.low, "low"),
        old.change if row.change is None else number_of(row.change, "change"),
        old.change_percent
        if row.changePercent is None
        else number_of(row.changePercent, "changePercent"),
        utc_or_none(row.lastUpdated or row.timestamp),
        received,
        row,
    )


_NO_QUOTE = QuoteEvent(
    "", None, None, None, None, None, None, None, None, None, None, datetime.min.replace(tzinfo=UTC)
)


def to_market_trade(
    contract_id: str, row: _wire.MarketTradeRow, received: datetime
) -> MarketTradeEvent:
    return new_market_trade(
        contract_id,
        number_of(row.price, "price"),
        _volume(row.volume),
        _side(row.type),
        utc_or_none(row.timestamp),
        received,
        row,
    )


def to_depth(
    contract_id: str, rows: Sequence[_wire.DepthRow | None], *, fresh: bool, received: datetime
) -> DepthEvent:
    """One message of depth rows; what stands before a reset in it is void.

    `fresh` says that it is the first one of a subscription, which the book begins with. Every level
    is checked here, and made when somebody looks at it.
    """
    time, levels_of = None, _levels_of
    unusual: list[_wire.DepthRow] = []
    for row in rows:
        if row is None:
            continue
        time, price, volume = row.timestamp or time, row.price, row.volume
        if row.type == _RESET:
            fresh, levels_of = True, _levels_after_reset
            unusual.clear()
        elif not (  # in line, because it runs for every level
            (type(price) is Decimal or (type(price) is int and -LARGE < price < LARGE))
            and (type(volume) is int and 0 <= volume < LARGE)
        ):
            unusual.append(row)
    for row in unusual:
        if row.type in _LEVELS:
            _level(row)
    return new_depth(contract_id, fresh, levels_of, utc_or_none(time), received, tuple(rows))


def _levels_after_reset(rows: Sequence[_wire.DepthRow | None]) -> Levels:
    resets = [at for at, row in enumerate(rows) if row is not None and row.type == _RESET]
    return _levels_of(rows[resets[-1] :])


def _levels_of(rows: Sequence[_wire.DepthRow | None]) -> Levels:
    """The bids and asks, and the best of each."""
    sides: tuple[list[DepthLevel], ...] = ([], [], [], [])
    for row in rows:
        if row is None:
            continue
        side = _LEVELS.get(row.type)
        if side is not None:
            sides[side].append(_level(row))
    bids, asks, best_bids, best_asks = sides
    return tuple(bids), tuple(asks), _last(best_bids), _last(best_asks)


def _last(levels: Sequence[DepthLevel]) -> DepthLevel | None:
    return levels[-1] if levels else None


def _level(row: _wire.DepthRow) -> DepthLevel:
    price, volume = row.price, row.volume
    if price is None or volume is None:
        raise DecodeError("a depth level without price or volume", path="$.price")
    if type(price) is int and -LARGE < price < LARGE:
        price = whole_of(price)
    elif type(price) is not Decimal:
        price = number_of(price, "price")
    # as the class itself does it, at half the cost
    return tuple.__new__(DepthLevel, (price, _volume(volume)))


def _volume(number: int | Decimal) -> Decimal:
    if type(number) is int and 0 <= number < LARGE:  # nearly always
        return whole_of(number)
    return size_of(Decimal(number), "volume")


def _side(code: int) -> OrderSide:
    side = SIDES.get(code)
    if side is None:
        raise DecodeError(f"{code} is not a side", path="$.side")
    return side
