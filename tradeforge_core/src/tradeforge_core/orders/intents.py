"""What a caller wishes for, written down before anything is sent."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen
from attrs.validators import instance_of, optional


class Operation(StrEnum):
    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"
    CLOSE = "close"


def aware_utc(value: datetime) -> datetime:
    """The same moment in UTC. Raises `ValueError` for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone: write datetime(..., tzinfo=UTC)")
    return value.astimezone(UTC)


def _not_empty(instance: Any, attribute: "Attribute[str]", value: str) -> None:
    if not value:
        raise ValueError(f"the {attribute.name} of an intent must not be empty")


@frozen(kw_only=True)
class Intent:
    """One wish, with parameters that never change.

    `id` is unique for ever: of an order the client order id, of anything else an id of the same
    maker. `order_id` is the order that a change or a cancel is about. `details` is the request as
    JSON text, which nobody here looks into. `made_at` is aware UTC.
    """

    id: str = field(validator=[instance_of(str), _not_empty])
    operation: Operation = field(converter=Operation)
    account_id: str = field(validator=instance_of(str))
    contract_id: str = field(validator=instance_of(str))
    order_id: str | None = field(default=None, validator=optional(instance_of(str)))
    details: str = field(validator=instance_of(str))
    made_at: datetime = field(converter=aware_utc)
