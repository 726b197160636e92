"""What is read off a stream and a subscriber, as the models of `provider.health`."""

from attrs import evolve

from tradeforge_core.health import StreamHealth, SubscriberHealth
from tradeforge_core.streams.handlers import HandlerRunner
from tradeforge_core.streams.queue import EventQueue
from tradeforge_core.streams.supervisor import Supervisor
from tradeforge_core.streams.tally import StreamTally
from tradeforge_core.streams.watch import Watch


def stream_health(
    name: str, tally: StreamTally, supervisor: Supervisor | None, now: float
) -> StreamHealth:
    """`now` is of the monotonic clock; a stream that was closed has no supervisor."""
    return StreamHealth(
        name=name,
        status=tally.status,
        generation=tally.generation,
        connected_since=tally.connected_since,
        heard_at=None if supervisor is None else supervisor.heard_at,
        reconnects=tally.reconnects,
        gaps=dict(tally.gaps),
        seconds_stale=tally.seconds_stale(now),
    )


def subscriber_health(queue: EventQueue, watch: Watch) -> SubscriberHealth:
    return SubscriberHealth(
        name=queue.name,
        topics=queue.topics,
        waiting=len(queue),
        limit=queue.limit,
        lag=queue.age,
        conflated=queue.conflated,
        dropped=queue.dropped,
        is_late=watch.is_late(queue),
        has_ended=queue.has_ended,
    )


def handler_health(runner: HandlerRunner, watch: Watch) -> SubscriberHealth:
    return evolve(
        subscriber_health(runner.queue, watch),
        slow_calls=runner.stopwatch.slow_calls,
        longest_block=runner.stopwatch.longest_block,
    )
