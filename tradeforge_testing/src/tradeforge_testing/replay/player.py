"""Goes through a recording line by line, and lets a provider live through it."""

import asyncio
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any

from tradeforge_core import (
    BarSpan,
    BarUnit,
    DecodeError,
    MarketDataType,
    Order,
    Provider,
    Topic,
    TradeForgeError,
    UserDataType,
    from_json,
)
from tradeforge_core.kit.recording import (
    ANSWER,
    ASK,
    CALL,
    FAIL,
    FAILED,
    IN,
    LEARN,
    LEAVE,
    OPEN,
    OUT,
    WANT,
)
from tradeforge_testing.replay.clock import ReplayClock
from tradeforge_testing.replay.recording import Line, Recording
from tradeforge_testing.replay.venue import ReplayVenue

_LATE = 0.05
"""Seconds that the client may have overslept, if it did something then."""
_ROUNDED = 2e-6
"""Seconds: the times of a recording are no more precise."""
_INSTANT = 1e-6
"""A virtual sleep, however short, ends when everybody has done what there was to do."""

Pace = Callable[[float], None]
"""Called with the seconds that pass before the next line."""


class Player:
    """Plays to one provider, in virtual time: what it does is the same each time.

    What the client did is not forced on it: it is given the time to do the same, and its program
    subscribes to what was subscribed.
    """

    def __init__(
        self,
        recording: Recording,
        venue: ReplayVenue,
        broker: Provider,
        clock: ReplayClock,
        pace: Pace,
    ) -> None:
        self._recording = recording
        self._venue = venue
        self._broker = broker
        self._clock = clock
        self._pace = pace
        self._signs = sorted(one.at_ms / 1000 for one in recording.lines if one.direction in _SIGNS)
        """When the client did something that it may have been woken for."""
        self._standing: set[Topic] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._at = 0.0
        self._is_over = False
        self.refusals: list[TradeForgeError] = []
        """What the program was told, in place of what it wanted."""

    async def play(self) -> None:
        """Return when everything has been said, and everybody has done what there was to do."""
        self._began = asyncio.get_running_loop().time()
        self._venue.desk.open()
        self._start(self._broker.connect())
        try:
            before: Line | None = None
            for line in self._recording.lines:
                await self._reach(line, before)
                await self._take_whole(line)
                before = line
            await self._pass(self._at)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """Disconnect, if the program has not done so, with nothing to wait for."""
        self._is_over = True
        tasks = [*self._tasks, asyncio.create_task(self._broker.disconnect(), name="leaving")]
        while not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=1.0)
            if (due := self._clock.next_due) is not None:
                self._clock.move(due)
                self._clock.wake(due)
        self._venue.desk.close()
        await asyncio.gather(*tasks)

    # --- time ---

    async def _reach(self, line: Line, before: Line | None) -> None:
        """Let the time of the line come, and all that is due before it."""
        at = max(line.at_ms / 1000, self._at)
        if before is None or not _same_reading(line, before):
            await self._pass(self._at)
            await self._wake(at)
            self._pace(at - self._at)
            await self._pass(at)
        self._at = at
        self._clock.move(at)
        while line.direction in _OURS and self._clock.wake(at + _ROUNDED):
            await self._pass(at)

    async def _wake(self, until: float) -> None:
        """Wake whoever wants to be woken by then, at the time at which he was up.

        Nobody is up in time. So he is woken with the next thing that the client did, if it did
        something soon: what the venue said in between was said before.
        """
        while (due := self._clock.next_due) is not None and due <= until:
            if self._next_sign(due - _ROUNDED) <= due + _LATE:
                return
            await self._pass(due)
            self._clock.move(due)
            self._clock.wake(due)
            await self._pass(due)

    def _next_sign(self, since: float) -> float:
        number = max(bisect_left(self._signs, since), bisect_right(self._signs, self._at))
        return self._signs[number] if number < len(self._signs) else math.inf

    async def _pass(self, to: float) -> None:
        elapsed = asyncio.get_running_loop().time() - self._began
        await asyncio.sleep(max(to - elapsed, _INSTANT))

    # --- what the lines say ---

    async def _take_whole(self, line: Line) -> None:
        try:
            await self._take(line)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DecodeError(f"line {line.n} cannot be played: {error!r}") from error

    async def _take(self, line: Line) -> None:
        if line.direction == WANT:
            self._want(*_topics(line))
        elif line.direction == CALL:
            self._call(line.data)
        elif line.direction == LEARN:
            self._learn(line)
        elif line.direction == LEAVE:
            self._start(self._broker.disconnect())
        elif line.direction in (ANSWER, FAIL):
            self._venue.desk.play(line)
        elif line.direction != ASK:
            if line.direction == OUT:
                self._follow(line)
            await self._venue.play(line)

    def _call(self, call: dict[str, str]) -> None:
        read = _READS.get(call.pop("name", ""))
        if read is not None:
            self._start(read(self._broker, call.pop("accountId"), call))

    def _learn(self, line: Line) -> None:
        """What the program was told of its own order: the order itself is not placed again."""
        as_of = self._recording.began + timedelta(milliseconds=line.at_ms)
        self._broker.saw_order(from_json(Order, line.text), as_of)

    def _follow(self, line: Line) -> None:
        """Keep the program in step with what the client says on the stream."""
        wish = self._venue.wish(line)
        if wish is None or wish.is_wanted is (wish.topic in self._standing):
            return
        if wish.is_wanted:
            self._want(wish.topic)
        else:
            self._drop(wish.topic)

    def _want(self, *topics: Topic) -> None:
        keys, kinds = {one.key for one in topics}, {one.span or one.kind for one in topics}
        self._standing.update(topics)
        market = [one for one in kinds if isinstance(one, MarketDataType | BarSpan)]
        user = [one for one in kinds if isinstance(one, UserDataType)]
        if market:
            self._start(self._stand(self._broker.subscribe_market_data(sorted(keys), market)))
        if user:
            self._start(self._stand(self._broker.subscribe_user_data(sorted(keys), user)))

    async def _stand(self, subscription: Any) -> None:
        await subscription

    def _drop(self, topic: Topic) -> None:
        self._standing.discard(topic)
        if isinstance(topic.kind, MarketDataType):
            self._start(self._broker.unsubscribe_market_data(topic.key, topic.span or topic.kind))
        else:
            self._start(self._broker.unsubscribe_user_data(topic.key, topic.kind))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(asyncio.create_task(self._attempt(work), name="replayed program"))

    async def _attempt(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except TradeForgeError as error:
            if not self._is_over:
                self.refusals.append(error)


_Read = Callable[[Provider, str, dict[str, str]], Coroutine[Any, Any, Any]]
_READS: Mapping[str, _Read] = {
    "get_order": lambda broker, account, more: broker.get_order(account, more["order_id"]),
    "find_order": lambda broker, account, more: broker.find_order(account, more["client_order_id"]),
    "get_open_orders": lambda broker, account, more: broker.get_open_orders(account),
    "get_positions": lambda broker, account, more: broker.get_positions(account),
    "get_order_history": lambda broker, account, more: broker.get_order_history(
        account, **_times(more)
    ),
    "get_trade_history": lambda broker, account, more: broker.get_trade_history(
        account, **_times(more)
    ),
}
"""What the program can read that is known from then on."""


def _times(more: dict[str, str]) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(time) for name, time in more.items()}


_SIGNS = frozenset((OPEN, FAILED, OUT, ASK))
_OURS = _SIGNS | {WANT, LEAVE, CALL, LEARN}
"""What begins with the client, or with its program."""


def _same_reading(line: Line, before: Line) -> bool:
    """Whether both came in one piece: nobody could do anything in between."""
    came, before_it = (line.stream, line.at_ms), (before.stream, before.at_ms)
    return line.direction == before.direction == IN and came == before_it


def _topics(line: Line) -> list[Topic]:
    return [_topic(one) for one in line.data.get("topics", ())]


def _topic(named: dict[str, Any]) -> Topic:
    if "contractId" in named:
        unit, size = named.get("span", (None, 0))
        span = None if unit is None else BarSpan(BarUnit(unit), size)
        return Topic(MarketDataType(named["kind"]), named["contractId"], span)
    return Topic(UserDataType(named["kind"]), named["accountId"])
