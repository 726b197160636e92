"""What the venue's records prove about a request whose answer was lost."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from enum import Enum

from attrs import frozen

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.enums import OrderStatus
from tradeforge_core.models import Order, OrderRequest
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.client_ids import of_name
from tradeforge_core.orders.intents import Operation
from tradeforge_core.requests import OrderChange


class Verdict(Enum):
    DONE = "it was done"
    REFUSED = "it was refused, or cannot be done any more"
    NO_TRACE = "nothing of it is to be seen"
    AGAIN = "it was not done, and doing it twice does no harm"
    CONFLICT = "what is there cannot be what was sent"


@frozen
class Finding:
    verdict: Verdict
    order: Order | None = None
    reason: str = ""


_CLOCKS_APART = timedelta(hours=1)
"""An order that is older than its intent by more is another one, whatever the clocks say."""
NO_TRACE = Finding(Verdict.NO_TRACE)


async def look(venue: VenueAdapter, case: Case) -> Finding:
    """One complete look at the venue. What it raises is a look that failed: it proves nothing."""
    return await _LOOKS[case.intent.operation](venue, case)


async def _look_for_placed(venue: VenueAdapter, case: Case) -> Finding:
    account_id = case.intent.account_id
    found = await venue._find_by_client_id(account_id, case.id)
    elsewhere = [one for one in found if one.client_order_id == case.id][:1]
    orders = of_name(found, account_id, case.id) or elsewhere
    if len(orders) > 1:
        return Finding(Verdict.CONFLICT, None, f"the venue has {len(orders)} orders of this name")
    return judge_placed(case, orders[0]) if orders else NO_TRACE


def judge_placed(case: Case, order: Order) -> Finding:
    """What an order that has the name of a placed one proves."""
    assert case.request is not None
    if differences := ", ".join(_differences(case.request, order)):
        return Finding(Verdict.CONFLICT, order, f"the order of this name has another {differences}")
    if order.created_at is not None and order.created_at < case.intent.made_at - _CLOCKS_APART:
        return Finding(Verdict.CONFLICT, order, f"the order of this name is of {order.created_at}")
    if order.status is OrderStatus.REJECTED and case.attempts > 1:
        return NO_TRACE  # one of the requests was refused: it says nothing about the others
    if order.status is OrderStatus.REJECTED:
        return Finding(Verdict.REFUSED, order, "the venue has it as a rejected order")
    return Finding(Verdict.DONE, order)


def _differences(request: OrderRequest, order: Order) -> Iterator[str]:
    """Prices are left out: they may have been modified, and the venue may round a trailing one."""
    for member in ("account_id", "contract_id", "side", "type", "size", "in_quote"):
        if getattr(request, member) != getattr(order, member):
            yield member
    if order.parent_order_id is not None:
        yield "parent"  # an exit that the venue has named


async def _look_for_cancelled(venue: VenueAdapter, case: Case) -> Finding:
    order = await _order_of(venue, case)
    if order.status is OrderStatus.CANCELLED:
        return Finding(Verdict.DONE, order)
    if order.status.is_final:
        return Finding(Verdict.REFUSED, order, f"the order is {order.status} already")
    if order.status is OrderStatus.PENDING_CANCEL:
        return NO_TRACE
    return Finding(Verdict.AGAIN, order)


async def _look_for_changed(venue: VenueAdapter, case: Case) -> Finding:
    order = await _order_of(venue, case)
    assert case.change is not None
    if _has(order, case.change):
        return Finding(Verdict.DONE, order)
    if order.status.is_final and case.before is not None and _is_same(case, order):
        return Finding(Verdict.REFUSED, order, f"the order is {order.status} without it")
    return NO_TRACE


def _has(order: Order, change: OrderChange) -> bool:
    wanted = ((getattr(change, one), getattr(order, one)) for one in _CHANGEABLE)
    return all(value is None or value == there for value, there in wanted)


def _is_same(case: Case, order: Order) -> bool:
    """Whether the order is as before the change: else a later one may have replaced it."""
    return all(getattr(case.before, one) == getattr(order, one) for one in _CHANGEABLE)


_CHANGEABLE = ("size", "limit_price", "stop_price", "trail_distance")


async def _order_of(venue: VenueAdapter, case: Case) -> Order:
    assert case.intent.order_id is not None
    return await venue._fetch_order(case.intent.account_id, case.intent.order_id)


async def _look_for_closed(venue: VenueAdapter, case: Case) -> Finding:
    """A close leaves no name behind: what is held before and after has to tell."""
    assert case.closing is not None
    positions = await venue._fetch_positions(case.intent.account_id)
    place = (case.intent.contract_id, case.closing.hedge_side)
    ours = (one.size for one in positions if (one.contract_id, one.hedge_side) == place)
    held, before, target = sum(ours, Decimal(0)), case.closing.held, case.closing.target
    if before is None or target is None or held == before:
        return NO_TRACE
    if held == target:
        return Finding(Verdict.DONE)
    return Finding(
        Verdict.CONFLICT, None, f"{before:f} were held and {held:f} are, where {target:f} should be"
    )


_LOOKS: dict[Operation, Callable[[VenueAdapter, Case], Awaitable[Finding]]] = {
    Operation.PLACE: _look_for_placed,
    Operation.MODIFY: _look_for_changed,
    Operation.CANCEL: _look_for_cancelled,
    Operation.CLOSE: _look_for_closed,
}
