"""The market stream of the TopStepX provider, without its REST side."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from tradeforge_core import MarketDataType, MarketEvent, Subscription, Topic
from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.plugins import Plugins
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_core.streams.switchboard import Switchboard
from tradeforge_topstepx._events import Memory
from tradeforge_topstepx._hubs import MARKET_HUB, HubLink
from tradeforge_topstepx._session import Session
from tradeforge_topstepx._signalr import HubLimits

KINDS = {
    "quotes": MarketDataType.QUOTE,
    "depth": MarketDataType.DEPTH,
    "trades": MarketDataType.TRADE,
}

Subscribe = Callable[[str, Iterable[str]], Subscription[MarketEvent]]


async def _token() -> str:
    return "token"


async def _extended(token: object) -> str:
    return "token"


async def _nothing() -> None:
    pass


@asynccontextmanager
async def market(url: str) -> AsyncIterator[Subscribe]:
    """How to subscribe to the contracts of a hub."""
    clock = SystemClock()
    session = Session(log_in=_token, extend=_extended, clock=clock)

    def link(stream: str) -> HubLink:
        return HubLink(stream, url, session, board, clock, memory=Memory(), limits=HubLimits())

    board = Switchboard(
        "topstepx",
        link,
        lambda topic: MARKET_HUB,
        plugins=Plugins(installed=False),
        clock=clock,
        backoff=Backoff(),
        timeouts=StreamTimeouts(),
    )

    def subscribe(kind: str, contract_ids: Iterable[str]) -> Subscription[MarketEvent]:
        topics = tuple(Topic(KINDS[kind], one) for one in contract_ids)
        return Subscription(board, topics, _nothing)

    board.start()
    try:
        yield subscribe
    finally:
        await board.close()
