"""Keeps one connection of a venue alive, and says what becomes of it.

Every connection is a numbered generation that owns its tasks and joins them before the next one
starts. What is wanted is a set of topics; each generation brings the venue in step with it. It
never gives up by count: it ends when nothing is wanted any more, or by `close()`.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial

from attrs import frozen

from tradeforge_core.enums import GapCause, StreamConnectionStatus
from tradeforge_core.errors import (
    Disconnected,
    RequestTimeout,
    TradeForgeError,
    TransportError,
    VenueError,
)
from tradeforge_core.events import Gap, HealthEvent, StatusChanged, Topic
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner, first_error, not_cancelled, stop_if_cancelled
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.coverage import Coverage, Hole
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.topics import names_of
from tradeforge_core.streams.waiters import Waiters


@frozen(kw_only=True)
class StreamTimeouts:
    """In seconds."""

    connect: float = 15.0
    """To make a connection."""
    confirm: float = 30.0
    """To have a subscription confirmed by the venue."""
    renew: float = 10.0
    """Between two times that a topic is subscribed anew, because some of its data was lost here."""
    linger: float = 5.0
    """To keep a connection that nothing is wanted of, for who comes back soon."""


class Supervisor:
    """Supervises the connection named `name`; `make_link` makes one generation of it."""

    def __init__(
        self,
        name: str,
        make_link: Callable[[], StreamLink],
        *,
        publish: Callable[[HealthEvent, Iterable[Topic]], None],
        report: Callable[[TradeForgeError], None],
        fail: Callable[[TradeForgeError], None],
        tasks: TaskOwner,
        clock: Clock,
        backoff: Backoff,
        timeouts: StreamTimeouts,
    ) -> None:
        self.name = name
        self.status = StreamConnectionStatus.IDLE
        self.generation = 0
        self._make_link = make_link
        self._publish = publish
        self._report = report
        self._fail = fail
        self._tasks = tasks
        self._clock = clock
        self._backoff = backoff
        self._timeouts = timeouts
        self._coverage = Coverage()
        self._waiters = Waiters()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._link: StreamLink | None = None
        self._ever_live = False
        self._live_since = math.inf
        """When this connection was live for the first time, by the monotonic clock."""
        self.connects = RateBudget(backoff.attempts_a_minute, _MINUTE, clock=clock)
        """How often it may be connected, whatever becomes of it."""
        self._leave_at = math.inf
        """When the connection has lingered enough, by the monotonic clock."""

    @property
    def heard_at(self) -> datetime | None:
        """When the newest frame came; None while there is no connection."""
        return None if self._link is None else self._link.heard_at

    async def add(self, topics: Iterable[Topic]) -> None:
        """Want these topics, and return once the venue has confirmed all of them.

        Raises `VenueError` for a topic that the venue refuses, whatever the first connection
        fails of, and `RequestTimeout`. What raises is not wanted any more.
        """
        wanted = frozenset(topics)
        self._coverage.want(wanted)
        self._changed.set()
        self._ensure_running()
        try:
            await self._waiters.wait(wanted, self._timeouts.confirm)
        except TimeoutError:
            raise RequestTimeout(
                f"the venue did not confirm {names_of(wanted)} within"
                f" {self._timeouts.confirm:g} s; the {self.name} stream is {self.status}"
            ) from None

    async def remove(self, topics: Iterable[Topic]) -> None:
        """Stop wanting these topics, and return once the venue has let go of them."""
        gone = frozenset(topics)
        self.forget(gone)
        while self._coverage.is_held(gone):
            try:
                await self._waiters.wait(frozenset(), self._timeouts.confirm)
            except (TimeoutError, TransportError):
                return  # a connection that is lost has no subscriptions left

    def forget(self, topics: Iterable[Topic]) -> None:
        """Stop wanting these topics; the venue lets go of them when it can."""
        self._coverage.forget(frozenset(topics))
        self._changed.set()

    def renew(self, topics: Iterable[Topic]) -> None:
        """Subscribe anew to those of the topics that are wanted, as soon as they may be."""
        self._coverage.doubtful |= self._coverage.wanted.intersection(topics)
        self._changed.set()

    async def close(self) -> None:
        """End the connection for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._waiters.fail(Disconnected("disconnect() was called", sent=False))
        self._become(StreamConnectionStatus.CLOSED, "disconnect() was called")

    def _ensure_running(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._tasks.start(self._run(), name=f"stream {self.name}")

    async def _run(self) -> None:
        try:
            await self._supervise()
        except Exception as error:  # noqa: BLE001  # a fault of ours must not end in silence
            self._die(self._explained(error))

    def _die(self, error: TradeForgeError) -> None:
        """Tell all who wait. Nothing is known any more; who subscribes anew begins from nothing."""
        self._waiters.fail(error)
        try:
            self._become(StreamConnectionStatus.CLOSED, str(error))
        finally:
            self._coverage = Coverage()
            self._fail(error)

    async def _supervise(self) -> None:
        failures = 0
        self._ever_live = False
        while self._coverage.wanted:
            self.generation += 1
            self._live_since = math.inf
            error = await self._one_generation()
            stop_if_cancelled()
            if error is None:
                continue
            was_live = self._clock.monotonic() - self._live_since
            failures = 0 if was_live >= self._backoff.steady_after else failures + 1
            if not self._ever_live:
                self._fail_first_contact(error)
            # who comes to a connection that lingers and is lost has one more to hope for
            self._ever_live = bool(self._coverage.relied_on)
            if self._coverage.wanted:
                self._become(StreamConnectionStatus.RECONNECTING, str(error))
                await self._clock.sleep(self._backoff.delay(failures))
        self._become(StreamConnectionStatus.IDLE, "nothing is subscribed")

    async def _one_generation(self) -> TradeForgeError | None:
        """Why the connection ended, None if nothing was wanted any more.

        It is closed and all its tasks are joined by then.
        """
        self._become(StreamConnectionStatus.CONNECTING, None)
        link: StreamLink | None = None
        try:
            link = self._make_link()
            await self._open(link)
            self._link = link
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(_read(link), name=f"reader {self.name}")
                await self._keep_in_step(link, tasks)
                reader.cancel()
        except BaseExceptionGroup as group:
            return self._explained(first_error(group))
        except Exception as error:  # noqa: BLE001  # whatever ends a connection, the next one starts
            return self._explained(error)
        finally:
            self._link = None
            if link is not None:
                try:
                    self._note_loss(link.heard_at)
                finally:
                    await self._close(link)
        return None

    async def _close(self, link: StreamLink) -> None:
        try:
            # in a task of its own: a cancellation must not leave half a connection behind
            await self._tasks.run(link.close(), name=f"closing {self.name}")
        except Exception as error:  # noqa: BLE001  # nor must it end the supervision
            self._explained(error)

    async def _open(self, link: StreamLink) -> None:
        try:
            async with self.connects.slot(Lane.READ), asyncio.timeout(self._timeouts.connect):
                await not_cancelled(link.open())
        except TimeoutError:
            raise RequestTimeout(f"no connection within {self._timeouts.connect:g} s") from None

    async def _keep_in_step(self, link: StreamLink, tasks: asyncio.TaskGroup) -> None:
        """Return once nothing has been wanted for a while."""
        self._become(StreamConnectionStatus.SUBSCRIBING, None)
        self._leave_at = math.inf
        while not self._has_lingered():
            self._changed.clear()
            self._catch_up(link, tasks)
            self._judge()
            self._waiters.confirm(self._coverage.confirmed)
            await self._something_to_do(tasks)

    def _has_lingered(self) -> bool:
        now = self._clock.monotonic()
        unused = self._coverage.is_empty
        self._leave_at = min(self._leave_at, now + self._timeouts.linger) if unused else math.inf
        return now >= self._leave_at

    async def _something_to_do(self, tasks: asyncio.TaskGroup) -> None:
        """Return once something has changed, or it is time for what was put off."""
        at = min(self._coverage.next_at(), self._leave_at)
        alarm = tasks.create_task(self._ring(at)) if math.isfinite(at) else None
        await self._changed.wait()
        if alarm is not None:
            alarm.cancel()

    async def _ring(self, at: float) -> None:
        if (left := at - self._clock.monotonic()) > 0:
            await self._clock.sleep(max(left, _LEAST_NAP))
        self._changed.set()

    def _catch_up(self, link: StreamLink, tasks: asyncio.TaskGroup) -> None:
        """Each topic is asked for by itself: one that the venue is slow with delays no other."""
        now = self._clock.monotonic()
        for topic in self._coverage.to_ask(now):
            self._coverage.busy.add(topic)
            tasks.create_task(self._confirm(link, topic))
        for topic in self._coverage.to_let_go():
            self._coverage.busy.add(topic)
            self._coverage.confirmed.discard(topic)
            tasks.create_task(self._let_go(link, topic))
        for topic in self._coverage.to_renew(now):  # once let go, it is asked for like any other
            self._begin_gap(topic, link.heard_at, GapCause.RENEWED)
            self._coverage.busy.add(topic)
            self._coverage.renew(topic, now + self._timeouts.renew)
            tasks.create_task(self._let_go(link, topic))

    async def _confirm(self, link: StreamLink, topic: Topic) -> None:
        asking = self._waiters.asking(topic)
        try:
            await self._in_time(link.subscribe(topic, partial(self._end_gap, topic)))
        except VenueError as error:
            self._refuse(link, topic, error)
        except RequestTimeout as error:
            later = [one for one in self._waiters.asking(topic) if one not in asking]
            if topic in self._coverage.relied_on:
                raise  # a new connection may do better
            if not later:  # who asked in the meantime has the next attempt
                self._refuse(link, topic, error)
        else:
            self._end_gap(topic, link.heard_at)
            self._coverage.confirm(topic)
        self._done_with(topic)

    async def _let_go(self, link: StreamLink, topic: Topic) -> None:
        try:
            await self._in_time(link.unsubscribe(topic))
        except (VenueError, RequestTimeout) as error:
            self._report(error)
        self._done_with(topic)

    async def _in_time(self, request: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._timeouts.confirm):
                await not_cancelled(request)
        except TimeoutError:
            raise RequestTimeout(
                f"the venue did not answer the {self.name} stream within"
                f" {self._timeouts.confirm:g} s"
            ) from None

    def _done_with(self, topic: Topic) -> None:
        self._coverage.busy.discard(topic)
        self._changed.set()

    def _refuse(self, link: StreamLink, topic: Topic, error: TradeForgeError) -> None:
        """Tell those who asked; what others rely on is asked for again, after a while."""
        self._waiters.refuse(topic, error)
        again_at = math.inf
        if topic in self._coverage.relied_on:
            delay = self._backoff.delay(self._coverage.refusals[topic] + 1)
            again_at = self._clock.monotonic() + delay
            self._begin_gap(topic, link.heard_at, GapCause.DISCONNECTED)
            self._report(error)
        self._coverage.refuse(topic, again_at)

    def _fail_first_contact(self, error: TradeForgeError) -> None:
        """A stream that never worked is the caller's to know at once, not something to repeat."""
        self._coverage.forget(frozenset(self._coverage.wanted))
        self._waiters.fail(error)

    def _judge(self) -> None:
        if self._coverage.is_complete or self._coverage.withheld:
            # what the venue refuses says nothing of the connection
            self._live_since = min(self._live_since, self._clock.monotonic())
        if self._coverage.is_complete:
            self._ever_live = True
            self._become(StreamConnectionStatus.LIVE, None)
        elif withheld := self._coverage.withheld:
            reason = f"the venue refuses {names_of(withheld)}"
            self._become(StreamConnectionStatus.SUBSCRIBING, reason)

    def _note_loss(self, heard_at: datetime) -> None:
        self._coverage.lose(heard_at)
        self._waiters.lose_connection()

    def _begin_gap(self, topic: Topic, since: datetime, cause: GapCause) -> None:
        self._coverage.miss(topic, since, cause)
        self.disclose(topic)

    def disclose(self, topic: Topic) -> bool:
        """Whether the topic is missing; that nobody knows for how long is said then, once."""
        hole = self._coverage.missing.get(topic)
        if hole is not None and not hole.is_told:
            hole.is_told = True
            self._tell_gap(topic, hole, None)
        return hole is not None

    def _end_gap(self, topic: Topic, until: datetime) -> None:
        """Say what is missing of the topic, before the first of its data that comes again."""
        hole = self._coverage.missing.pop(topic, None)
        if hole is not None:
            self._tell_gap(topic, hole, until)

    def _tell_gap(self, topic: Topic, hole: Hole, until: datetime | None) -> None:
        gap = Gap(
            stream=self.name,
            cause=hole.cause,
            topics=(topic,),
            since=hole.since,
            until=until,
            generation=self.generation,
            received=self._clock.now(),
        )
        self._publish(gap, gap.topics)

    def _become(self, status: StreamConnectionStatus, reason: str | None) -> None:
        if status is self.status:
            return
        previous, self.status = self.status, status
        topics = tuple(sorted(self._coverage.wanted))
        change = StatusChanged(
            stream=self.name,
            topics=topics,
            status=status,
            previous=previous,
            reason=reason,
            generation=self.generation,
            received=self._clock.now(),
        )
        self._publish(change, topics)

    def _explained(self, error: BaseException) -> TradeForgeError:
        if isinstance(error, TradeForgeError):
            return error
        broken = TradeForgeError(f"the {self.name} stream failed: {error!r}")
        broken.__cause__ = error
        self._report(broken)
        return broken


_MINUTE, _LEAST_NAP = 60.0, 0.001
"""Seconds: a clock that rounds must not keep us busy until it is there."""


async def _read(link: StreamLink) -> None:
    await not_cancelled(link.listen())
    raise Disconnected("the connection ended")
