"""Market data, which anybody can ask for."""

from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.answers import Payload, parameter_error
from tradeforge_bybit.sandbox.candles import INTERVALS, candles, row_of
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.literals import text
from tradeforge_bybit.sandbox.market_rows import book_row, ticker_row, trade_row
from tradeforge_bybit.sandbox.paging import page
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.venue import Venue

_FUNDED = 8 * 3_600_000


def time(venue: Venue, said: Said) -> Payload:
    now = venue.now
    return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}


def instruments(venue: Venue, said: Said) -> Payload:
    """Those that trade, unless another status is asked for; spot has no pages."""
    category, symbol = say.category(said), say.maybe_word(said, "symbol")
    base, status = say.maybe_word(said, "baseCoin"), say.maybe_word(said, "status") or "Trading"
    rows = [
        one.row()
        for one in venue.listings.values()
        if one.category == category and symbol in ("", one.symbol) and base in ("", one.base)
    ]
    rows = [row for row in rows if row["status"] == status]
    if symbol and not any(one.symbol == symbol for one in venue.listings.values()):
        raise parameter_error("symbol invalid")
    if category == "spot":
        return {"category": category, "list": rows}
    limit = say.whole(said, "limit", 500, 1000, 1)
    shown, following = page(rows, limit, say.maybe_word(said, "cursor"), lambda row: row["symbol"])
    return {"category": category, "list": list(shown), "nextPageCursor": following}


def kline(venue: Venue, said: Said) -> Payload:
    """The newest first; the first one may still be open."""
    listing = say.listing(venue, said, "linear")
    interval = say.word(said, "interval")
    if interval not in INTERVALS:
        raise parameter_error("interval invalid")
    limit = say.whole(said, "limit", 200, 1000, 1)
    start, end = say.moment(said, "start"), say.moment(said, "end")
    found = candles(venue, listing, interval, start=start, end=end, limit=limit)
    rows = [row_of(listing, one) for one in found[::-1]]
    return {"category": listing.category, "symbol": listing.symbol, "list": rows}


def orderbook(venue: Venue, said: Said) -> Payload:
    listing = say.listing(venue, said)
    limit = say.whole(said, "limit", 1 if listing.is_spot else 25, 1000, 1)
    return book_row(venue, listing, limit)


def tickers(venue: Venue, said: Said) -> Payload:
    category, symbol = say.category(said), say.maybe_word(said, "symbol")
    listed = [say.listing(venue, said)] if symbol else _listed(venue, category)
    return {"category": category, "list": [ticker_row(venue, one) for one in listed]}


def _listed(venue: Venue, category: str) -> list[Listing]:
    listed = (one for one in venue.listings.values() if one.category == category)
    return [one for one in listed if venue.exchange.instruments[one.instrument.id].active]


def recent_trade(venue: Venue, said: Said) -> Payload:
    """The newest first."""
    listing = say.listing(venue, said)
    most = 60 if listing.is_spot else 1000
    limit = say.whole(said, "limit", 60 if listing.is_spot else 500, most, 1)
    prints = list(venue.prints(listing))[::-1][:limit]
    return {"category": listing.category, "list": [trade_row(listing, one) for one in prints]}


def price_limit(venue: Venue, said: Said) -> Payload:
    listing = say.listing(venue, said, "linear")
    last = venue.exchange.quote(listing.instrument.id).last
    return {
        "symbol": listing.symbol,
        "buyLmt": text(_on_grid(listing, last * (1 + listing.band))),
        "sellLmt": text(_on_grid(listing, last * (1 - listing.band))),
        "ts": str(venue.now),
    }


def _on_grid(listing: Listing, price: Decimal) -> Decimal:
    return int(price / listing.instrument.tick_size) * listing.instrument.tick_size


def funding_history(venue: Venue, said: Said) -> Payload:
    """One rate every eight hours, the newest first."""
    listing = say.listing(venue, said)
    if listing.is_spot:
        raise parameter_error("Category is invalid")
    start, end = say.moment(said, "startTime"), say.moment(said, "endTime")
    if start is not None and end is None:
        raise parameter_error("endTime is required")
    limit = say.whole(said, "limit", 200, 200, 1)
    last = (venue.now if end is None else min(end, venue.now)) // _FUNDED * _FUNDED
    times = [last - _FUNDED * each for each in range(limit)]
    rows: list[dict[str, Any]] = [
        {"symbol": listing.symbol, "fundingRate": "0.0001", "fundingRateTimestamp": str(each)}
        for each in times
        if start is None or each >= start
    ]
    return {"category": listing.category, "list": rows}


ENDPOINTS = (
    Endpoint("GET", "/v5/market/time", time),
    Endpoint("GET", "/v5/market/instruments-info", instruments),
    Endpoint("GET", "/v5/market/kline", kline),
    Endpoint("GET", "/v5/market/orderbook", orderbook),
    Endpoint("GET", "/v5/market/tickers", tickers),
    Endpoint("GET", "/v5/market/recent-trade", recent_trade),
    Endpoint("GET", "/v5/market/price-limit", price_limit),
    Endpoint("GET", "/v5/market/funding/history", funding_history),
)
