"""A fill as this venue shows it, over REST and on its sockets."""

from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox.literals import SIDES, milliseconds, text
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_testing.exchange import ExchangeOrder, Fill

Row = dict[str, Any]

_SPOT_FORGETS = ("createType",)


def fill_row(venue: Venue, fill: Fill, order: ExchangeOrder) -> Row:
    """As `execution/list` has it; `order` as it is now, which may have more fills than this."""
    listing, slip = venue.listing_of(fill), venue.slip(order)
    instrument = listing.instrument
    rate = instrument.maker_rate if fill.maker else instrument.taker_rate
    price = order.limit_price or slip.price or fill.price
    row = {
        "symbol": listing.symbol,
        "orderId": venue.id_text(fill),
        "orderLinkId": slip.link_id,
        "side": SIDES[fill.side],
        "orderPrice": text(price),
        "orderQty": text(instrument.to_size(order.size)),
        "leavesQty": text(instrument.to_size(max(0, order.size - venue.filled_by(fill)))),
        "createType": slip.create_type,
        "orderType": slip.order_type,
        "stopOrderType": slip.stop_order_type or ("" if listing.is_spot else "UNKNOWN"),
        "execFee": text(fill.fees),
        "execFeeV2": text(fill.fees) if listing.is_spot else "",
        "execId": venue.fill_id_text(fill),
        "execPrice": text(fill.price),
        "execQty": text(instrument.to_size(fill.size)),
        "execType": "Trade",
        "execValue": text(_rounded(instrument.value(fill.size, fill.price))),
        "execTime": str(milliseconds(fill.time)),
        "feeCurrency": venue.coin(listing, fill.fee_coin),
        "isMaker": fill.maker,
        "feeRate": text(rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": "" if listing.is_spot else text(fill.price),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "" if listing.is_spot else _closed(venue, fill),
        "seq": fill.id,
        "extraFees": "",
        "marketUnit": slip.market_unit,
    }
    forgotten = _SPOT_FORGETS if listing.is_spot else ()
    return {key: value for key, value in row.items() if key not in forgotten}


def pushed_row(venue: Venue, fill: Fill, order: ExchangeOrder) -> Row:
    """As the topic `execution` has it."""
    row = fill_row(venue, fill, order)
    del row["execFeeV2"]
    return {
        "createType": "",
        **row,
        "category": venue.listing_of(fill).category,
        "isLeverage": venue.slip(order).is_leverage or "0",
        "execPnl": text(fill.realized_pnl or Decimal(0)),
        "extraFees": [],
    }


def fast_row(venue: Venue, fill: Fill, order: ExchangeOrder) -> Row:
    """As the topic `execution.fast` has it: a maker is not told the name of his order."""
    row = pushed_row(venue, fill, order)
    fast = {key: row[key] for key in _FAST}
    return {**fast, "orderLinkId": "" if fill.maker else row["orderLinkId"]}


_FAST = (
    "category",
    "symbol",
    "orderId",
    "isMaker",
    "orderLinkId",
    "execId",
    "execPrice",
    "execQty",
    "side",
    "execTime",
    "seq",
)


def _closed(venue: Venue, fill: Fill) -> str:
    """A fill can close a position and open the opposite one: only the former counts."""
    return text(venue.listing_of(fill).instrument.to_size(venue.closings.of(fill).lots))


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.00000001"))
