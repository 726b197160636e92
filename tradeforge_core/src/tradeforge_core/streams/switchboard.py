"""Connects what the streams deliver with those who subscribed to it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from tradeforge_core.enums import GapCause, MarketDataType, StreamConnectionStatus, UserDataType
from tradeforge_core.errors import Disconnected, HandlerFailed, TradeForgeError
from tradeforge_core.events import (
    Event,
    Gap,
    HealthEvent,
    Lag,
    OrderOutcomeEvent,
    StatusChanged,
    Topic,
)
from tradeforge_core.kit.budget import RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.plugins import Plugins
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.handlers import HandlerRunner, log_failure
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.queue import EventQueue
from tradeforge_core.streams.silence import Silence
from tradeforge_core.streams.status import worst
from tradeforge_core.streams.subscriber import Subscriber
from tradeforge_core.streams.supervisor import StreamTimeouts, Supervisor
from tradeforge_core.streams.tally import StreamTally
from tradeforge_core.streams.watch import Watch

if TYPE_CHECKING:
    from tradeforge_core.health import StreamHealth, SubscriberHealth

_log = logging.getLogger("tradeforge_core")

_PRIVATE = frozenset(UserDataType)


class Switchboard:
    """The streams of one provider: who wants what, over which connection, and who gets it."""

    def __init__(
        self,
        provider: str,
        make_link: Callable[[str], StreamLink],
        stream_for: Callable[[Topic], str],
        *,
        plugins: Plugins,
        clock: Clock,
        backoff: Backoff,
        timeouts: StreamTimeouts,
        watch: Callable[[Event], Event | None] = lambda event: event,
        noticed: Callable[[HealthEvent], None] = lambda event: None,
    ) -> None:
        self._watch = watch
        self._noticed = noticed
        self._provider = provider
        self._make_link = make_link
        self._stream_for = stream_for
        self._plugins = plugins
        self._clock = clock
        self._backoff = backoff
        self._timeouts = timeouts
        self._tasks = TaskOwner()
        self._supervisors: dict[str, Supervisor] = {}
        self._holders: dict[object, tuple[Topic, ...]] = {}
        self._held: Counter[Topic] = Counter()
        self._standing: set[Topic] = set()
        self._wanted: set[Topic] = set()
        """What is held or stands: asked for every event, so it is kept and not worked out."""
        self._subscribers: dict[Topic, list[Subscriber]] = {}
        self._event_handlers: list[HandlerRunner] = []
        self._status_handlers: list[HandlerRunner] = []
        self._error_handlers: list[HandlerRunner] = []
        self._running = False
        self._tallies: dict[str, StreamTally] = {}
        self.silence = Silence(clock, stream_for, self._is_flowing, self.publish_health)
        self.watch = Watch(clock, self._watched, self._tell_lag, self.silence.look)
        self._watching: asyncio.Task[None] | None = None

    @property
    def status(self) -> StreamConnectionStatus:
        return worst(supervisor.status for supervisor in self._supervisors.values())

    def start(self) -> None:
        """Let the handlers work; needs a running event loop."""
        if not self._running:
            self._running = True
            self._watching = self._tasks.start(self.watch.run(), name="watch")
            for runner in self._runners():
                self._tasks.start(runner.begin(), name=runner.name)

    async def close(self) -> None:
        """End every connection and every iterator, and let the handlers finish what waits."""
        grace = _LAST_WORDS if self._running else 0.0
        self._running = False  # from here on nobody can join
        if self._watching is not None:
            self._watching.cancel()
        try:
            await asyncio.gather(*(one.close() for one in self._supervisors.values()))
        finally:  # also when whoever closes is cancelled
            self._end_all()
            await self._tasks.close(grace=grace)

    def _end_all(self) -> None:
        reason = Disconnected("disconnect() was called", sent=False)
        for queue in self._reached(self._subscribers):
            queue.end(reason)
        for runner in self._runners():
            runner.finish()
        self._supervisors.clear()
        self._holders.clear()
        self._held.clear()
        self._standing.clear()
        self._wanted.clear()
        self._subscribers.clear()

    # --- what is wanted ---

    async def acquire(self, holder: object, topics: tuple[Topic, ...]) -> None:
        """Hold the topics until `release`, and return once the venue has confirmed them."""
        if not self._running:
            raise Disconnected(f"{self._provider} was disconnected", sent=False)
        self._holders[holder] = topics
        self._held.update(topics)
        self._wanted.update(topics)
        try:
            await self._want(topics)
        except BaseException:  # cancelled or refused: the caller must not wait for the venue now
            self._forget(self._let_go(holder))
            raise

    def holds(self, holder: object) -> bool:
        return holder in self._holders

    async def release(self, holder: object) -> None:
        """Let go of what was acquired, and return once the venue has done so too."""
        await self._unwant(self._let_go(holder))

    def _let_go(self, holder: object) -> tuple[Topic, ...]:
        """What the holder held: nothing, if `close` came first."""
        topics = self._holders.pop(holder, ())
        self._held.subtract(topics)
        self._held += Counter()  # forget what nobody holds
        self._note_wanted(topics)
        return topics

    async def stand(self, topics: tuple[Topic, ...]) -> None:
        """Want the topics until `withdraw`, and return once the venue has confirmed them."""
        holder = object()  # until they stand: what fails here must not end what stands already
        await self.acquire(holder, topics)
        if not self._let_go(holder):
            raise Disconnected(f"{self._provider} was disconnected", sent=False)
        self._standing.update(topics)
        self._wanted.update(topics)

    async def withdraw(self, topics: tuple[Topic, ...]) -> None:
        """Let go of what stands; who iterates over it is told so."""
        self._standing.difference_update(topics)
        self._note_wanted(topics)
        reason = Disconnected("the subscription was taken back", sent=False)
        for topic in self._unwanted(topics):
            for queue in self._subscribers.pop(topic, ()):
                if not any(queue in others for others in self._subscribers.values()):
                    queue.end(reason)
        await self._unwant(topics)

    async def _want(self, topics: tuple[Topic, ...]) -> None:
        for stream, group in self._by_stream(topics).items():
            await self._supervisor(stream).add(group)

    async def _unwant(self, topics: tuple[Topic, ...]) -> None:
        self._forget(topics)  # all of them at once: the waiting can be cancelled
        for stream, group in self._by_stream(self._unwanted(topics)).items():
            if stream in self._supervisors:
                await self._supervisors[stream].remove(group)

    def _forget(self, topics: tuple[Topic, ...]) -> None:
        for stream, group in self._by_stream(self._unwanted(topics)).items():
            if stream in self._supervisors:
                self._supervisors[stream].forget(group)

    def _unwanted(self, topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
        return tuple(topic for topic in topics if topic not in self._wanted)

    def _note_wanted(self, topics: tuple[Topic, ...]) -> None:
        gone = (one for one in topics if one not in self._standing and not self._held[one])
        self._wanted.difference_update(gone)

    def _by_stream(self, topics: Iterable[Topic]) -> dict[str, list[Topic]]:
        groups: dict[str, list[Topic]] = {}
        for topic in topics:
            groups.setdefault(self._stream_for(topic), []).append(topic)
        return groups

    def connects(self, stream: str) -> RateBudget:
        """How often the stream may be connected: for a link that connects more than once."""
        return self._supervisor(stream).connects

    def _supervisor(self, stream: str) -> Supervisor:
        if stream not in self._supervisors:
            self._supervisors[stream] = Supervisor(
                stream,
                lambda: self._make_link(stream),
                publish=self.publish_health,
                report=self.report,
                fail=partial(self._fail, stream),
                tasks=self._tasks,
                clock=self._clock,
                backoff=self._backoff,
                timeouts=self._timeouts,
            )
        return self._supervisors[stream]

    # --- who gets it ---

    def attach(self, topics: tuple[Topic, ...]) -> EventQueue:
        """A queue that gets every event of the topics from now on."""
        queue = EventQueue(self._clock, overflowed=self.renew, filling=self._filling, topics=topics)
        self.join(queue, topics)
        return queue

    def join(self, subscriber: Subscriber, topics: tuple[Topic, ...]) -> None:
        """Give a subscriber every event of the topics, from now on until `detach`."""
        if not self._running:
            subscriber.end(Disconnected(f"{self._provider} was disconnected", sent=False))
            return
        for topic in topics:
            self._subscribers.setdefault(topic, []).append(subscriber)
        self.renew(topics)  # the book that others have was sent before this one came

    def detach(self, queue: Subscriber, topics: tuple[Topic, ...]) -> None:
        for topic in topics:
            queues = self._subscribers.get(topic, [])
            if queue in queues:
                queues.remove(queue)
            if not queues:
                self._subscribers.pop(topic, None)

    def publish(self, topic: Topic, event: Event) -> None:
        """Hand an event to all who want its topic; never waits and never raises."""
        if topic not in self._wanted:
            return
        if topic.kind in _PRIVATE:
            passed_on = self._watch(event)
            if passed_on is None:
                return  # it was told before
            event = passed_on
        if self.silence.pulses:
            self.silence.saw(topic, event)
        self._hand_out(topic, event)

    def repeat(self, topic: Topic, event: Event) -> None:
        """Hand out what the stream should have told, and is known already."""
        if topic in self._wanted:
            self._hand_out(topic, event)

    def wants(self, topic: Topic) -> bool:
        return topic in self._wanted

    def disclose(self, topic: Topic) -> bool:
        """Whether the topic is in a gap; its subscribers are told so, if they were not yet."""
        return self._supervisor(self._stream_for(topic)).disclose(topic)

    def _hand_out(self, topic: Topic, event: Event) -> None:
        for queue in self._subscribers.get(topic, ()):
            queue.put(topic, event)
        for runner in self._event_handlers:
            runner.queue.put(topic, event)
        if self._plugins.watches_events:
            self._plugins.saw_event(self._provider, event)

    def publish_outcome(self, event: OrderOutcomeEvent) -> None:
        """Hand it to who wants the orders of the account, and to the handlers."""
        self._hand_out(Topic(UserDataType.ORDER_UPDATE, event.outcome.account_id), event)

    def publish_health(self, event: HealthEvent, topics: Iterable[Topic]) -> None:
        """Hand a health event, once, to each who wants any of the topics, and to the handlers."""
        for queue in self._reached(topics):
            queue.put_health(event)
        for runner in self._event_handlers:
            runner.queue.put_health(event)
        if isinstance(event, Gap):
            self._tally(event.stream).saw_gap(event)
            if event.cause is GapCause.DECODE_ERROR:
                self.renew(event.topics)
        self._noticed(event)
        if isinstance(event, StatusChanged):
            self._tally(event.stream).saw_status(event, self._clock.monotonic())
            for runner in self._status_handlers:
                runner.queue.put_health(event)
            self._plugins.saw_status(self._provider, event)
        self._plugins.saw_stream_event(self._provider, event)

    def report(self, error: TradeForgeError) -> None:
        """Hand an error that no caller can catch to the handlers, or to the log."""
        takers = [one for one in self._error_handlers if not one.queue.has_ended]
        for runner in takers:
            runner.queue.put_health(error)
        if not takers:
            _log.error("%s", error, exc_info=error if isinstance(error, HandlerFailed) else None)

    def renew(self, topics: Iterable[Topic]) -> None:
        """Have the venue send whole again what it only sends changes of: books, after a gap."""
        books = (topic for topic in topics if topic.kind is MarketDataType.DEPTH)
        for stream, group in self._by_stream(books).items():
            if stream in self._supervisors:
                self._supervisors[stream].renew(group)

    def _fail(self, stream: str, error: TradeForgeError) -> None:
        """A stream has died of a fault: whoever waits for its data must not wait for ever."""
        lost = [topic for topic in self._subscribers if self._stream_for(topic) == stream]
        for queue in self._reached(lost):
            queue.end(error)

    def _reached(self, topics: Iterable[Topic]) -> list[Subscriber]:
        """Each subscriber of any of the topics, once."""
        return list({id(one): one for t in topics for one in self._subscribers.get(t, ())}.values())

    # --- how it is ---

    def streams_health(self) -> "tuple[StreamHealth, ...]":
        from tradeforge_core.streams.reading import stream_health  # only here: importing is cheap

        now = self._clock.monotonic()
        return tuple(
            stream_health(name, tally, self._supervisors.get(name), now)
            for name, tally in sorted(self._tallies.items())
        )

    def subscribers_health(self) -> "tuple[SubscriberHealth, ...]":
        from tradeforge_core.streams.reading import handler_health, subscriber_health

        iterators = (subscriber_health(one, self.watch) for one in self._iterators())
        handlers = (handler_health(one, self.watch) for one in self._runners())
        return (*iterators, *handlers)

    def _tally(self, stream: str) -> StreamTally:
        return self._tallies.setdefault(stream, StreamTally())

    def _iterators(self) -> list[EventQueue]:
        return [one for one in self._reached(self._subscribers) if isinstance(one, EventQueue)]

    def _watched(self) -> list[EventQueue]:
        return [*self._iterators(), *(runner.queue for runner in self._event_handlers)]

    def _filling(self, queue: EventQueue) -> None:
        # not at once: an event may be on its way to others, who get both in the same order
        asyncio.get_running_loop().call_soon(self.watch.judge, queue)

    def _tell_lag(self, lag: Lag, late: EventQueue) -> None:
        """Tell the late one, and all handlers; it costs none of them anything else."""
        for queue in dict.fromkeys((late, *(runner.queue for runner in self._event_handlers))):
            queue.put_warning(lag)
        self._plugins.saw_stream_event(self._provider, lag)

    def _is_flowing(self, topic: Topic) -> bool | None:
        """Whether the venue delivers it; None if nobody wants it."""
        if topic not in self._wanted:
            return None
        return self._tally(self._stream_for(topic)).status is StreamConnectionStatus.LIVE

    # --- the handlers ---

    def on_event(self, handler: Callable[[Any], object]) -> None:
        runner = HandlerRunner(
            handler, self._clock, self.report, self.renew, self._filling, self.watch.name_block
        )
        self._add(self._event_handlers, runner)

    def on_status_change(self, handler: Callable[[Any], object]) -> None:
        self._add(
            self._status_handlers,
            HandlerRunner(handler, self._clock, self.report, blocked=self.watch.name_block),
        )

    def on_error(self, handler: Callable[[Any], object]) -> None:
        # an error handler that fails is only logged: reporting it would call it again
        self._add(
            self._error_handlers,
            HandlerRunner(handler, self._clock, log_failure, blocked=self.watch.name_block),
        )

    def _add(self, runners: list[HandlerRunner], runner: HandlerRunner) -> None:
        runners.append(runner)
        if self._running:
            self._tasks.start(runner.begin(), name=runner.name)

    def _runners(self) -> list[HandlerRunner]:
        return [*self._event_handlers, *self._status_handlers, *self._error_handlers]


_LAST_WORDS = 1.0
"""Seconds that handlers have to finish at `disconnect()`."""
