"""What orders have closed, and with which result."""

from collections.abc import Sequence
from decimal import Decimal

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.answers import Payload, parameter_error
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.endpoints.reading import window
from tradeforge_bybit.sandbox.literals import milliseconds, text
from tradeforge_bybit.sandbox.order_rows import order_row
from tradeforge_bybit.sandbox.paging import page
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import ExchangeOrder, Fill, Instrument, Kind

_DIGITS = Decimal("0.00000001")


def closed_pnl(venue: Venue, said: Said) -> Payload:
    """A row for each order that has closed something, the newest first."""
    category, symbol = say.category(said), say.maybe_word(said, "symbol")
    if category == "spot":
        raise parameter_error("Category is invalid")
    start, end = window(venue, said)
    chosen = [
        (order, fills)
        for order, fills in _closing(venue)
        if venue.listing_of(order).category == category
        and symbol in ("", venue.listing_of(order).symbol)
        and start <= milliseconds(fills[-1].time) <= end
    ]
    limit, cursor = say.whole(said, "limit", 50, 100, 1), say.maybe_word(said, "cursor")
    shown, following = page(chosen[::-1], limit, cursor, lambda one: -one[1][-1].id)
    rows = [_row(venue, order, fills) for order, fills in shown]
    return {"nextPageCursor": following, "category": category, "list": rows}


def _closing(venue: Venue) -> list[tuple[ExchangeOrder, list[Fill]]]:
    """The orders with their fills that close, in the order in which the last of these came."""
    found: dict[int, list[Fill]] = {}
    for fill in venue.books.fills(venue.account.id):
        if not fill.voided and venue.closings.of(fill).lots:
            # taken out and put in again, so that the last one is at the end
            found[fill.order_id] = [*found.pop(fill.order_id, []), fill]
    orders = {one.id: one for one in venue.books.orders(venue.account.id)}
    return [(orders[order_id], fills) for order_id, fills in found.items()]


def _row(venue: Venue, order: ExchangeOrder, fills: Sequence[Fill]) -> Payload:
    instrument, shown = venue.listing_of(order).instrument, order_row(venue, order)
    closings = [venue.closings.of(one) for one in fills]
    lots = sum(one.lots for one in closings)
    opening = sum((one.opening_fees for one in closings), Decimal())
    closing = sum((one.closing_fees for one in closings), Decimal())
    gained = sum((one.realized_pnl or Decimal() for one in fills), Decimal())
    left = [
        instrument.value(one.lots, fill.price) for one, fill in zip(closings, fills, strict=True)
    ]
    exit_value = sum(left, Decimal())
    entry_value = _entry_value(instrument, order.side, exit_value, gained)
    taken = ("symbol", "orderId", "side", "qty", "orderType", "createdTime")
    return {
        **{name: shown[name] for name in taken},
        "orderPrice": shown["price"],
        "execType": "Trade",
        "closedSize": text(instrument.to_size(lots)),
        "cumEntryValue": text(_rounded(entry_value)),
        "avgEntryPrice": text(_average(instrument, lots, entry_value)),
        "cumExitValue": text(_rounded(exit_value)),
        "avgExitPrice": text(_average(instrument, lots, exit_value)),
        "openFee": text(_rounded(opening)),
        "closeFee": text(_rounded(closing)),
        "closedPnl": text(_rounded(gained - opening - closing)),
        "fillCount": str(len(fills)),
        "leverage": text(venue.exchange.leverage(order.account_id, order.instrument_id)),
        "updatedTime": str(milliseconds(fills[-1].time)),
    }


def _entry_value(
    instrument: Instrument, side: OrderSide, exit_value: Decimal, gained: Decimal
) -> Decimal:
    """A sell has closed what was bought; an inverse contract is worth less when it rises."""
    is_long = side is OrderSide.SELL
    if instrument.kind is Kind.INVERSE:
        is_long = not is_long
    return exit_value - gained if is_long else exit_value + gained


def _average(instrument: Instrument, lots: int, value: Decimal) -> Decimal:
    size = instrument.to_size(lots)
    return _rounded(size / value if instrument.kind is Kind.INVERSE else value / size)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_DIGITS)


ENDPOINTS = (Endpoint("GET", "/v5/position/closed-pnl", closed_pnl, 50),)
