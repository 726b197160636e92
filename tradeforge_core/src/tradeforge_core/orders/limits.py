"""Limits that every order has to keep, whoever places it."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from tradeforge_core.errors import ConfigError
from tradeforge_core.models import Contract, Trade, exact_or_none


def _above_zero(instance: Any, attribute: "Attribute[Any]", value: Any) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{attribute.name} must be above zero, not {value}")


def _names(given: Iterable[str] | None) -> frozenset[str] | None:
    if isinstance(given, str):
        raise TypeError(f"allowed_contracts are several: write [{given!r}]")
    return None if given is None else frozenset(given)


@frozen(kw_only=True)
class RiskLimits:
    """None is no limit. Numbers may be Decimal, int or str.

    What makes a position smaller passes `max_position` and `max_daily_loss`; cancels and closes
    pass all of them.
    """

    max_order_size: Decimal | None = field(
        default=None, converter=exact_or_none, validator=_above_zero
    )
    """Of one order, in contracts."""
    max_position: Decimal | None = field(
        default=None, converter=exact_or_none, validator=_above_zero
    )
    """Of one contract, long or short, were every working order to fill."""
    max_orders_per_minute: int | None = field(default=None, validator=_above_zero)
    """Placed by this provider in any 60 seconds."""
    allowed_contracts: frozenset[str] | None = field(default=None, converter=_names)
    """Ids, symbols or roots; every other contract is refused."""
    max_daily_loss: Decimal | None = field(
        default=None, converter=exact_or_none, validator=_above_zero
    )
    """Realised, with fees and commissions, since the venue's trading day began; above zero."""

    def allows(self, contract: Contract) -> bool:
        allowed = self.allowed_contracts
        return allowed is None or not allowed.isdisjoint(
            (contract.id, contract.symbol, contract.root)
        )

    @property
    def needs_a_look(self) -> bool:
        """Whether the venue has to be asked before an order can pass."""
        return self.max_position is not None or self.max_daily_loss is not None


@frozen(kw_only=True)
class TradingDay:
    """When a venue begins to count a day anew, in its own time zone."""

    starts: time = time(0)
    zone: str = "UTC"

    @property
    def tzinfo(self) -> tzinfo:
        """The zone. Raises `ConfigError` where it is not installed."""
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # only here: few ask for it

        try:
            return ZoneInfo(self.zone)
        except ZoneInfoNotFoundError as error:
            raise ConfigError(
                f"this machine does not know the time zone {self.zone}: pip install tzdata"
            ) from error

    def began(self, now: datetime) -> datetime:
        """The latest beginning, aware. Raises `ConfigError` where the zone is not installed."""
        zone = self.tzinfo
        local = now.astimezone(zone)
        today = datetime.combine(local.date(), self.starts, zone)
        if today <= local:
            return today
        return datetime.combine(local.date() - timedelta(days=1), self.starts, zone)


def realised(trades: Iterable[Trade]) -> Decimal:
    """What the trades earned, fees and commissions deducted; voided ones count for nothing."""
    return sum((_result(trade) for trade in trades if not trade.voided), Decimal(0))


def _result(trade: Trade) -> Decimal:
    nothing = Decimal(0)
    costs = (trade.fees or nothing) + (trade.commissions or nothing)
    return (trade.realized_pnl or nothing) - costs
