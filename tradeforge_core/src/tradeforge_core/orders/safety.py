"""How carefully a provider trades: where it keeps its journal, its limits, its patience."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from random import Random

from attrs import field, frozen
from attrs.validators import ge, gt, le

from tradeforge_core.errors import ConfigError
from tradeforge_core.kit.chance import new_random
from tradeforge_core.orders.limits import RiskLimits

_HOUR = 3600.0


class JournalKind(StrEnum):
    DURABLE = "durable"
    """A file for each account, in the state folder of this user: it survives a crash."""
    MEMORY = "memory"
    """Nothing is written: after a crash nobody knows what was on its way."""


@frozen(kw_only=True)
class LookUps:
    """When to look for an order whose answer was lost; in seconds."""

    pauses: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    """Before each look; the last one repeats. A fifth more or less, by chance."""
    deadline: float = 30.0
    """When `place_order` and the like stop waiting and raise `OrderOutcomeUnknown`."""
    settle: float = 10.0
    """How long a venue may take to book what it has received: sooner, nothing is absent."""
    complete_looks: int = 3
    """How many looks that found nothing make it absent."""
    slow: float = 60.0
    """Between looks after the deadline."""
    _random: Random = field(factory=new_random, repr=False)

    def waits(self) -> Iterator[float]:
        """The pause before each look."""
        for pause in self.pauses:
            yield self._about(pause)
        while True:
            yield self._about(self.pauses[-1])

    def _about(self, pause: float) -> float:
        return pause * self._random.uniform(0.8, 1.2)


@frozen(kw_only=True)
class Protection:
    """How entries with a bracket are looked after; in seconds.

    Of both times the first half is left to the venue, for exits that come late.
    """

    within: float = field(default=5.0, validator=[gt(0.0), le(_HOUR)])
    """From the look that misses an exit until that is reported and, with `flatten`, all is flat."""
    flatten: bool = False
    """Leave the contract of an entry without its exits: cancel its orders, close its position."""
    confirm: float = field(default=2.0, validator=[ge(0.0), le(_HOUR)])
    """The longest that `place_order` waits to see the exits; with 0 it does not look for them."""

    @property
    def patience(self) -> float:
        return self.within / 2

    @property
    def first_patience(self) -> float:
        return self.confirm / 2


@frozen(kw_only=True)
class OrderSafety:
    """The settings of the order path; give it to `load_provider`."""

    journal: JournalKind = field(default=JournalKind.DURABLE, converter=JournalKind)
    limits: RiskLimits = RiskLimits()
    look_ups: LookUps = field(factory=LookUps)
    protection: Protection = Protection()
    risk_while_unknown: bool = False
    """Let new risk pass in a contract of which an outcome is unknown."""

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "OrderSafety":
        """What the environment says. Raises `ConfigError` for what cannot be meant."""
        allowed = settings.get("TRADEFORGE_ALLOWED_CONTRACTS")
        pace = settings.get("TRADEFORGE_MAX_ORDERS_PER_MINUTE")
        try:
            limits = RiskLimits(
                max_order_size=settings.get("TRADEFORGE_MAX_ORDER_SIZE"),
                max_position=settings.get("TRADEFORGE_MAX_POSITION"),
                max_orders_per_minute=None if pace is None else int(pace),
                allowed_contracts=None if allowed is None else _words(allowed),
                max_daily_loss=settings.get("TRADEFORGE_MAX_DAILY_LOSS"),
            )
            journal = JournalKind(settings.get("TRADEFORGE_JOURNAL", JournalKind.DURABLE))
            protection = _protection(settings.get("TRADEFORGE_FLATTEN_UNPROTECTED"))
        except ValueError as error:
            raise ConfigError(f"a TRADEFORGE_ setting is not right: {error}") from error
        return cls(journal=journal, limits=limits, protection=protection)


def _protection(within: str | None) -> Protection:
    return Protection() if within is None else Protection(within=float(within), flatten=True)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
