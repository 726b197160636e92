"""Joins of what two messages say of the same thing: the order they came in makes no difference.

Each join is commutative, associative and idempotent. Members that belong together come from one
message, the one further along by a total order over those members alone: if anything else had a
say in it, the result of a join would compare differently from what it was made of.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from attrs import evolve, frozen

from tradeforge_core.enums import OrderStatus
from tradeforge_core.models import Order, Trade

_Id = TypeVar("_Id", str, Decimal)

_RANKS = {
    OrderStatus.PENDING: (0, 0),
    OrderStatus.SUSPENDED: (0, 1),
    OrderStatus.UNKNOWN: (1, 0),
    OrderStatus.WORKING: (1, 1),
    OrderStatus.PARTIALLY_FILLED: (1, 2),
    OrderStatus.PENDING_CANCEL: (1, 3),
    OrderStatus.FILLED: (2, 0),
    OrderStatus.EXPIRED: (3, 0),
    OrderStatus.CANCELLED: (3, 1),
    OrderStatus.REJECTED: (3, 2),
}
"""The phase of an order, which never goes back, and its rank within the phase at equal times.

Within a phase the newer status holds: a refused cancel leads from PENDING_CANCEL back to WORKING.
UNKNOWN may be anything, so it counts as at work. FILLED stands below the other ends because its
proof is the filled size: `with_fills` gives it back to an order that has filled in full.
"""


@frozen
class Sighting:
    """An order as a message described it; `as_of` is when that was true for certain."""

    order: Order
    as_of: datetime


def joined(a: Sighting, b: Sighting) -> Sighting:
    """What two sightings of the same order say together.

    Status, terms and `raw` are of the one further along: by phase, by `updated_at`, then by
    `as_of`, because a venue need not move `updated_at` with every change.
    The filled size is the larger one, with its average price. An id that was known stays known.
    """
    later = max(a, b, key=_progress)
    one, other = a.order, b.order
    filled = max(one, other, key=_filling)
    order = evolve(
        later.order,
        client_order_id=_known(one.client_order_id, other.client_order_id),
        parent_order_id=_known(one.parent_order_id, other.parent_order_id),
        linked_order_id=_known(one.linked_order_id, other.linked_order_id),
        created_at=_earliest(one.created_at, other.created_at),
        filled_size=filled.filled_size,
        average_fill_price=filled.average_fill_price,
    )
    return Sighting(order, later.as_of)


def joined_trade(a: Trade, b: Trade) -> Trade:
    """What two messages about the same fill say together: voided stays voided.

    A fill can come again with less: money that was known stays known.
    """
    return evolve(
        max(a, b, key=_deal),
        voided=a.voided or b.voided,
        time=_earliest(a.time, b.time),
        realized_pnl=_known(a.realized_pnl, b.realized_pnl),
        fees=_known(a.fees, b.fees),
        commissions=_known(a.commissions, b.commissions),
        fee_currency=_known(a.fee_currency, b.fee_currency),
    )


def with_fills(order: Order, filled: Decimal) -> Order:
    """The order as its messages and the sum of its fills together prove it.

    The filled size is the larger of the two, and by fills never more than the size. An order that
    has ended is FILLED if it has filled in full, whatever else was said of its end. An open one is
    never ended by its fills: the venue says when it ends.
    """
    most = filled if order.in_quote else order.size  # a size in quote says nothing of what fills
    filled = max(order.filled_size, min(filled, most))
    status = _status(order, filled)
    if status is order.status and filled == order.filled_size:
        return order
    return evolve(order, status=status, filled_size=filled)


def _status(order: Order, filled: Decimal) -> OrderStatus:
    if order.in_quote:
        return (
            OrderStatus.PARTIALLY_FILLED
            if order.status in _NOT_PARTIAL and filled
            else order.status
        )
    if order.status.is_final:
        return OrderStatus.FILLED if 0 < order.size <= filled else order.status
    if order.status in _NOT_PARTIAL and 0 < filled < order.size:
        return OrderStatus.PARTIALLY_FILLED
    return order.status


_NOT_PARTIAL = {OrderStatus.PENDING, OrderStatus.SUSPENDED, OrderStatus.WORKING}
"""What a fill disproves."""


def _progress(sighting: Sighting) -> tuple[Any, ...]:
    order = sighting.order
    phase, rank = _RANKS[order.status]
    terms = (
        order.account_id,
        order.contract_id,
        order.side,
        order.type,
        order.size,
        _none_first(order.limit_price),
        _none_first(order.stop_price),
        _none_first(order.trail_distance),
        order.reduce_only,
        order.post_only,
        order.in_quote,
        order.raw is not None,
    )
    return (phase, _none_first(order.updated_at), sighting.as_of, rank, terms)


def _filling(order: Order) -> tuple[Any, ...]:
    return (order.filled_size, _none_first(order.average_fill_price))


def _deal(trade: Trade) -> tuple[Any, ...]:
    terms = (trade.contract_id, trade.order_id, trade.side, trade.size, trade.price)
    return (trade.voided, terms, trade.raw is not None)


def _none_first(value: object) -> tuple[bool, Any]:
    return (value is not None, value)


def _known(a: _Id | None, b: _Id | None) -> _Id | None:
    """The one that is known; of two that differ, which no venue should send, the greater."""
    return max(a, b, key=_none_first)


def _earliest(a: datetime | None, b: datetime | None) -> datetime | None:
    """The one that is known, or the earlier: the same time may come in different precision."""
    return min((time for time in (a, b) if time is not None), default=None)
