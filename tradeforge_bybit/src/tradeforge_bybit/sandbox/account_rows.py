"""Positions and the wallet as this venue shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.literals import SIDES, milliseconds, text
from tradeforge_bybit.sandbox.order_rows import IDX
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import ExchangePosition, Kind

Row = dict[str, Any]
Leg = OrderSide | None

RISK_LIMIT = "2000000"
_ZERO = Decimal(0)
_DIGITS = Decimal("0.00000001")


def listed_position(
    venue: Venue, listing: Listing, leg: Leg, position: ExchangePosition | None
) -> Row:
    """As `position/list` has it, which says next to nothing of what was never traded."""
    row = _position_row(venue, listing, leg, position)
    is_new = venue.closings.holding(listing.instrument.id, leg).first_time is None
    return row | dict.fromkeys(_OF_TRADED, "") if is_new else row


_OF_TRADED = (
    "avgPrice",
    "positionStatus",
    "markPrice",
    "trailingStop",
    "curRealisedPnl",
    "cumRealisedPnl",
    "tpslMode",
    "positionBalance",
)


def _position_row(
    venue: Venue, listing: Listing, leg: Leg, position: ExchangePosition | None
) -> Row:
    """None is a position that is flat."""
    size = 0 if position is None else position.size
    average = position.average_price if position is not None and size else _ZERO
    instrument = listing.instrument
    mark = venue.exchange.quote(instrument.id).last
    value = instrument.value(abs(size), average) if size else _ZERO
    margin = venue.exchange.margin(position) if position is not None and size else _ZERO
    holding = venue.closings.holding(instrument.id, leg)
    exits = venue.exits.get((instrument.id, leg), {})
    return {
        "positionIdx": IDX[leg],
        "riskId": 1,
        "riskLimitValue": RISK_LIMIT,
        "symbol": listing.symbol,
        "side": SIDES[OrderSide.BUY if size > 0 else OrderSide.SELL] if size else "",
        "size": text(instrument.to_size(abs(size))),
        "avgPrice": text(average),
        "positionValue": text(_rounded(value)) if size else "",
        "autoAddMargin": 0,
        "positionStatus": "Normal",
        "leverage": text(venue.exchange.leverage(venue.account.id, instrument.id)),
        "breakEvenPrice": "",
        "markPrice": text(mark),
        "liqPrice": "",
        "positionIM": text(margin) if size else "",
        "positionIMByMp": text(margin) if size else "",
        "positionMM": text(_rounded(margin / 20)) if size else "",
        "positionMMByMp": text(_rounded(margin / 20)) if size else "",
        "takeProfit": text(exits["TakeProfit"]) if "TakeProfit" in exits else "",
        "stopLoss": text(exits["StopLoss"]) if "StopLoss" in exits else "",
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "delta": "",
        "gamma": "",
        "vega": "",
        "theta": "",
        "unrealisedPnl": text(_rounded(unrealized(listing, position, mark))) if size else "",
        "curRealisedPnl": text(_rounded(holding.gained_since_open)),
        "cumRealisedPnl": text(_rounded(holding.gained)),
        "adlRankIndicator": 2 if size else 0,
        "createdTime": _time(holding.first_time),
        "updatedTime": _time(holding.last_time),
        "openTime": milliseconds(position.opened_at) if position is not None and size else 0,
        "seq": -1 if holding.first_time is None else venue.serial(),
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "tpslMode": "Full",
        "bustPrice": "",
        "positionBalance": text(margin),
        "tradeMode": 0,
    }


def pushed_position(
    venue: Venue, listing: Listing, leg: Leg, position: ExchangePosition | None
) -> Row:
    """As the topic `position` has it, where the entry price has another name."""
    row = _position_row(venue, listing, leg, position)
    return {"entryPrice": row.pop("avgPrice"), **row, "category": listing.category}


def unrealized(listing: Listing, position: ExchangePosition | None, mark: Decimal) -> Decimal:
    if position is None or not position.size:
        return _ZERO
    instrument, average = listing.instrument, position.average_price
    size = instrument.to_size(position.size)
    if instrument.kind is Kind.INVERSE:
        return size / average - size / mark
    return size * (mark - average)


def _time(time: datetime | None) -> str:
    return "" if time is None else str(milliseconds(time))


# --- the wallet ---


def wallet_row(venue: Venue, wanted: frozenset[str] = frozenset()) -> Row:
    """As `wallet-balance` and the topic `wallet` have it; money in dollars, coin by coin."""
    coins = [_coin_row(venue, coin) for coin in _coins(venue, wanted)]
    every = [_coin_row(venue, coin) for coin in _coins(venue, frozenset())]
    balance = _in_dollars(venue, every, "walletBalance")
    unreal = _in_dollars(venue, every, "unrealisedPnl")
    initial = _in_dollars(venue, every, "totalPositionIM", "totalOrderIM")
    kept = _in_dollars(venue, every, "totalPositionMM")
    locked = _in_dollars(venue, every, "locked")
    margin = balance + unreal
    return {
        "accountType": "UNIFIED",
        "accountIMRate": _rate(initial, margin),
        "accountIMRateByMp": _rate(initial, margin),
        "accountMMRate": _rate(kept, margin),
        "accountMMRateByMp": _rate(kept, margin),
        "accountLTV": "0",
        "totalEquity": text(margin),
        "totalWalletBalance": text(balance),
        "totalMarginBalance": text(margin),
        "totalAvailableBalance": text(margin - initial - locked),
        "totalPerpUPL": text(unreal),
        "totalInitialMargin": text(initial),
        "totalInitialMarginByMp": text(initial),
        "totalMaintenanceMargin": text(kept),
        "totalMaintenanceMarginByMp": text(kept),
        "coin": coins,
    }


def _coins(venue: Venue, wanted: frozenset[str]) -> list[str]:
    held = {"USDT": venue.account.balance, **venue.account.coins}
    return sorted(wanted) or [coin for coin, amount in held.items() if amount]


def _coin_row(venue: Venue, coin: str) -> Row:
    key = "" if coin == "USDT" else coin
    exchange, account = venue.exchange, venue.account
    balance = account.has(key)
    spot, orders = _bound(venue, key)
    positions = exchange.bound_by_positions(account.id).get(key, _ZERO)
    unreal = _unrealized_of(venue, key)
    return {
        "coin": coin,
        "equity": text(balance + unreal),
        "usdValue": text(_rounded((balance + unreal) * price_of(venue, coin))),
        "walletBalance": text(balance),
        "locked": text(spot),
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": text(orders),
        "totalPositionIM": text(positions),
        "totalPositionMM": text(_rounded(positions / 20)),
        "unrealisedPnl": text(unreal),
        "cumRealisedPnl": text(_realized_of(venue, key)),
        "bonus": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
        "colRes": "0",
        "spotBorrow": "0",
        "free": "",
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def _bound(venue: Venue, key: str) -> tuple[Decimal, Decimal]:
    """What spot orders lock of the coin, and what those for contracts bind as margin."""
    exchange, account = venue.exchange, venue.account
    spot = exchange.bound_by_orders(account.id, Kind.SPOT).get(key, _ZERO)
    return spot, exchange.bound_by_orders(account.id).get(key, _ZERO) - spot


def _unrealized_of(venue: Venue, key: str) -> Decimal:
    total = _ZERO
    for position in venue.exchange.positions(venue.account.id):
        listing = venue.listings[position.instrument_id]
        if listing.instrument.money == key:
            mark = venue.exchange.quote(listing.instrument.id).last
            total += _rounded(unrealized(listing, position, mark))
    return total


def _realized_of(venue: Venue, key: str) -> Decimal:
    listed = [one for one in venue.listings.values() if one.instrument.money == key]
    return sum((venue.closings.gained(one.instrument.id) for one in listed), _ZERO)


def price_of(venue: Venue, coin: str) -> Decimal:
    """In dollars."""
    listing = venue.listing("linear", f"{coin}USDT")
    return Decimal(1) if listing is None else venue.exchange.quote(listing.instrument.id).last


def _in_dollars(venue: Venue, coins: list[Row], *members: str) -> Decimal:
    total = _ZERO
    for row in coins:
        amount = sum((Decimal(row[member]) for member in members), _ZERO)
        total += amount * price_of(venue, row["coin"])
    return _rounded(total)


def _rate(part: Decimal, whole: Decimal) -> str:
    return text((part / whole).quantize(Decimal("0.0001"))) if whole else "0"


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_DIGITS)
