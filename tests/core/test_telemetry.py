"""What OpenTelemetry is told: read back by its own SDK."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tradeforge_core import (
    BudgetHealth,
    Gap,
    GapCause,
    Health,
    JournalKind,
    MarketDataType,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Plugins,
    StreamConnectionStatus,
    StreamHealth,
    SubscriberHealth,
)
from tradeforge_core.streams.queue import LIMIT
from tradeforge_core.telemetry import METRICS, Telemetry
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

TRADE = MarketDataType.TRADE
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
NewBroker = Callable[..., "FakeProvider"]


class Told:
    """What was told so far."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._spans = InMemorySpanExporter()
        self.meters = MeterProvider([self._reader])
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.telemetry = Telemetry(meter_provider=self.meters, tracer_provider=self.tracers)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._spans.get_finished_spans()

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        scopes = (one for of in (data.resource_metrics if data else ()) for one in of.scope_metrics)
        metrics = [one for scope in scopes for one in scope.metrics if one.name == name]
        return [point for metric in metrics for point in metric.data.data_points]

    def values(self, name: str, key: str) -> dict[str, float]:
        """The values of a metric, by one of its attributes."""
        return {point.attributes[key]: point.value for point in self.points(name)}


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.meters.shutdown()
    told.tracers.shutdown()


@pytest.fixture
async def broker(new_broker: NewBroker, told: Told) -> "FakeProvider":
    safety = OrderSafety(journal=JournalKind.MEMORY)
    broker = new_broker(plugins=Plugins([told.telemetry], installed=False), safety=safety)
    await broker.connect()
    told.telemetry.watch(broker)
    return broker


async def test_a_connection_that_is_lost_and_made_again(
    broker: "FakeProvider",
    venue: "FakeVenue",
    told: Told,
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    await broker.subscribe_market_data("ABC", [TRADE])
    venue.may_open.clear()
    venue.link.lose()
    await eventually(lambda: len(venue.links) == 2)
    clock.advance(3)
    venue.may_open.set()
    await eventually(lambda: broker.status is StreamConnectionStatus.LIVE)
    assert told.values("tradeforge.stream.connections", "stream") == {"market": 2}
    assert told.values("tradeforge.stream.losses", "stream") == {"market": 1}
    assert told.values("tradeforge.stream.gaps", "cause") == {GapCause.DISCONNECTED: 1}
    assert [point.sum for point in told.points("tradeforge.stream.gap")] == [3.0]
    assert told.values("tradeforge.stream.stale", "stream") == {"market": 3.0}


async def test_a_subscriber_that_is_late(
    broker: "FakeProvider", make: "Make", told: Told, clock: ManualClock
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]) as stream:
        aiter(stream)
        for _ in range(LIMIT // 2):
            broker.publish(make.TRADE, make.trade())
        for _ in range(3):
            await asyncio.sleep(0)
        assert told.values("tradeforge.subscriber.lags", "stream") == {"subscriber": 1}
        assert told.values("tradeforge.subscriber.fill", "subscriber")["iterator"] >= 0.5
        clock.advance(2)
        assert told.values("tradeforge.subscriber.lag", "subscriber") == {"iterator": 2.0}


async def test_a_topic_that_falls_silent(
    broker: "FakeProvider", make: "Make", told: Told, clock: ManualClock
) -> None:
    broker.expect_market_data("ABC", TRADE, within=1)
    await broker.subscribe_market_data("ABC", [TRADE])
    for _ in range(8):
        clock.advance(0.25)
        for _ in range(3):
            await asyncio.sleep(0)
    assert told.values("tradeforge.stream.silences", "stream") == {"market": 1}
    broker.publish(make.TRADE, attrs.evolve(make.trade(), received=clock.now()))
    (length,) = told.points("tradeforge.stream.silence")
    assert length.count == 1
    assert told.values("tradeforge.stream.silences", "stream") == {"market": 1}


async def test_an_order_is_a_span_under_that_of_who_asked(
    broker: "FakeProvider", told: Told
) -> None:
    tracer = told.tracers.get_tracer("of the test")
    with tracer.start_as_current_span("a decision") as decision:
        order = await broker.place_order(OrderRequest.market("1", "ABC", OrderSide.BUY, 1))
    placed, outer = told.spans
    assert placed.name == "place order"
    assert placed.parent is not None
    assert placed.parent.span_id == decision.get_span_context().span_id
    assert dict(placed.attributes or {}) == {
        "provider": "fake",
        "operation": "place",
        "outcome": "Accepted",
        "client_order_id": order.client_order_id,
        "contract_id": "ABC",
        "order_id": order.id,
    }
    assert placed.start_time is not None
    assert placed.end_time is not None
    assert placed.start_time <= placed.end_time
    assert placed.status.is_unset
    assert outer.name == "a decision"


async def test_an_order_that_is_refused_is_an_error(broker: "FakeProvider", told: Told) -> None:
    broker.write_error = OrderRejected("too late", code="9")
    with pytest.raises(OrderRejected):
        await broker.place_order(OrderRequest.market("1", "ABC", OrderSide.BUY, 1))
    (span,) = told.spans
    assert not span.status.is_ok and not span.status.is_unset
    assert told.values("tradeforge.order.outcomes", "outcome") == {"Rejected": 1}
    (duration,) = told.points("tradeforge.order.duration")
    assert duration.count == 1


async def test_unknown_outcomes_and_the_loop_are_gauges(broker: "FakeProvider", told: Told) -> None:
    for name in ("order.unknown", "order.unknown.age", "loop.lag"):
        assert told.values(f"tradeforge.{name}", "provider") == {"fake": 0}


def test_what_was_missed_is_counted_event_by_event(told: Told, clock: ManualClock) -> None:
    now = clock.now()
    for dropped in (3, None):
        gap = Gap(stream="user", cause=GapCause.MISSED, topics=(), dropped=dropped, received=now)
        told.telemetry.tradeforge_health("fake", gap)
    assert told.values("tradeforge.events.missed", "stream") == {"user": 4}


def test_who_watches_nobody_has_nothing_to_show(told: Told) -> None:
    assert told.points("tradeforge.loop.lag") == []


async def test_no_account_is_in_what_is_told(
    broker: "FakeProvider", told: Told, clock: ManualClock
) -> None:
    await broker.place_order(OrderRequest.market("1", "ABC", OrderSide.BUY, 1))
    clock.advance(1)
    everything = [dict(span.attributes or {}) for span in told.spans]
    everything += [dict(point.attributes) for name in METRICS for point in told.points(name)]
    assert everything
    assert not [one for one in everything if "account" in str(one)]


def test_without_the_extra_nothing_is_told_and_nothing_fails() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None
from datetime import UTC, datetime
from tradeforge_core import Plugins, StatusChanged, StreamConnectionStatus, outcomes
from tradeforge_core.telemetry import Telemetry
plugins = Plugins([Telemetry()], installed=False)
now = datetime(2026, 3, 2, tzinfo=UTC)
live, idle = StreamConnectionStatus.LIVE, StreamConnectionStatus.IDLE
change = StatusChanged(stream="s", status=live, previous=idle, generation=1, received=now)
plugins.saw_health("fake", change)
not_sent = outcomes.NotSent(
    client_order_id="x", operation="place", account_id="1", time=now, reason="no"
)
plugins.saw_outcome("fake", not_sent)
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_metric_has_its_place() -> None:
    listed = re.findall(r"^\| `(tradeforge\.[\w.]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(METRICS)


@pytest.mark.parametrize("model", [Health, StreamHealth, SubscriberHealth, BudgetHealth])
def test_every_field_of_health_has_its_place(model: type) -> None:
    words = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    assert {one.name for one in attrs.fields(model)} <= words
