"""From the venue's words to those of a trader, and back: pure functions, that give or raise.

A word that this version does not know becomes `UNKNOWN`; the row is kept as `raw`.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from tradeforge_bybit import _checks, _wire
from tradeforge_bybit._names import Place
from tradeforge_bybit.fees import FeeRates
from tradeforge_core import (
    Account,
    AssetClass,
    Balance,
    Bar,
    BarUnit,
    Contract,
    DecodeError,
    DepthEvent,
    DepthLevel,
    OrderSide,
    Position,
    Ticker,
    TimeInForce,
    Trade,
)

SIDES = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}
SIDE_WORDS = {side: word for word, side in SIDES.items()}
TIME_WORDS = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
INTERVALS = {
    **{(BarUnit.MINUTE, one): str(one) for one in (1, 3, 5, 15, 30)},
    **{(BarUnit.HOUR, one): str(60 * one) for one in (1, 2, 4, 6, 12)},
    (BarUnit.DAY, 1): "D",
    (BarUnit.WEEK, 1): "W",
    (BarUnit.MONTH, 1): "M",
}
"""The spans of a bar that the venue has, by its own word."""
DEALS = frozenset(
    "Trade AdlTrade BustTrade BlockTrade Delivery Settle MovePosition FutureSpread".split()
)
"""The kinds of executions that change what is held; funding only costs."""

_CLASSES = {
    "LinearPerpetual": AssetClass.PERPETUAL,
    "InversePerpetual": AssetClass.PERPETUAL,
    "LinearFutures": AssetClass.FUTURE,
    "InverseFutures": AssetClass.FUTURE,
}


def side_of(word: str, member: str = "side") -> OrderSide:
    try:
        return SIDES[word]
    except KeyError:
        raise DecodeError(f"{word!r} is no side", path=f"$.{member}") from None


# --- contracts ---


def to_contract(row: _wire.InstrumentRow, category: str) -> Contract:
    tick = _checks.positive(row.priceFilter.tickSize, "priceFilter.tickSize")
    lot, step = row.lotSizeFilter, size_step(row, category)
    asset = AssetClass.SPOT if category == "spot" else _CLASSES.get(row.contractType)
    return Contract(
        id=Place(category, row.symbol).contract_id,
        symbol=row.symbol,
        root=row.baseCoin if asset is AssetClass.FUTURE else f"{row.baseCoin}{row.quoteCoin}",
        description=_description(row, asset),
        tick_size=tick,
        # an inverse contract counts in quote and settles in base: its tick varies with the price
        tick_value=None if category == "inverse" else tick,
        size_step=step,
        active=row.status == "Trading",
        asset_class=asset or AssetClass.UNKNOWN,
        base=row.baseCoin,
        quote=row.quoteCoin,
        settle=row.settleCoin or row.quoteCoin,
        min_size=_min_size(lot, category),
        max_size=_checks.positive_or_none(_max_size(lot, category), "lotSizeFilter.max"),
        min_notional=_checks.positive_or_none(
            lot.minOrderAmt if category == "spot" else _notional(lot, category),
            "lotSizeFilter.minNotional",
        ),
        quote_step=_checks.positive_or_none(lot.quotePrecision, "lotSizeFilter.quotePrecision"),
        raw=row,
    )


def size_step(row: _wire.InstrumentRow, category: str) -> Decimal:
    """Spot has no `qtyStep`: what is bought comes in steps of the base coin."""
    lot = row.lotSizeFilter
    if category == "spot":
        return _checks.positive(lot.basePrecision, "lotSizeFilter.basePrecision")
    return _checks.positive(lot.qtyStep, "lotSizeFilter.qtyStep")


def _min_size(lot: _wire.LotSizeFilter, category: str) -> Decimal | None:
    """Of spot the least amount counts, and the least size is not enforced any more."""
    if category == "spot":
        return None
    return _checks.positive_or_none(lot.minOrderQty, "lotSizeFilter.minOrderQty")


def _max_size(lot: _wire.LotSizeFilter, category: str) -> str | None:
    """Of a limit order; of a market order it is less, and the venue tells."""
    return lot.maxLimitOrderQty if category == "spot" else lot.maxOrderQty


def largest_at_market(row: _wire.InstrumentRow) -> Decimal | None:
    """Of a derivative; spot has no positions to close."""
    member = "lotSizeFilter.maxMktOrderQty"
    return _checks.positive_or_none(row.lotSizeFilter.maxMktOrderQty, member)


def _notional(lot: _wire.LotSizeFilter, category: str) -> str | None:
    """In quote: the size of an inverse contract is that already."""
    return None if category == "inverse" else lot.minNotionalValue


def _description(row: _wire.InstrumentRow, asset: AssetClass | None) -> str:
    kind = f" {asset}" if asset in (AssetClass.PERPETUAL, AssetClass.FUTURE) else ""
    settled = f", settled in {row.settleCoin}" if row.settleCoin else ""
    return f"{row.baseCoin}/{row.quoteCoin}{kind}{settled}"


# --- bars ---


def to_bar(contract_id: str, row: _wire.KlineRow) -> Bar:
    """The volume is in base, of inverse contracts in quote: as sizes are."""
    try:
        start, open_, high, low, close, volume = row[:6]
    except ValueError:
        raise DecodeError(f"a kline has {len(row)} members", path="$.list[]") from None
    return Bar(
        contract_id=contract_id,
        time=_checks.time(start, "start"),
        open=_checks.number(open_, "open"),
        high=_checks.number(high, "high"),
        low=_checks.number(low, "low"),
        close=_checks.number(close, "close"),
        volume=_checks.size(volume, "volume"),
    )


# --- prices ---


def to_ticker(contract_id: str, row: _wire.TickerRow) -> Ticker:
    """The figures as they are in the row: of a change it is the row that the change is in."""
    price = _checks.price_or_none
    return Ticker(
        contract_id=contract_id,
        last=price(row.lastPrice, "lastPrice"),
        mark=price(row.markPrice, "markPrice"),
        index=price(row.indexPrice, "indexPrice"),
        bid=price(row.bid1Price, "bid1Price"),
        bid_size=_checks.number_or_none(row.bid1Size, "bid1Size"),
        ask=price(row.ask1Price, "ask1Price"),
        ask_size=_checks.number_or_none(row.ask1Size, "ask1Size"),
        open_24h=price(row.prevPrice24h, "prevPrice24h"),
        high_24h=price(row.highPrice24h, "highPrice24h"),
        low_24h=price(row.lowPrice24h, "lowPrice24h"),
        change_24h=_checks.number_or_none(row.price24hPcnt, "price24hPcnt"),
        volume_24h=_checks.number_or_none(row.volume24h, "volume24h"),
        turnover_24h=_checks.number_or_none(row.turnover24h, "turnover24h"),
        funding_rate=_checks.number_or_none(row.fundingRate, "fundingRate"),
        next_funding=_checks.time_or_none(row.nextFundingTime, "nextFundingTime"),
        open_interest=_checks.number_or_none(row.openInterest, "openInterest"),
        raw=row,
    )


# --- the book ---


def to_depth(contract_id: str, row: _wire.BookResult, received: datetime) -> DepthEvent:
    """The whole of it, as REST tells it."""
    bids, asks = (tuple(map(_to_level, levels)) for levels in (row.b, row.a))
    return DepthEvent(
        contract_id=contract_id,
        reset=True,
        bids=bids,
        asks=asks,
        best_bid=next(iter(bids), None),
        best_ask=next(iter(asks), None),
        time=_checks.time(row.cts or row.ts, "ts"),
        received=received,
        raw=row,
        sequence=row.u,
    )


def _to_level(level: _wire.Level) -> DepthLevel:
    if len(level) != 2:
        raise DecodeError(f"a level has {len(level)} members", path="$.result.b[]")
    price, size = level
    return DepthLevel(price=_checks.number(price, "price"), size=_checks.size(size, "size"))


# --- the account ---


def to_account(
    row: _wire.WalletRow, account_id: str, *, simulated: bool, may_trade: bool
) -> Account:
    return Account(
        id=account_id,
        name=row.accountType or "UNIFIED",
        balance=_checks.number(row.totalWalletBalance, "totalWalletBalance"),
        can_trade=may_trade,
        simulated=simulated,
        currency="USD",
        balances=tuple(map(_to_balance, row.coin)),
        raw=row,
    )


def _to_balance(row: _wire.CoinRow) -> Balance:
    total = _checks.number_or_none(row.walletBalance, "walletBalance") or Decimal(0)
    return Balance(currency=row.coin, total=total, available=_available(row, total))


def _available(row: _wire.CoinRow, total: Decimal) -> Decimal | None:
    """What is left of a coin, which the venue has ceased to say, where all it takes is told."""
    taken = [
        _checks.number_or_none(text, member)
        for text, member in (
            (row.locked, "locked"),
            (row.totalPositionIM, "totalPositionIM"),
            (row.totalOrderIM, "totalOrderIM"),
            (row.bonus, "bonus"),
        )
    ]
    if any(one is None for one in taken):
        return None
    return total - sum((one for one in taken if one is not None), Decimal(0))


def to_fees(row: _wire.FeeRow) -> FeeRates:
    return FeeRates(
        maker=_checks.number(row.makerFeeRate, "makerFeeRate"),
        taker=_checks.number(row.takerFeeRate, "takerFeeRate"),
    )


def to_position(row: _wire.PositionRow, category: str, account_id: str) -> Position:
    """A flat one has no side; of two at once each says which one it is, flat or not.

    When it was opened is not told: `createdTime` is when the symbol was first traded.
    """
    return Position(
        account_id=account_id,
        contract_id=Place(category, row.symbol).contract_id,
        size=_signed_size(row),
        average_price=_checks.price_or_none(row.avgPrice or row.entryPrice, "avgPrice"),
        hedge_side=_hedge_side(row.positionIdx),
        raw=row,
    )


def _signed_size(row: _wire.PositionRow) -> Decimal:
    size = _checks.size(row.size, "size")
    if not size:
        return size
    return size if side_of(row.side or "") is OrderSide.BUY else size.copy_negate()


def _hedge_side(index: int) -> OrderSide | None:
    try:
        return {0: None, 1: OrderSide.BUY, 2: OrderSide.SELL}[index]
    except KeyError:
        raise DecodeError(f"{index} is no positionIdx", path="$.positionIdx") from None


# --- fills ---


def to_trade(
    row: _wire.ExecutionRow,
    category: str,
    account_id: str,
    entry_price: Decimal | None = None,
) -> Trade:
    """The `entry_price` is that of the position which it has closed, where that is known."""
    side, size = side_of(row.side), _checks.size(row.execQty, "execQty")
    price = _checks.number(row.execPrice, "execPrice")
    return Trade(
        id=row.execId,
        account_id=account_id,
        contract_id=Place(category, row.symbol).contract_id,
        order_id=row.orderId,
        side=side,
        size=size,
        price=price,
        realized_pnl=_result(row, category, entry_price),
        fees=_checks.number_or_none(row.execFee, "execFee"),
        commissions=_extra_fees(row),
        fee_currency=row.feeCurrency or None,
        time=_checks.time_or_none(row.execTime, "execTime"),
        raw=row,
    )


def _extra_fees(row: _wire.ExecutionRow) -> Decimal | None:
    """Taxes in the currency of the fee; the venue names no others."""
    if not isinstance(row.extraFees, list):
        return None
    ours = [one.fee for one in row.extraFees if one.feeCoin == row.feeCurrency]
    return sum((_checks.number(fee, "extraFees") for fee in ours), Decimal(0)) if ours else None


def entry_prices(rows: Iterable[_wire.ClosedRow]) -> dict[str, Decimal]:
    """By order: what the position that it has closed was entered at."""
    return {row.orderId: _checks.number(row.avgEntryPrice, "avgEntryPrice") for row in rows}


def result_of(row: _wire.ClosedRow) -> Decimal:
    return _checks.number(row.closedPnl, "closedPnl")


def _result(row: _wire.ExecutionRow, category: str, entry: Decimal | None) -> Decimal | None:
    """Before fees, in what the contract settles in."""
    told = _checks.number_or_none(row.execPnl, "execPnl")
    closed = _checks.size(row.closedSize, "closedSize")
    if told is not None or entry is None or not closed or category != "linear":
        return told if closed else None
    price = _checks.number(row.execPrice, "execPrice")
    gained = price - entry if side_of(row.side) is OrderSide.SELL else entry - price
    return gained * closed
