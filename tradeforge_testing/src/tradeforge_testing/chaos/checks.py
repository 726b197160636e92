"""What must hold at the end, whatever happened: the client's word against the venue's books."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tradeforge_core import NotFound, OrderSide, OrderStatus, StreamConnectionStatus
from tradeforge_core.outcomes import Accepted, NotSent, OrderOutcome, Rejected, Unknown
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.chaos.trader import Placed
from tradeforge_testing.chaos.witness import Witness
from tradeforge_testing.exchange import ExchangeOrder, Fill


async def violations(stage: Stage, placed: list[Placed], witness: Witness) -> list[str]:
    """The invariants that do not hold, a line each; the market must stand still."""
    orders = stage.exchange.orders(int(stage.account_id))
    named: dict[str, list[ExchangeOrder]] = {}
    for order in orders:
        if order.tag is not None and order.parent_id is None:
            named.setdefault(order.tag, []).append(order)
    wrong = list(witness.wrong)
    wrong += _doubled(named)
    for one in placed:
        wrong += await _outcome(stage, one, named)
    wrong += _fills(stage, witness)
    wrong += _positions(stage)
    wrong += _last_words(stage, witness)
    wrong += _statuses(stage, witness)
    wrong += [f"I12 {line}" for line in stage.venue.overruns()]
    return wrong


def _doubled(named: dict[str, list[ExchangeOrder]]) -> Iterator[str]:
    for name, orders in named.items():
        if len(_standing(orders)) > 1:
            yield f"I1 the venue has {len(orders)} orders named {name}"


async def _outcome(
    stage: Stage, placed: Placed, named: dict[str, list[ExchangeOrder]]
) -> list[str]:
    name = placed.request.client_order_id or ""
    orders = named.get(name, [])
    try:
        outcome = await stage.broker.outcome(name)
    except NotFound:
        return [f"I4 {name} is at the venue, and nobody here knows of it"] if orders else []
    lines = _contradictions(placed, outcome, orders)
    return [f"{line} ({name}, {placed.error!r})" for line in lines]


def _contradictions(
    placed: Placed, outcome: OrderOutcome, orders: list[ExchangeOrder]
) -> Iterator[str]:
    if isinstance(outcome, NotSent) and orders:
        yield "I2 told as not sent, and the venue has it"
    if isinstance(outcome, Rejected) and _standing(orders):
        yield "I2 told as rejected, and the venue has it"
    if isinstance(outcome, Accepted):
        if len(_standing(orders)) != 1:
            yield f"I3 told as accepted, and the venue has {len(orders)}"
        elif not _is_what_was_asked(placed, orders[0]):
            yield f"I3 told as accepted, and the venue has another: {orders[0]}"
    if placed.order is not None and not isinstance(outcome, Accepted):
        yield f"I4 place_order returned an order, and the outcome is {outcome}"
    if isinstance(outcome, Unknown) and _standing(orders):
        yield f"I4 the venue answers, and {outcome.resolution} is all that is known of an order"


def _standing(orders: Iterable[ExchangeOrder]) -> list[ExchangeOrder]:
    return [one for one in orders if one.status is not OrderStatus.REJECTED]


def _is_what_was_asked(placed: Placed, order: ExchangeOrder) -> bool:
    request = placed.request
    same = (order.instrument_id, order.side, order.type) == (
        request.contract_id,
        request.side,
        request.type,
    )
    return same and (placed.is_changed or order.size == request.size)


def _fills(stage: Stage, witness: Witness) -> Iterator[str]:
    fills = stage.exchange.fills(int(stage.account_id))
    truth = Counter(str(one.id) for one in fills if not one.voided)
    for fill, times in witness.fills.items():
        if times > 1:
            yield f"I5 the fill {fill} was told {times} times"
    if unknown := set(witness.fills) - set(truth):
        yield f"I5 fills that the venue has not: {sorted(unknown)}"
    if lost := set(truth) - set(witness.fills):
        yield f"I5 fills that were never told: {sorted(lost)}"


def _positions(stage: Stage) -> list[str]:
    truth = {one.instrument_id: one.size for one in stage.exchange.positions(int(stage.account_id))}
    summed: Counter[str] = Counter()
    for fill in stage.exchange.fills(int(stage.account_id)):
        summed[fill.instrument_id] += _signed(fill)
    told = {one.contract_id: int(one.size) for one in stage.broker.positions}
    wrong = []
    if told != {name: size for name, size in truth.items() if size}:
        wrong.append(f"I6 held here {told}, at the venue {truth}")
    if {name: size for name, size in summed.items() if size} != truth:
        wrong.append(f"I6 the venue's own fills make {dict(summed)}, its positions {truth}")
    return wrong


def _last_words(stage: Stage, witness: Witness) -> Iterator[str]:
    """What was told last is what is so: nothing on the way to it was lost in silence."""
    for order in stage.exchange.orders(int(stage.account_id)):
        last = witness.orders.get(str(order.id))
        if last is None:
            yield f"I9 the order {order.id}, {order.status}, was never told"
        elif (last.status, last.filled_size or 0) != (order.status, order.filled_size):
            yield f"I9 the order {order.id} was told as {last.status}, and is {order.status}"
    truth = {one.instrument_id: one.size for one in stage.exchange.positions(int(stage.account_id))}
    for contract_id in truth.keys() | witness.positions.keys():
        told = witness.positions.get(contract_id)
        size = 0 if told is None else told.size
        if size != truth.get(contract_id, 0):
            yield f"I9 {size} were told as held, and {truth.get(contract_id, 0)} are"


def _statuses(stage: Stage, witness: Witness) -> Iterator[str]:
    live = StreamConnectionStatus.LIVE
    if stage.broker.status is not live:
        yield f"S the provider is {stage.broker.status} and not live again"
    for stream, status in witness.statuses.items():
        if status is not live:
            yield f"S the stream {stream} was told to be {status} and not live again"


def _signed(fill: Fill) -> int:
    if fill.voided:
        return 0
    return fill.size if fill.side is OrderSide.BUY else -fill.size
