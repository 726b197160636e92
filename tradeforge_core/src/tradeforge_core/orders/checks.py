"""What can be known to be wrong with an order before it leaves."""

from collections.abc import Iterator
from decimal import Decimal

from tradeforge_core.capabilities import Capabilities
from tradeforge_core.enums import OrderType
from tradeforge_core.errors import InvalidOrder, NotSupported
from tradeforge_core.models import Bracket, Contract, OrderRequest

_NEEDS_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_NEEDS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_NEEDS_TRAIL = frozenset({OrderType.TRAILING_STOP})
_LONGEST_NAME = 255


def check_supported(request: OrderRequest, capabilities: Capabilities, provider: str) -> None:
    """Raises `NotSupported` for what the provider cannot express."""
    if request.type not in capabilities.order_types:
        known = ", ".join(sorted(capabilities.order_types))
        raise NotSupported(f"{provider} has no {request.type} orders; it has: {known}")
    if request.bracket is not None and not capabilities.brackets:
        raise NotSupported(f"{provider} has no brackets: place the exits as orders of their own")
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
    yield from _size_problems(request.size, contract)
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
