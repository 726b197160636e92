"""An order as this venue shows it, over REST and on its sockets."""

from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox.literals import SIDES, milliseconds, text
from tradeforge_bybit.sandbox.slips import CONDITIONAL, TPSL, Slip
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.enums import OrderSide, OrderStatus, TimeInForce
from tradeforge_testing.exchange import ExchangeOrder, Reject
from tradeforge_testing.exchange.order_types import STOPS

Row = dict[str, Any]

_STATUSES = {
    OrderStatus.PENDING: "New",
    OrderStatus.WORKING: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.EXPIRED: "Cancelled",
    OrderStatus.REJECTED: "Rejected",
}
OPEN = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})
UNFILLED = frozenset({"Cancelled", "Rejected", "Deactivated"})
_SPOT_PRICES = ("triggerPrice", "takeProfit", "stopLoss")
_SPOT_FORGETS = ("createType", "tpslMode", "positionIdx")
IDX = {None: 0, OrderSide.BUY: 1, OrderSide.SELL: 2}


def is_waiting(order: ExchangeOrder) -> bool:
    """Whether it waits for its trigger."""
    return order.type in STOPS and order.rising is not None and not order.triggered


def is_of_filter(venue: Venue, order: ExchangeOrder, kind: str) -> bool:
    """Whether an `orderFilter` means it; contracts have one for all that has a trigger."""
    if kind == "Order":
        return order.rising is None
    if kind not in (CONDITIONAL, TPSL):
        return True
    is_tpsl = venue.slip(order).stop_order_type == TPSL
    is_own = not venue.listing_of(order).is_spot or is_tpsl == (kind == TPSL)
    return order.rising is not None and is_own


def money_left(venue: Venue, order: ExchangeOrder) -> Decimal:
    """What an order that counts money has not spent of it; zero for one that counts coins."""
    money = venue.slip(order).qty
    return Decimal(0) if money is None else max(money - venue.tally(order.id).value, Decimal(0))


def status(venue: Venue, order: ExchangeOrder) -> str:
    is_spot = venue.listing_of(order).is_spot
    if order.status is OrderStatus.FILLED:
        return "PartiallyFilledCanceled" if money_left(venue, order) else "Filled"
    if order.status is OrderStatus.CANCELLED:
        if is_waiting(order):
            return "Deactivated"
        if is_spot and order.filled_size:
            return "PartiallyFilledCanceled"
    if is_waiting(order) and not order.status.is_final:
        return "Untriggered"
    return _STATUSES[order.status]


def reject_reason(venue: Venue, order: ExchangeOrder) -> str:
    if order.status is OrderStatus.REJECTED:
        return "EC_Others"
    if order.status is OrderStatus.FILLED and money_left(venue, order):
        return "EC_CancelForNoFullFill"
    if order.status is not OrderStatus.CANCELLED:
        return "EC_NoError"
    if order.reject is Reject.POST_ONLY_CROSSES:
        return "EC_PostOnlyWillTakeLiquidity"
    if order.reject is Reject.NOT_FILLED_AT_ONCE:
        return _unfilled_reason(order)
    return "EC_PerCancelRequest"


def _unfilled_reason(order: ExchangeOrder) -> str:
    if order.time_in_force is TimeInForce.FOK:
        return "EC_NoEnoughQtyToFill"
    return "EC_CancelForNoFullFill" if order.filled_size else "EC_NoImmediateQtyToFill"


def cancel_type(venue: Venue, order: ExchangeOrder) -> str:
    if order.status is not OrderStatus.CANCELLED:
        return "UNKNOWN"
    if order.reject is Reject.REDUCE_ONLY:
        return "CancelByReduceOnly"
    return venue.slip(order).cancel_type if order.reject is None else "UNKNOWN"


def order_row(venue: Venue, order: ExchangeOrder) -> Row:
    """As `order/realtime` and `order/history` have it."""
    listing, slip = venue.listing_of(order), venue.slip(order)
    row = {
        **_what(venue, order, slip),
        **_how_far(venue, order, slip),
        **_conditions(venue, order, slip),
        **_rest(venue, order, slip),
    }
    return _spot_row(row) if listing.is_spot else row


def _spot_row(row: Row) -> Row:
    """Spot writes a zero for a price that there is not, and has words of its own."""
    kept = {key: value for key, value in row.items() if key not in _SPOT_FORGETS}
    zeros = {name: "0.00" for name in _SPOT_PRICES if not row[name]}
    based = {"basePrice": row["lastPriceOnCreated"], "lastPriceOnCreated": ""}
    return {**kept, **zeros, **based, "positionIdx": 0, "ocoTriggerBy": "OcoTriggerByUnknown"}


def pushed_row(venue: Venue, order: ExchangeOrder) -> Row:
    """As the topic `order` has it."""
    row = order_row(venue, order)
    row.pop("basePrice", None)
    listing, tally = venue.listing_of(order), venue.tally(order.id)
    coin = next(iter(tally.fees), listing.settle)
    return {
        "tpslMode": "",
        **row,
        "category": listing.category,
        "closedPnl": text(tally.profit),
        "feeCurrency": coin if tally.fees else "",
        "brokerOrderPrice": "",
    }


def _what(venue: Venue, order: ExchangeOrder, slip: Slip) -> Row:
    listing = venue.listing_of(order)
    qty = listing.instrument.to_size(order.size) if slip.qty is None else slip.qty
    is_priceless = listing.is_spot and slip.order_type == "Market"
    price = None if is_priceless else order.limit_price or slip.price
    return {
        "symbol": listing.symbol,
        "orderType": slip.order_type,
        "orderLinkId": slip.link_id,
        "orderId": venue.id_text(order),
        "parentOrderLinkId": slip.parent_link_id,
        "side": SIDES[order.side],
        "price": "0" if price is None else text(price),
        "qty": text(qty),
        "timeInForce": slip.time_in_force,
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": slip.close_on_trigger,
        "positionIdx": IDX[order.hedge_side],
        "isLeverage": slip.is_leverage,
        "createType": slip.create_type,
        "marketUnit": slip.market_unit,
    }


def _how_far(venue: Venue, order: ExchangeOrder, slip: Slip) -> Row:
    instrument, tally = venue.listing_of(order).instrument, venue.tally(order.id)
    left = Decimal(0) if order.status.is_final else instrument.to_size(order.remaining_size)
    money = money_left(venue, order)
    price = order.limit_price or order.stop_price or slip.price or slip.last_price
    value = left / price if instrument.kind == "inverse" and price else left * (price or 0)
    average = order.average_fill_price
    return {
        "orderStatus": status(venue, order),
        "cancelType": cancel_type(venue, order),
        "rejectReason": reject_reason(venue, order),
        "avgPrice": "0" if average is None else text(average),
        "leavesQty": text(money if money and left else left),
        "leavesValue": text(money or _rounded(value)),
        "cumExecQty": text(instrument.to_size(order.filled_size)),
        "cumExecValue": text(_rounded(tally.value)),
        "cumExecFee": text(sum(tally.fees.values(), Decimal(0))),
        "cumFeeDetail": {coin: text(fee) for coin, fee in tally.fees.items()},
        "createdTime": str(milliseconds(order.created_at)),
        "updatedTime": str(milliseconds(max(order.updated_at, tally.time or order.updated_at))),
    }


def _conditions(venue: Venue, order: ExchangeOrder, slip: Slip) -> Row:
    rising = {None: 0, True: 1, False: 2}[order.rising]
    return {
        "stopOrderType": slip.stop_order_type,
        "triggerPrice": _or_blank(order.stop_price),
        "triggerDirection": 0 if venue.listing_of(order).is_spot else rising,
        "triggerBy": slip.trigger_by,
        "lastPriceOnCreated": _or_blank(slip.last_price),
        "takeProfit": _or_blank(slip.take_profit),
        "stopLoss": _or_blank(slip.stop_loss),
        "tpTriggerBy": slip.tp_trigger_by,
        "slTriggerBy": slip.sl_trigger_by,
        "tpLimitPrice": "0",
        "slLimitPrice": "0",
        "tpslMode": slip.tpsl_mode,
    }


def _rest(venue: Venue, order: ExchangeOrder, slip: Slip) -> Row:
    return {
        "blockTradeId": "",
        "orderIv": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "placeType": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "0",
        "extraFees": "",
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def _or_blank(price: Decimal | None) -> str:
    return "" if price is None else text(price)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.00000001"))
