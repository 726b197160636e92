"""A link that speaks JSON, once its connection is over."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import Disconnected, MarketDataType, MarketTradeEvent
from tradeforge_core.kit.json_stream import JsonStream, _name_of

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, FakeVenue, Make


async def test_what_comes_while_it_is_closed_is_not_told(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    """The gap begins before it, and is told behind it only."""
    rest: Any = None  # it asks for nothing
    link = JsonStream(
        "market",
        "ws://127.0.0.1:9",
        rest,
        broker._switchboard,
        venue.clock,
        read=lambda topic, data, received: make.trade(data["price"]),
    )
    told = json.dumps({"topic": _name_of(make.TRADE), "data": {"price": 7}}).encode()
    link._topics[_name_of(make.TRADE)] = make.TRADE
    async with broker.subscribe_market_data("ABC", MarketDataType.TRADE) as trades:
        link._take_all([told])
        while not isinstance(await anext(trades), MarketTradeEvent):
            pass
        heard_at = link.heard_at
        venue.clock.advance(1)
        link._lose(Disconnected("the line was cut"))
        link._take_all([told])
        assert trades._queue is not None
        assert len(trades._queue) == 0
        assert link.heard_at == heard_at
        with pytest.raises(Disconnected, match="the line was cut"):
            await link.listen()
