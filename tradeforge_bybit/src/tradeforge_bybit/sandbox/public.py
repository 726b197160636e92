"""The public sockets, one for each category: books, trades, tickers and candles."""

from collections.abc import Callable

from tradeforge_bybit.sandbox import commands
from tradeforge_bybit.sandbox.candles import INTERVALS
from tradeforge_bybit.sandbox.lines import Address, Line, Lines, Message
from tradeforge_bybit.sandbox.market_feed import DEPTHS, MarketFeed
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.kit.clock import Clock

_MOST_OF_SPOT = 10


class PublicSocket:
    def __init__(
        self,
        category: str,
        venue: Venue,
        feed: MarketFeed,
        clock: Clock,
        reset: Callable[[Address], None],
    ) -> None:
        self.lines = Lines(self._hear, clock, reset)
        self._category = category
        self._venue = venue
        self._feed = feed
        feed.serve(category, self.lines)

    def _hear(self, line: Line, said: Message) -> None:
        match said.get("op"):
            case "ping":
                self.lines.say(line, self._ack(line, said, "pong"))
            case "subscribe" | "unsubscribe":
                self._subscribe(line, said)
            case _:
                self.lines.say(line, commands.invalid(line, said))

    def _subscribe(self, line: Line, said: Message) -> None:
        before = set(line.topics)
        most = _MOST_OF_SPOT if self._category == "spot" else None
        self._feed.settle()
        wrong = commands.subscribe(line, said, self._checking(line, said), most)
        if wrong is not None:
            self.lines.say(line, commands.ack(line, said, wrong, success=False))
            return
        self.lines.say(line, self._ack(line, said, said["op"] if self._category == "spot" else ""))
        for topic in sorted(line.topics - before):
            self._feed.begin(self._category, line, topic)

    def _ack(self, line: Line, said: Message, text: str) -> Message:
        """Contracts answer with an empty number to who gave none."""
        number = {} if self._category == "spot" else {"req_id": ""}
        return commands.ack(line, {**number, **said}, text)

    def _checking(self, line: Line, said: Message) -> Callable[[str], str | None]:
        """Who hears a topic already is told so, and the rest of his request is not done either."""
        heard = line.topics if said["op"] == "subscribe" else frozenset[str]()
        return lambda topic: (
            f"error:already subscribed,topic:{topic}" if topic in heard else self._check(topic)
        )

    def _check(self, topic: str) -> str | None:
        kind, _, rest = topic.partition(".")
        detail, _, symbol = rest.rpartition(".")
        known = self._venue.listing(self._category, symbol) is not None
        if known and detail in _TOPICS.get(kind, ()) and self._category not in _NOT.get(kind, ()):
            return None
        return f"error:handler not found,topic:{topic}"


_TOPICS = {
    "orderbook": tuple(str(one) for one in DEPTHS),
    "publicTrade": ("",),
    "tickers": ("",),
    "kline": tuple(INTERVALS),
    "allLiquidation": ("",),
}
"""Nobody is liquidated here, so that topic is silent."""
_NOT = {"allLiquidation": ("spot",)}
