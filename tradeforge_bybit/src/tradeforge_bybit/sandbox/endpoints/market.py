"""Market data, which anybody can ask for."""

from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.account_rows import RISK_LIMIT
from tradeforge_bybit.sandbox.answers import Payload, parameter_error
from tradeforge_bybit.sandbox.candles import INTERVALS, Candle, candles, row_of
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.literals import text
from tradeforge_bybit.sandbox.market_rows import OPEN_INTEREST, book_row, ticker_row, trade_row
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
    shown, following = page(
        rows, limit, say.maybe_word(said, "cursor"), lambda row: row["symbolId"]
    )
    return {"category": category, "list": list(shown), "nextPageCursor": following}


def kline(venue: Venue, said: Said) -> Payload:
    listing, found = _candles(venue, said)
    return _of_candles(listing, [row_of(listing, one) for one in found])


def mark_kline(venue: Venue, said: Said) -> Payload:
    """Of the mark and the index, which are where the last trade was."""
    listing, found = _candles(venue, said)
    _check_contract(listing)
    return _of_candles(listing, [row_of(listing, one)[:5] for one in found])


def premium_kline(venue: Venue, said: Said) -> Payload:
    """The mark is where the index is."""
    listing, found = _candles(venue, said)
    _check_contract(listing)
    return _of_candles(listing, [[str(one.start), "0", "0", "0", "0"] for one in found])


def _of_candles(listing: Listing, rows: list[list[str]]) -> Payload:
    return {"category": listing.category, "symbol": listing.symbol, "list": rows}


def _check_contract(listing: Listing) -> None:
    if listing.is_spot:
        raise parameter_error("Category is invalid")


def _candles(venue: Venue, said: Said) -> tuple[Listing, list[Candle]]:
    """The newest first; the first one may still be open."""
    listing = say.listing(venue, said, "linear")
    interval = say.word(said, "interval")
    if interval not in INTERVALS:
        raise parameter_error("interval invalid")
    limit = say.whole(said, "limit", 200, 1000, 1)
    start, end = say.moment(said, "start"), say.moment(said, "end")
    found = candles(venue, listing, interval, start=start, end=end, limit=limit)
    return listing, found[::-1]


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
    _check_contract(listing)
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


def open_interest(venue: Venue, said: Said) -> Payload:
    """The same at all times, the newest first."""
    listing = say.listing(venue, said)
    _check_contract(listing)
    times, cursor = _sampled(venue, said)
    shown = {"openInterest": OPEN_INTEREST, "singleOpenInterest": OPEN_INTEREST}
    return {
        "symbol": listing.symbol,
        "category": listing.category,
        "list": [{**shown, "timestamp": str(each)} for each in times],
        "nextPageCursor": cursor,
    }


def _sampled(venue: Venue, said: Said) -> tuple[list[int], str]:
    """The times of a page; the cursor of the next one is the last of them."""
    span = _OPEN_INTERESTS.get(say.word(said, "intervalTime"))
    if span is None:
        raise parameter_error("intervalTime invalid")
    start, end = say.moment(said, "startTime") or 0, say.moment(said, "endTime")
    most = venue.now + 1
    before = say.whole(said, "cursor", most if end is None else min(end + 1, most), most)
    last = (before - 1) // span * span
    steps = range(say.whole(said, "limit", 50, 200, 1))
    times = [each for each in (last - span * step for step in steps) if each >= start]
    has_more = bool(times) and times[-1] - span >= start
    return times, str(times[-1]) if has_more else ""


_MINUTES = 60_000
_OPEN_INTERESTS = {
    "5min": 5 * _MINUTES,
    "15min": 15 * _MINUTES,
    "30min": 30 * _MINUTES,
    "1h": 60 * _MINUTES,
    "4h": 240 * _MINUTES,
    "1d": 1440 * _MINUTES,
}


def risk_limit(venue: Venue, said: Said) -> Payload:
    """One tier for each contract."""
    category, symbol = say.category(said), say.maybe_word(said, "symbol")
    if category == "spot":
        raise parameter_error("Category is invalid")
    listed = [say.listing(venue, said)] if symbol else _listed(venue, category)
    rows = [{"symbol": one.symbol, **_TIER} for one in listed]
    return {"category": category, "list": rows, "nextPageCursor": ""}


_TIER = {
    "id": 1,
    "riskLimitValue": RISK_LIMIT,
    "maintenanceMargin": "0.005",
    "initialMargin": "0.01",
    "isLowestRisk": 1,
    "maxLeverage": "100.00",
    "mmDeduction": "",
}


ENDPOINTS = (
    Endpoint("GET", "/v5/market/time", time),
    Endpoint("GET", "/v5/market/instruments-info", instruments),
    Endpoint("GET", "/v5/market/kline", kline),
    Endpoint("GET", "/v5/market/mark-price-kline", mark_kline),
    Endpoint("GET", "/v5/market/index-price-kline", mark_kline),
    Endpoint("GET", "/v5/market/premium-index-price-kline", premium_kline),
    Endpoint("GET", "/v5/market/open-interest", open_interest),
    Endpoint("GET", "/v5/market/risk-limit", risk_limit),
    Endpoint("GET", "/v5/market/orderbook", orderbook),
    Endpoint("GET", "/v5/market/tickers", tickers),
    Endpoint("GET", "/v5/market/recent-trade", recent_trade),
    Endpoint("GET", "/v5/market/price-limit", price_limit),
    Endpoint("GET", "/v5/market/funding/history", funding_history),
)
