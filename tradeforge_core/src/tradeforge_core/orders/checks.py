"""What can be known to be wrong with an order before it leaves."""

from collections.abc import Iterator
from decimal import Decimal

from tradeforge_core.capabilities import Capabilities
from tradeforge_core.enums import OrderSide, OrderType, TimeInForce
from tradeforge_core.errors import InvalidOrder, NotSupported
from tradeforge_core.models import Bracket, Contract, OrderRequest

_TOUCHED = frozenset({OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})
_NEEDS_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED})
_NEEDS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT}) | _TOUCHED
_NEEDS_TRAIL = frozenset({OrderType.TRAILING_STOP})
_LONGEST_NAME = 255
_SWITCHES = {
    "reduce_only": ("reduce_only", "can only reduce a position"),
    "post_only": ("post_only", "never take from the book"),
    "in_quote": ("quote_size", "count what is paid"),
}
"""Of an order: the capability that each takes, and what it means."""


def check_supported(request: OrderRequest, capabilities: Capabilities, provider: str) -> None:
    """Raises `NotSupported` for what the provider cannot express."""
    if request.type not in capabilities.order_types:
        known = ", ".join(sorted(capabilities.order_types))
        raise NotSupported(f"{provider} has no {request.type} orders; it has: {known}")
    if request.bracket is not None and not capabilities.brackets:
        raise NotSupported(f"{provider} has no brackets: place the exits as orders of their own")
    for name, (capability, meaning) in _SWITCHES.items():
        if getattr(request, name) and not getattr(capabilities, capability):
            raise NotSupported(f"{provider} has no orders that {meaning}: {name} must be False")
    wanted = request.time_in_force
    if wanted is not None and wanted not in capabilities.times_in_force:
        known = ", ".join(sorted(capabilities.times_in_force)) or "none: leave it out"
        raise NotSupported(f"{provider} has no time in force {wanted}; it has: {known}")


def check_order(request: OrderRequest, contract: Contract, *, bracket_min_ticks: int = 1) -> None:
    """Raises `InvalidOrder` with everything that is wrong, not only the first thing."""
    problems = [*_problems(request, contract)]
    if request.bracket is not None:
        problems += _bracket_problems(request.bracket, contract, bracket_min_ticks)
    if problems:
        raise InvalidOrder(problems)


def check_change(
    contract: Contract, *, size: Decimal | None, prices: dict[str, Decimal | None]
) -> None:
    """Raises `InvalidOrder` for a change of an order that cannot be right."""
    problems = [] if size is None else [*_size_problems(size, contract)]
    for name, price in prices.items():
        if price is not None:
            problems += _tick_problems(name, price, contract)
    if size is None and all(price is None for price in prices.values()):
        problems.append("nothing is to be changed: give a size or a price")
    if problems:
        raise InvalidOrder(problems)


def check_size(size: Decimal, contract: Contract) -> None:
    """Raises `InvalidOrder` for a size that the contract cannot have."""
    problems = [*_size_problems(size, contract)]
    if problems:
        raise InvalidOrder(problems)


def _problems(request: OrderRequest, contract: Contract) -> Iterator[str]:
    label = request.client_order_id
    if label is not None and not (label.isascii() and label.isprintable() and label.strip()):
        yield f"client_order_id must be printable ASCII, not {label!r}"
    if label is not None and len(label) > _LONGEST_NAME:
        yield f"client_order_id has {len(label)} characters, and {_LONGEST_NAME} are the most"
    if not contract.active:
        yield f"{contract.symbol} is not traded any more"
    yield from _switch_problems(request)
    if request.in_quote:
        yield from _quote_problems(request.size, contract)
    else:
        yield from _size_problems(request.size, contract)
        yield from _limit_problems(request, contract)
    yield from _price_problems("limit_price", request.limit_price, request, _NEEDS_LIMIT, contract)
    yield from _price_problems("stop_price", request.stop_price, request, _NEEDS_STOP, contract)
    trail = request.trail_distance
    yield from _price_problems("trail_distance", trail, request, _NEEDS_TRAIL, contract)
    if trail is not None and trail <= 0:
        yield f"trail_distance must be above 0, not {trail:f}"


def _bracket_problems(bracket: Bracket, contract: Contract, min_ticks: int) -> Iterator[str]:
    if bracket.stop_loss is None and bracket.take_profit is None:
        yield "a bracket needs a stop_loss or a take_profit"
    if bracket.trailing and bracket.stop_loss is None:
        yield "a trailing bracket needs a stop_loss: it is the distance that it trails by"
    for name, distance in (
        ("stop_loss", bracket.stop_loss),
        ("take_profit", bracket.take_profit),
    ):
        if distance is None:
            continue
        yield from _tick_problems(name, distance, contract)
        if distance < min_ticks * contract.tick_size:
            yield (
                f"{name} is a distance from the entry of at least {min_ticks} ticks"
                f" ({min_ticks * contract.tick_size:f}), not {distance:f}"
            )


def _switch_problems(request: OrderRequest) -> Iterator[str]:
    if request.post_only and request.type is not OrderType.LIMIT:
        yield f"post_only goes with a limit order, not with a {request.type} order"
    if request.post_only and request.time_in_force in _TAKES_AT_ONCE:
        yield f"post_only excludes {request.time_in_force}, which takes what is there or nothing"
    if request.reduce_only and request.bracket is not None:
        yield "a reduce_only order opens nothing that a bracket could protect"
    if request.in_quote and (request.type, request.side) != (OrderType.MARKET, OrderSide.BUY):
        yield "in_quote goes with a market order that buys"


_TAKES_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


def _quote_problems(paid: Decimal, contract: Contract) -> Iterator[str]:
    if paid <= 0:
        yield f"size must be above 0, not {paid:f}"
    elif not contract.is_on_quote_step(paid):
        yield f"size in_quote must be a multiple of {contract.quote_step}, not {paid:f}"
    elif contract.min_notional is not None and paid < contract.min_notional:
        yield f"size in_quote must be at least {contract.min_notional:f}, not {paid:f}"


def _limit_problems(request: OrderRequest, contract: Contract) -> Iterator[str]:
    size, price, least = request.size, request.limit_price, contract.min_notional
    if contract.min_size is not None and 0 < size < contract.min_size:
        yield f"size must be at least {contract.min_size:f}, not {size:f}"
    if contract.max_size is not None and size > contract.max_size:
        yield f"size must be at most {contract.max_size:f}, not {size:f}"
    # what reduces may be as small as what is left; without a price the venue has to tell
    if least is not None and price is not None and not request.reduce_only and size * price < least:
        yield f"the order is worth {size * price:f}, and {least:f} is the least"


def _size_problems(size: Decimal, contract: Contract) -> Iterator[str]:
    if size <= 0:
        yield f"size must be above 0, not {size:f}"
    elif not contract.is_on_step(size):
        yield f"size must be a multiple of {contract.size_step:f}, not {size:f}"


def _price_problems(
    name: str,
    price: Decimal | None,
    request: OrderRequest,
    needing: frozenset[OrderType],
    contract: Contract,
) -> Iterator[str]:
    if price is None and request.type in needing:
        yield f"a {request.type} order needs a {name}"
    elif price is not None and request.type not in needing:
        yield f"a {request.type} order takes no {name}"
    elif price is not None:
        yield from _tick_problems(name, price, contract)


def _tick_problems(name: str, price: Decimal, contract: Contract) -> Iterator[str]:
    if not contract.is_on_tick(price):
        yield (
            f"{name} {price:f} is not on the tick of {contract.symbol}, {contract.tick_size:f}:"
            f" see Contract.round_price"
        )
