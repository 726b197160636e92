"""Text that is the same for equal values, and the digest of it."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import fields


def digest(models: Iterable[Any]) -> str:
    """The SHA-256 of the models, in hexadecimal, whatever order they come in."""
    return digest_of(canonical(one) for one in models)


def digest_of(lines: Iterable[str]) -> str:
    """The same of their canonical lines."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def canonical(model: Any) -> str:
    """One line of every member that takes part in comparison."""
    members = [_text(getattr(model, one.name)) for one in fields(type(model)) if one.eq]
    return " ".join([type(model).__name__, *members])


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, tuple):
        return f"[{', '.join(sorted(map(canonical, value)))}]"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return json.dumps(value)


def _digits(number: Decimal) -> str:
    """`1.50`, `1.5` and `15E-1` are one number."""
    digits = format(number if number else Decimal(0), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
