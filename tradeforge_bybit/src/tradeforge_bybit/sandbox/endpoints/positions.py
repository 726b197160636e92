"""Positions: what is held, with what leverage, in which mode, and with which exits."""

from decimal import Decimal

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.account_rows import Leg, listed_position
from tradeforge_bybit.sandbox.answers import Failure, Payload, parameter_error
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.order_rows import IDX
from tradeforge_bybit.sandbox.paging import page
from tradeforge_bybit.sandbox.placing import leg_of
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.venue import PositionKey, Venue
from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import ExchangePosition

_MODES = {0: False, 3: True}


def position_list(venue: Venue, said: Said) -> Payload:
    """Of a symbol every position, flat or not; otherwise those that are not flat."""
    category = _contracts(said)
    symbol, settle = say.maybe_word(said, "symbol"), say.maybe_word(said, "settleCoin")
    if category == "linear" and not (symbol or settle):
        raise parameter_error("symbol or settleCoin is required")
    if symbol:
        say.listing(venue, said)
    chosen = [
        (listing, leg, position)
        for listing, leg, position in positions(venue, category)
        if symbol in ("", listing.symbol)
        and settle in ("", listing.settle)
        and (symbol or position is not None)
    ]
    limit, cursor = say.whole(said, "limit", 20, 200, 1), say.maybe_word(said, "cursor")
    shown, following = page(chosen, limit, cursor, lambda one: 3 * one[0].symbol_id + IDX[one[1]])
    rows = [listed_position(venue, listing, leg, position) for listing, leg, position in shown]
    return {"nextPageCursor": following, "category": category, "list": rows}


def positions(venue: Venue, category: str) -> list[tuple[Listing, Leg, ExchangePosition | None]]:
    """Every position that there can be, None where it is flat."""
    held = {
        (one.instrument_id, one.hedge_side): one for one in venue.books.positions(venue.account.id)
    }
    return [
        (listing, leg, held.get((key, leg)))
        for key, listing in venue.listings.items()
        if listing.category == category
        for leg in legs(venue, listing)
    ]


def legs(venue: Venue, listing: Listing) -> tuple[Leg, ...]:
    is_hedged = listing.instrument.id in venue.hedged
    return (OrderSide.BUY, OrderSide.SELL) if is_hedged else (None,)


def _contracts(said: Said) -> str:
    category = say.category(said)
    if category == "spot":
        raise parameter_error("Category is invalid")
    return category


def set_leverage(venue: Venue, said: Said) -> Payload:
    _contracts(said)
    listing = say.listing(venue, said)
    buy, sell = say.amount(said, "buyLeverage"), say.amount(said, "sellLeverage")
    most = listing.instrument.max_leverage or 1
    if buy is None or buy != sell or not 1 <= buy <= most:
        raise parameter_error("buy leverage invalid")
    if venue.exchange.leverage(venue.account.id, listing.instrument.id) == buy:
        raise Failure(110043, "leverage not modified")
    venue.exchange.set_leverage(venue.account.id, listing.instrument.id, buy)
    return {}


def switch_mode(venue: Venue, said: Said) -> Payload:
    """Of a symbol, or of all that settle in a coin. Only contracts in USDT have two positions."""
    mode, symbol = say.whole(said, "mode", -1, 3), say.maybe_word(said, "symbol")
    if say.category(said) != "linear" or mode not in _MODES:
        raise parameter_error("mode invalid")
    chosen = [one for one in venue.listings.values() if one.category == "linear"]
    if symbol:
        chosen = [say.listing(venue, said)]
    changed = [one for one in chosen if (one.instrument.id in venue.hedged) != _MODES[mode]]
    if not changed:
        raise Failure(110025, "Position mode is not modified")
    for listing in changed:
        _check_free(venue, listing)
    ids = {one.instrument.id for one in changed}
    if _MODES[mode]:
        venue.hedged |= ids
    else:
        venue.hedged -= ids
    return {}


def trading_stop(venue: Venue, said: Said) -> Payload:
    """Set, change or take away the exits of a position; zero takes one away."""
    _contracts(said)
    listing = say.listing(venue, said)
    leg = leg_of(venue, listing, said)
    key = listing.instrument.id, leg
    if say.one_of(said, "tpslMode", ("Full", "Partial"), "Full") == "Partial":
        raise Failure(10001, "params error: the sandbox has exits of whole positions only")
    if not venue.held(key):
        raise Failure(10001, "can not set tp/sl/ts for zero position")
    before, changes = venue.exits.get(key, {}), _exits(said)
    changed = {kind: one for kind, one in changes.items() if before.get(kind, 0) != one}
    if not changed:
        raise Failure(34040, "not modified")
    _check_sides(venue, key, changed)
    for kind, price in changed.items():
        if price:
            venue.protect(key, {kind: price})
        else:
            venue.unprotect(key, kind)
    return {}


def _exits(said: Said) -> dict[str, Decimal]:
    found = {"TakeProfit": say.amount(said, "takeProfit"), "StopLoss": say.amount(said, "stopLoss")}
    return {kind: price for kind, price in found.items() if price is not None}


def _check_sides(venue: Venue, key: PositionKey, prices: dict[str, Decimal]) -> None:
    last = venue.exchange.quote(key[0]).last
    is_long = venue.held(key) > 0
    for kind, price in prices.items():
        is_above = is_long == (kind == "TakeProfit")
        if price % venue.listings[key[0]].instrument.tick_size:
            raise parameter_error(f"{kind} invalid")
        if price and (price > last) != is_above:
            raise parameter_error(f"{kind} is on the wrong side of base_price")


def _check_free(venue: Venue, listing: Listing) -> None:
    account, instrument = venue.account.id, listing.instrument.id
    if any(one.instrument_id == instrument for one in venue.exchange.positions(account)):
        raise Failure(110024, "You have an existing position, so position mode cannot be switched")
    orders = venue.exchange.orders(account)
    if any(one.instrument_id == instrument and not one.status.is_final for one in orders):
        raise Failure(110028, "You have existing open orders, so position mode cannot be switched")


ENDPOINTS = (
    Endpoint("GET", "/v5/position/list", position_list, 50),
    Endpoint("POST", "/v5/position/set-leverage", set_leverage, 10),
    Endpoint("POST", "/v5/position/switch-mode", switch_mode, 10),
    Endpoint("POST", "/v5/position/trading-stop", trading_stop, 10),
)
