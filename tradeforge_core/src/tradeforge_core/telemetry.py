"""OpenTelemetry of providers: an add-on that turns what they tell into metrics and spans.

It needs the extra `telemetry`; without it nothing is told, and nothing fails. No credential and no
account is in an attribute.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from tradeforge_core.enums import GapCause, StreamConnectionStatus
from tradeforge_core.events import Gap, HealthEvent, Lag, Stale, StatusChanged
from tradeforge_core.health import Health
from tradeforge_core.hookspecs import hookimpl
from tradeforge_core.orders.client_ids import made_at
from tradeforge_core.outcomes import OrderOutcome, Unknown
from tradeforge_core.provider import Provider

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_log = logging.getLogger("tradeforge_core")

_SCOPE = "tradeforge"
_COUNTERS = {
    "tradeforge.stream.connections": "connections made",
    "tradeforge.stream.losses": "connections lost",
    "tradeforge.stream.gaps": "gaps that have ended, by cause",
    "tradeforge.events.missed": "events that were lost and found by a look at the venue's records",
    "tradeforge.stream.silences": "topics that fell silent though data was expected",
    "tradeforge.subscriber.lags": "subscribers that became late",
    "tradeforge.order.outcomes": "what became of requests, by operation and outcome",
}
_HISTOGRAMS = {
    "tradeforge.stream.gap": "length of a gap, by cause",
    "tradeforge.stream.silence": "length of a silence of a topic",
    "tradeforge.subscriber.late": "how long a subscriber was late",
    "tradeforge.order.duration": "from the request to its outcome, by operation and outcome",
}

Point = tuple[float, dict[str, str]]
"""A value and what it is of."""


def _lags(health: Health) -> Iterator[Point]:
    for one in health.subscribers:
        yield one.lag, {"subscriber": one.name}


def _waiting(health: Health) -> Iterator[Point]:
    for one in health.subscribers:
        yield one.waiting / one.limit, {"subscriber": one.name}


def _stale(health: Health) -> Iterator[Point]:
    for one in health.streams:
        yield one.seconds_stale, {"stream": one.name}


def _budgets(health: Health) -> Iterator[Point]:
    for one in health.budgets:
        yield one.used / one.limit, {"budget": one.name}


_GAUGES: dict[str, tuple[str, str, Callable[[Health], Iterable[Point]]]] = {
    "tradeforge.subscriber.lag": ("s", "age of the event that is read next", _lags),
    "tradeforge.subscriber.fill": ("1", "used share of a queue", _waiting),
    "tradeforge.stream.stale": ("s", "relied on and not live, in all", _stale),
    "tradeforge.order.unknown": (
        "{request}",
        "requests whose outcome is unknown",
        lambda health: [(health.unknown_outcomes, {})],
    ),
    "tradeforge.order.unknown.age": (
        "s",
        "age of the oldest of them",
        lambda health: [(health.oldest_unknown, {})],
    ),
    "tradeforge.loop.lag": ("s", "delay of the event loop", lambda health: [(health.loop_lag, {})]),
    "tradeforge.budget.used": ("1", "used share of a request limit of the venue", _budgets),
}

METRICS = (*_COUNTERS, *_HISTOGRAMS, *_GAUGES)


class Telemetry:
    """Give it to `load_provider(..., plugins=[telemetry])`, and then `telemetry.watch(broker)`.

    Without arguments it tells the providers that OpenTelemetry has been set up with globally.
    """

    def __init__(
        self,
        *,
        meter_provider: "MeterProvider | None" = None,
        tracer_provider: "TracerProvider | None" = None,
    ) -> None:
        self._watched: WeakSet[Provider] = WeakSet()
        self._counters: dict[str, Any] = {}
        self._histograms: dict[str, Any] = {}
        self._trace: Any = None
        self._tracer: Any = None
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            _log.info("no telemetry: install tradeforge-core[telemetry]")
            return
        self._trace = trace
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._make_instruments(metrics, metrics.get_meter(_SCOPE, meter_provider=meter_provider))

    def watch(self, broker: Provider) -> None:
        """Read the health of this provider whenever metrics are collected, while it is in use."""
        self._watched.add(broker)

    def _make_instruments(self, metrics: Any, meter: Any) -> None:
        for name, text in _COUNTERS.items():
            self._counters[name] = meter.create_counter(name, description=text)
        for name, text in _HISTOGRAMS.items():
            self._histograms[name] = meter.create_histogram(name, unit="s", description=text)
        for name, (unit, text, read) in _GAUGES.items():
            meter.create_observable_gauge(
                name, [self._reader(read, metrics.Observation)], unit=unit, description=text
            )

    def _reader(
        self, read: Callable[[Health], Iterable[Point]], observation: Any
    ) -> Callable[[object], list[Any]]:
        def points(options: object) -> list[Any]:
            return [
                observation(value, {"provider": broker.name, **of})
                for broker in tuple(self._watched)
                for value, of in read(broker.health)
            ]

        return points

    # --- what is told ---

    @hookimpl
    def tradeforge_health(self, provider: str, event: HealthEvent) -> None:
        if not self._counters:
            return
        of = {"provider": provider, "stream": event.stream}
        match event:
            case StatusChanged():
                self._saw_status(event, of)
            case Gap(is_open=False):
                self._saw_gap(event, of | {"cause": str(event.cause)})
            case Lag():
                self._saw_span("subscriber.lags", "subscriber.late", event, of)
            case Stale():
                self._saw_span("stream.silences", "stream.silence", event, of)

    def _count(self, name: str, of: dict[str, str], amount: int = 1) -> None:
        self._counters[f"tradeforge.{name}"].add(amount, of)

    def _measure(self, name: str, of: dict[str, str], since: datetime, until: datetime) -> None:
        seconds = max((until - since).total_seconds(), 0.0)
        self._histograms[f"tradeforge.{name}"].record(seconds, of)

    def _saw_status(self, change: StatusChanged, of: dict[str, str]) -> None:
        was_connecting = change.previous is StreamConnectionStatus.CONNECTING
        if was_connecting and change.status is StreamConnectionStatus.SUBSCRIBING:
            self._count("stream.connections", of)
        elif change.status is StreamConnectionStatus.RECONNECTING and not was_connecting:
            self._count("stream.losses", of)

    def _saw_gap(self, gap: Gap, of: dict[str, str]) -> None:
        self._count("stream.gaps", of)
        if gap.since is not None and gap.until is not None:
            self._measure("stream.gap", of, gap.since, gap.until)
        if gap.cause is GapCause.MISSED:
            self._count("events.missed", of, gap.dropped or 1)

    def _saw_span(self, count: str, measure: str, event: Lag | Stale, of: dict[str, str]) -> None:
        """Counted when it begins, measured when it ends."""
        if event.until is None:
            self._count(count, of)
        else:
            self._measure(measure, of, event.since, event.until)

    @hookimpl
    def tradeforge_order_outcome(self, provider: str, outcome: OrderOutcome) -> None:
        if not self._counters:
            return
        began = _began(outcome)
        of = {
            "provider": provider,
            "operation": str(outcome.operation),
            "outcome": type(outcome).__name__,
        }
        self._count("order.outcomes", of)
        self._measure("order.duration", of, began, outcome.time)
        self._draw(outcome, began, of)

    def _draw(self, outcome: OrderOutcome, began: datetime, of: dict[str, str]) -> None:
        """A span under that of whoever asked."""
        known = {
            "client_order_id": outcome.client_order_id,
            "contract_id": outcome.contract_id,
            "order_id": outcome.order_id,
        }
        span = self._tracer.start_span(
            f"{of['operation']} order",
            start_time=_nanoseconds(began),
            attributes=of | {name: value for name, value in known.items() if value is not None},
        )
        if of["outcome"] != "Accepted":
            span.set_status(self._trace.StatusCode.ERROR, of["outcome"])
        span.end(end_time=_nanoseconds(outcome.time))


def _began(outcome: OrderOutcome) -> datetime:
    """When the request was made; names that are not ours do not tell."""
    made = made_at(outcome.client_order_id)
    if made is None:
        made = outcome.since if isinstance(outcome, Unknown) else outcome.time
    return min(made, outcome.time)


def _nanoseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000) * 1_000
