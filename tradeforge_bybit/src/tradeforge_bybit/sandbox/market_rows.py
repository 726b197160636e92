"""The book, the tickers and the prints as this venue shows them."""

from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.literals import SIDES, milliseconds, text
from tradeforge_bybit.sandbox.venue import Print, Venue
from tradeforge_testing.exchange import Level

Row = dict[str, Any]

OPEN_INTEREST = "225766.793"
_FUNDED = 8 * 3_600_000


def book_row(venue: Venue, listing: Listing, limit: int) -> Row:
    """As `orderbook` has it; the numbers of the book are those of its stream."""
    venue.settle_books()
    bids, asks = venue.exchange.depth(listing.instrument.id)
    now, numbers = venue.now, venue.book_numbers(listing)
    return {
        "s": listing.symbol,
        "b": levels(listing, bids[:limit]),
        "a": levels(listing, asks[:limit]),
        "ts": now,
        "u": numbers.update,
        "seq": numbers.sequence,
        "cts": now,
    }


def levels(listing: Listing, rows: list[Level]) -> list[list[str]]:
    instrument = listing.instrument
    return [[text(one.price), text(instrument.to_size(one.size))] for one in rows]


def ticker_row(venue: Venue, listing: Listing) -> Row:
    common = _common(venue, listing)
    if listing.is_spot:
        return {**common, "usdIndexPrice": common["lastPrice"]}
    last = common["lastPrice"]
    return {
        **common,
        "indexPrice": last,
        "markPrice": last,
        "prevPrice1h": common["prevPrice24h"],
        "openInterest": OPEN_INTEREST,
        "openInterestValue": "11614437205.81",
        "singleOpenInterest": OPEN_INTEREST,
        "singleOpenInterestValue": "11614437205.81",
        "fundingRate": "0.0001",
        "nextFundingTime": str((venue.now // _FUNDED + 1) * _FUNDED),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basis": "",
        "basisRateYear": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": "8",
        "fundingCap": "0.00375",
    }


def _common(venue: Venue, listing: Listing) -> Row:
    quote = venue.exchange.quote(listing.instrument.id)
    bids, asks = venue.exchange.depth(listing.instrument.id)
    size, value = listing.instrument.to_size, listing.instrument.value
    change = ((quote.last - quote.open) / quote.open).quantize(Decimal("0.000001"))
    return {
        "symbol": listing.symbol,
        "lastPrice": text(quote.last),
        "bid1Price": text(quote.bid),
        "bid1Size": text(size(bids[0].size)) if bids else "0",
        "ask1Price": text(quote.ask),
        "ask1Size": text(size(asks[0].size)) if asks else "0",
        "prevPrice24h": text(quote.open),
        "price24hPcnt": text(change),
        "highPrice24h": text(quote.high),
        "lowPrice24h": text(quote.low),
        "turnover24h": text(value(quote.volume, quote.last).quantize(Decimal("0.0001"))),
        "volume24h": text(size(quote.volume)),
    }


def trade_row(listing: Listing, one: Print) -> Row:
    """As `recent-trade` has it."""
    return {
        "execId": one.id,
        "symbol": listing.symbol,
        "price": text(one.trade.price),
        "size": text(listing.instrument.to_size(one.trade.size)),
        "side": SIDES[one.trade.aggressor],
        "time": str(milliseconds(one.trade.time)),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(one.sequence),
    }


def pushed_trade(listing: Listing, one: Print) -> Row:
    """As the topic `publicTrade` has it; only contracts say where the price went."""
    direction = {} if listing.is_spot else {"L": one.direction}
    return {
        "T": milliseconds(one.trade.time),
        "s": listing.symbol,
        "S": SIDES[one.trade.aggressor],
        "v": text(listing.instrument.to_size(one.trade.size)),
        "p": text(one.trade.price),
        **direction,
        "i": one.id,
        "BT": False,
        "RPI": False,
        "seq": one.sequence,
    }
