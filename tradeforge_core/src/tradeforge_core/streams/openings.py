"""Whether the market of a topic is open now, as far as anybody has said when it is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tradeforge_core.errors import TradeForgeError
from tradeforge_core.events import Topic
from tradeforge_core.kit.clock import Clock

if TYPE_CHECKING:
    from tradeforge_core.hours import MarketHours


class Openings:
    """Asks for the hours of each contract until it has them; a failure is reported once."""

    def __init__(
        self,
        hours_of: Callable[[str], "MarketHours | None"],
        clock: Clock,
        report: Callable[[TradeForgeError], None],
    ) -> None:
        self._hours_of = hours_of
        self._clock = clock
        self._report = report
        self._hours: dict[str, MarketHours] = {}
        self._troubled: set[str] = set()
        """What was reported: contracts without their hours, and tables that have ended."""

    def is_open(self, topic: Topic) -> bool:
        """Without hours always; where they cannot be known never, so that no silence is told."""
        try:
            hours = self._hours.get(topic.key) or self._hours_of(topic.key)
            return hours is None or self._is_open(topic.key, hours)
        except TradeForgeError as error:
            self._tell_once(topic.key, error)
            return False
        except Exception as error:  # noqa: BLE001  # a provider's code must not end the watch
            broken = TradeForgeError(f"the hours of {topic.key} failed: {error!r}")
            broken.__cause__ = error
            self._tell_once(topic.key, broken)
            return False

    def _is_open(self, contract_id: str, hours: "MarketHours") -> bool:
        self._hours[contract_id] = hours
        now = self._clock.now()
        if now >= hours.known_until:
            ended = f"the hours of {hours.name} are not known any more: no silence is told of them"
            self._tell_once(hours.name, TradeForgeError(ended))
        return hours.is_open(now)

    def _tell_once(self, what: str, error: TradeForgeError) -> None:
        if what not in self._troubled:
            self._troubled.add(what)
            self._report(error)
