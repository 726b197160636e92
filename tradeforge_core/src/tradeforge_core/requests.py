"""What the base provider hands to a provider: checked, complete, nothing left to default."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from tradeforge_core.enums import BarUnit
from tradeforge_core.models import exact_or_none


def _aware(instance: object, attribute: object, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} does not say its time zone: use datetime.now(UTC) or the like")


def _utc(value: datetime) -> datetime:
    # a naive time goes on as it is, for the validator to refuse
    return value if value.tzinfo is None else value.astimezone(UTC)


@frozen(kw_only=True)
class Period:
    """From `start` to `end`, in UTC. Raises `ValueError` for a naive time or an end before."""

    start: datetime = field(converter=_utc, validator=_aware)
    end: datetime = field(converter=_utc, validator=_aware)

    def __attrs_post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")

    def pages(self, span: timedelta) -> "Iterator[Period]":
        """The same time in periods of `span`, the first one first."""
        start = self.start
        while start < self.end:
            end = min(start + span, self.end) if self.end - start > span else self.end
            yield Period(start=start, end=end)
            start = end


def earliest(time: datetime, ahead: timedelta) -> datetime:
    """What it may be by a clock that is so much ahead, or as it is if that is earlier."""
    return time + min(ahead, timedelta())


def latest(time: datetime, ahead: timedelta) -> datetime:
    """As `earliest`, the later one of the two."""
    return time + max(ahead, timedelta())


@frozen(kw_only=True)
class BarQuery:
    """Bars of `size` times `unit`; `limit` is None for all of them."""

    contract_id: str
    period: Period
    unit: BarUnit
    size: int = field()
    limit: int | None = field()
    include_partial: bool = False

    @size.validator
    @limit.validator
    def _at_least_one(self, attribute: "Attribute[Any]", value: int | None) -> None:
        if value is not None and value < 1:
            raise ValueError(f"{attribute.name} must be at least 1, not {value}")

    def is_forming(self, opened: datetime, now: datetime) -> bool:
        """Whether a bar that opened then is still open; a month ends where the calendar says."""
        if self.unit is BarUnit.MONTH:
            return _months(now) - _months(opened) < self.size
        return now - opened < self.size * _SPANS[self.unit]


def span_of(unit: BarUnit, size: int) -> timedelta:
    """How long a bar is; of a month the longest there is."""
    return size * _SPANS.get(unit, timedelta(days=31))


def _months(time: datetime) -> int:
    return time.year * 12 + time.month


_SPANS = {
    BarUnit.SECOND: timedelta(seconds=1),
    BarUnit.MINUTE: timedelta(minutes=1),
    BarUnit.HOUR: timedelta(hours=1),
    BarUnit.DAY: timedelta(days=1),
    BarUnit.WEEK: timedelta(weeks=1),
}


@frozen(kw_only=True)
class OrderChange:
    """What is to be different about an order; None leaves it as it is."""

    account_id: str
    order_id: str
    size: Decimal | None = field(converter=exact_or_none)
    limit_price: Decimal | None = field(converter=exact_or_none)
    stop_price: Decimal | None = field(converter=exact_or_none)
    trail_distance: Decimal | None = field(converter=exact_or_none)
