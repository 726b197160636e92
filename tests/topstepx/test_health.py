"""`provider.health` over real sockets."""

from tradeforge_core import MarketDataType, QuoteEvent, StreamConnectionStatus
from tradeforge_topstepx.provider import TopStepXProvider


async def test_a_live_stream_and_what_is_used_of_the_limits(broker: TopStepXProvider) -> None:
    contract = await broker.get_contract_by_symbol("MNQ")
    async with broker.subscribe_market_data(contract.id, MarketDataType.QUOTE) as quotes:
        async for event in quotes:
            if isinstance(event, QuoteEvent):
                break
        health = broker.health
    (stream,) = health.streams
    assert (stream.name, stream.status) == ("market", StreamConnectionStatus.LIVE)
    assert stream.connected_since is not None
    assert stream.heard_at is not None
    assert stream.connected_since <= stream.heard_at <= health.time
    used = {one.name: (one.used > 0, one.limit, one.window) for one in health.budgets}
    assert used == {"bars": (False, 50, 30), "rest": (True, 200, 60)}


async def test_it_holds_no_secret(broker: TopStepXProvider) -> None:
    assert broker.config.api_key.reveal() not in repr(broker.health)
