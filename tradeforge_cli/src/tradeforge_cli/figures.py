"""Numbers as a person reads them; programs get theirs from `--json`, with every digit."""

from collections.abc import Sequence
from decimal import Decimal


def price_text(price: Decimal | None, tick_size: Decimal) -> str:
    """The price with the decimals of its tick, a dash where there is none."""
    return "–" if price is None else f"{price:,.{_decimals(tick_size)}f}"


def size_text(size: Decimal | None) -> str:
    return "–" if size is None else f"{size.normalize():,f}"


def money_text(amount: Decimal) -> str:
    """With cents; what is less than one with two digits of its own."""
    return f"{amount:,.{_cents(amount)}f}"


def gain_text(amount: Decimal) -> str:
    """As `money_text`, with its sign; zero without."""
    return f"{amount:+,.{_cents(amount)}f}" if amount else "0.00"


def _cents(amount: Decimal) -> int:
    """Decimals: so few that a large amount is read at a glance, so many that none seems to be 0."""
    return 2 if not amount or abs(amount) >= _CENT else 1 - amount.adjusted()


_CENT = Decimal("0.01")


def gain_style(amount: Decimal) -> str:
    if not amount:
        return ""
    return "green" if amount > 0 else "red"


def chart(values: Sequence[Decimal], *, width: int, height: int) -> list[str]:
    """Lines of block characters, the top one first, with the newest value at the right."""
    shown = values[-width:]
    if not shown:
        return []
    low, span = min(shown), max(shown) - min(shown)
    levels = [_level(value - low, span, height) for value in shown]
    return ["".join(_block(level - 8 * row) for level in levels) for row in range(height)[::-1]]


_BLOCKS = " ▁▂▃▄▅▆▇█"


def _level(above: Decimal, span: Decimal, height: int) -> int:
    """Of the eighths of `height` lines, at least one: a lowest value is still a value."""
    return 1 if not span else 1 + int((8 * height - 1) * above / span)


def _block(eighths: int) -> str:
    return _BLOCKS[max(0, min(8, eighths))]


def _decimals(tick_size: Decimal) -> int:
    exponent = tick_size.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
