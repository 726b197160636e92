"""What the market hub tells: whole at first, then what changes."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import TopStepXSandbox

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Connect = Callable[[str], Awaitable["HubClient"]]
MNQ, MES = "CON.F.US.MNQ.H26", "CON.F.US.MES.H26"
WHOLE = {
    "symbol",
    "lastPrice",
    "bestBid",
    "bestAsk",
    "change",
    "changePercent",
    "open",
    "high",
    "low",
    "volume",
    "lastUpdated",
    "timestamp",
    "contract",
}
ALWAYS = {"symbol", "lastUpdated", "timestamp", "contract"}
LEVEL = {"timestamp", "type", "price", "volume", "currentVolume"}


async def _until(hub: "HubClient", exchange: Exchange, events: int) -> list[list[Any]]:
    """The arguments of so many events, while the market moves."""
    heard: list[list[Any]] = []
    while len(heard) < events:
        exchange.advance()
        try:
            async with asyncio.timeout(0.05):
                heard.append((await hub.event())[1])
        except TimeoutError:
            continue
    return heard


async def test_a_quote_begins_whole(market_hub: "HubClient", exchange: Exchange) -> None:
    await market_hub.follow("ContractQuotes", key=MNQ)
    name, (contract, quote) = await market_hub.event()
    now = exchange.quote(MNQ)
    assert (name, contract) == ("GatewayQuote", MNQ)
    assert quote.keys() == WHOLE
    assert (quote["symbol"], quote["contract"]) == ("F.US.MNQ", MNQ)
    assert quote["bestBid"] == float(now.bid)
    assert quote["bestAsk"] == float(now.ask)
    assert quote["lastPrice"] == float(now.last)


async def test_quotes_go_on_with_what_changed_and_add_up_to_the_whole(
    market_hub: "HubClient", exchange: Exchange
) -> None:
    await market_hub.follow("ContractQuotes", key=MNQ)
    merged = (await market_hub.event())[1][1]
    deltas = [quote for _, quote in await _until(market_hub, exchange, 40)]
    assert any(one.keys() < WHOLE for one in deltas)
    for delta in deltas:
        assert ALWAYS <= delta.keys() <= WHOLE
        changed = delta.keys() - ALWAYS
        assert changed and all(delta[one] != merged[one] for one in changed)
        merged |= delta
    now = exchange.quote(MNQ)
    while merged["volume"] < now.volume:
        merged |= (await market_hub.event())[1][1]
    assert merged["high"] == float(now.high)


async def test_a_print_is_a_list_and_has_no_past(
    market_hub: "HubClient", exchange: Exchange, clock: ManualClock
) -> None:
    await market_hub.follow("ContractTrades", key=MNQ)
    clock.advance(0.5)
    price = Decimal("29540.25")
    exchange.move_to(MNQ, price)
    name, (contract, prints) = await market_hub.event()
    assert (name, contract) == ("GatewayTrade", MNQ)
    print_ = next(one for one in prints if one["price"] == price)
    assert print_ == {
        "symbolId": "F.US.MNQ",
        "price": 29540.25,
        "timestamp": "2026-03-02T14:30:00.5+00:00",
        "type": 0,
        "volume": print_["volume"],
        "contractId": MNQ,
    }


async def test_the_rows_of_one_step_are_one_message(
    market_hub: "HubClient", place: Callable[..., Awaitable[object]]
) -> None:
    for kind in ("ContractTrades", "ContractMarketDepth", "ContractQuotes"):
        await market_hub.follow(kind, key=MNQ)
        if kind != "ContractTrades":
            await market_hub.event()
    await place(size=120)
    (trade, (_, prints)), (depth, (_, rows)), (quote, _) = await market_hub.events(3)
    assert [trade, depth, quote] == ["GatewayTrade", "GatewayDepth", "GatewayQuote"]
    assert sum(one["volume"] for one in prints) == 120
    assert len(prints) > 1 and len(rows) > 2
    assert [one["price"] for one in prints] == sorted(one["price"] for one in prints)


async def test_the_aggressor_of_a_print_is_its_type(
    market_hub: "HubClient", place: Callable[..., Awaitable[object]]
) -> None:
    await market_hub.follow("ContractTrades", key=MNQ)
    for side in (0, 1):
        await place(side=side)
        assert (await market_hub.event())[1][1][0]["type"] == side


async def test_a_book_begins_with_a_reset_and_every_level(
    market_hub: "HubClient", exchange: Exchange
) -> None:
    await market_hub.follow("ContractMarketDepth", key=MNQ)
    name, (contract, rows) = await market_hub.event()
    bids, asks = exchange.depth(MNQ)
    assert (name, contract) == ("GatewayDepth", MNQ)
    assert all(row.keys() == LEVEL for row in rows)
    assert rows[0]["type"] == 6
    assert [(row["price"], row["volume"]) for row in rows if row["type"] == 2] == [
        (float(one.price), one.size) for one in bids
    ]
    assert [(row["price"], row["volume"]) for row in rows if row["type"] == 1] == [
        (float(one.price), one.size) for one in asks
    ]
    best = [(row["type"], row["price"]) for row in rows[-2:]]
    assert best == [(4, float(bids[0].price)), (3, float(asks[0].price))]
    assert len(rows) == 1 + len(bids) + len(asks) + 2 > 20


async def test_a_book_goes_on_with_changes_that_add_up_to_the_whole(
    market_hub: "HubClient", exchange: Exchange
) -> None:
    await market_hub.follow("ContractMarketDepth", key=MNQ)
    book: dict[tuple[int, float], int] = {}
    best: dict[int, float] = {}
    for rows in [(await market_hub.event())[1][1], *await _deltas(market_hub, exchange)]:
        for row in rows:
            if row["type"] in (1, 2):
                book[row["type"], row["price"]] = row["volume"]
            elif row["type"] in (3, 4):
                assert row["currentVolume"] == 0
                best[row["type"]] = row["price"]
    bids, asks = exchange.depth(MNQ)
    levels = [(2, one) for one in bids] + [(1, one) for one in asks]
    expected = {(kind, float(one.price)): one.size for kind, one in levels}
    assert {key: size for key, size in book.items() if size} == expected
    assert best == {4: float(bids[0].price), 3: float(asks[0].price)}


async def _deltas(hub: "HubClient", exchange: Exchange) -> list[list[dict[str, Any]]]:
    """All changes of some steps of the market, up to a call that is answered after them."""
    for _ in range(30):
        exchange.advance()
    await hub.say({"type": 1, "target": "Nothing", "arguments": [], "invocationId": "end"})
    heard: list[list[dict[str, Any]]] = []
    while (message := await hub.hear())["type"] != 3:
        heard.append(message["arguments"][1])
    return heard


@pytest.mark.parametrize("kind", ["ContractQuotes", "ContractTrades", "ContractMarketDepth"])
async def test_only_the_contract_that_was_subscribed_to_is_told(
    market_hub: "HubClient", exchange: Exchange, kind: str
) -> None:
    await market_hub.follow(kind, key=MNQ)
    heard = await _until(market_hub, exchange, 10)
    assert {contract for contract, _ in heard} == {MNQ}


async def test_an_unsubscribed_contract_is_told_no_more(
    market_hub: "HubClient", exchange: Exchange
) -> None:
    await market_hub.follow("ContractTrades", key=MNQ)
    await market_hub.follow("ContractTrades", key=MES)
    assert (await market_hub.invoke("UnsubscribeContractTrades", MNQ))["result"] == 0
    heard = await _until(market_hub, exchange, 5)
    assert {contract for contract, _ in heard} == {MES}


@pytest.mark.parametrize("kind", ["ContractQuotes", "ContractMarketDepth"])
async def test_an_unknown_contract_has_no_snapshot(market_hub: "HubClient", kind: str) -> None:
    await market_hub.follow(kind, key="CON.F.US.XYZ.H26")
    await market_hub.follow(kind, key="CON.F.US.XYZ.H26")


async def test_the_ticker_moves_the_market_by_the_clock(
    market_hub: "HubClient", exchange: Exchange, clock: ManualClock
) -> None:
    await market_hub.follow("ContractTrades", key=MNQ)
    event = asyncio.create_task(market_hub.event())
    while not event.done():
        clock.advance(0.1)
        await asyncio.wait([event], timeout=0.01)
    assert event.result()[0] == "GatewayTrade"


async def test_the_same_seed_moves_the_market_the_same_way(clock: ManualClock) -> None:
    quotes = []
    for seed in (1, 1, 2):
        exchange = TopStepXSandbox(clock=clock, seed=seed).exchange
        for _ in range(20):
            exchange.advance()
        quotes.append(exchange.quote(MNQ))
    assert quotes[0] == quotes[1] != quotes[2]


async def test_small_ticks_keep_their_digits(market_hub: "HubClient", exchange: Exchange) -> None:
    oil = next(one for one in exchange.instruments if "CLE" in one)
    exchange.move_to(oil, Decimal("70.57"))
    await market_hub.follow("ContractQuotes", key=oil)
    assert (await market_hub.event())[1][1]["lastPrice"] == 70.57
