"""The control API of a JSON venue: a test in any language can tell it what to do next."""

from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.plain_http import plain_http

from hello_provider import wire
from hello_provider.provider import HelloProvider
from hello_provider.sandbox import HelloSandbox
from tradeforge_core import (
    DecodeError,
    Event,
    JournalKind,
    MarketDataType,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Provider,
    QuoteEvent,
    Settings,
)
from tradeforge_testing.sandbox.json_commands import JSON_COMMANDS

Do = Callable[..., Awaitable[dict[str, Any]]]
CONTRACT = "HEL.Z26"


@pytest.fixture
async def sandbox() -> AsyncIterator[HelloSandbox]:
    async with HelloSandbox(seed=3, tick_seconds=60, control=True) as sandbox:
        yield sandbox


@pytest.fixture
async def client(sandbox: HelloSandbox) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{sandbox.port}/_sandbox"
    async with plain_http(url) as client:
        yield client


@pytest.fixture
def do(client: httpx.AsyncClient) -> Do:
    async def do(command: str, **arguments: object) -> dict[str, Any]:
        response = await client.post(command, json=arguments)
        assert response.status_code == 200, response.text
        payload: dict[str, Any] = response.json()
        assert payload.pop("done") == command
        return payload

    return do


@pytest.fixture
async def broker(sandbox: HelloSandbox) -> AsyncIterator[Provider]:
    safety = OrderSafety(journal=JournalKind.MEMORY)
    async with HelloProvider(Settings("hello", sandbox.settings), safety=safety) as broker:
        yield broker


async def test_it_is_off_unless_asked_for() -> None:
    async with HelloSandbox(tick_seconds=60) as sandbox, plain_http() as client:
        url = f"http://127.0.0.1:{sandbox.port}/_sandbox"
        assert (await client.get(url)).status_code == 405  # no path of the venue is read by GET
        assert (await client.post(f"{url}/advance", json={})).status_code == 401


async def test_it_lists_every_command(client: httpx.AsyncClient) -> None:
    listed = (await client.get(str(client.base_url).rstrip("/"))).json()
    names = [f"POST /_sandbox/{one.name}" for one in JSON_COMMANDS]
    assert [one["command"] for one in listed] == names
    assert all(one["does"] for one in listed)


async def test_the_market_is_moved_and_the_books_are_told(
    client: httpx.AsyncClient, do: Do, broker: Provider
) -> None:
    account = (await broker.get_accounts())[0]
    price = Decimal(19_000)
    order = OrderRequest.limit(account.id, CONTRACT, OrderSide.BUY, 1, price)
    placed = await broker.place_order(order)
    await do("move", contract_id=CONTRACT, price="18999.75")
    await do("advance", steps=2)
    books = (await client.get("state")).json()["exchange"]
    (booked,) = books["accounts"][0]["orders"]
    assert (str(booked["id"]), booked["status"]) == (placed.id, "filled")


async def test_answers_are_spoiled_in_order(do: Do, broker: Provider) -> None:
    await do("fail_next", path=wire.CONTRACTS, status=503, count=2)
    await do("forget_faults")
    assert await broker.search_contracts("HEL")
    await do("fail_next", path=wire.ORDERS, status=200, body={"rows": 7})
    account = (await broker.get_accounts())[0]
    with pytest.raises(DecodeError):
        await broker.get_open_orders(account.id)
    assert await broker.get_open_orders(account.id) == []


async def test_streams_are_cut_and_come_back(
    client: httpx.AsyncClient, do: Do, broker: Provider
) -> None:
    heard: list[Event] = []
    async with broker.subscribe_market_data([CONTRACT], [MarketDataType.QUOTE]) as quotes:
        streams = (await client.get("state")).json()["streams"]
        assert streams == {"connections": 1, "followers": {f"quote:{CONTRACT}": 1}}
        await do("reset_streams")
        async for event in quotes:  # the gap, then the quotes of the new connection
            heard.append(event)
            if isinstance(event, QuoteEvent):
                break
            await do("advance")
    assert not isinstance(heard[0], QuoteEvent)


@pytest.mark.parametrize(
    ("command", "arguments", "status", "said"),
    [
        ("fail_next", {"path": "/nowhere"}, 400, "no path"),
        ("fail_next", {"path": wire.PLACE, "status": 99}, 400, "status"),
        ("fail_messages", {"fault": "odd"}, 400, "odd"),
        ("fail_messages", {"fault": "lost", "count": 0}, 400, "count"),
        ("advance", {"steps": 0}, 400, "steps"),
        ("advance", {"stops": 1}, 400, "stops"),
        ("move", {"contract_id": "XYZ", "price": "1"}, 409, "unknown"),
    ],
)
async def test_a_mistake_is_told_and_does_nothing(
    client: httpx.AsyncClient, command: str, arguments: dict[str, Any], status: int, said: str
) -> None:
    before = await _books(client)
    response = await client.post(command, json=arguments)
    assert (response.status_code, said in response.text) == (status, True), response.text
    assert await _books(client) == before


@pytest.mark.parametrize(("fault", "count"), [("lost", 0), ("duplicated", 2), ("malformed", 1)])
async def test_messages_are_spoiled(sandbox: HelloSandbox, do: Do, fault: str, count: int) -> None:
    await do("fail_messages", fault=fault)
    assert sandbox.faults.pending == 1
    assert len(sandbox.faults.messages_of('{"topic": "x"}')) == count
    assert sandbox.faults.messages_of('{"topic": "x"}') == ['{"topic": "x"}']


async def _books(client: httpx.AsyncClient) -> dict[str, Any]:
    """The state without the time, which goes on."""
    state: dict[str, Any] = (await client.get("state")).json()
    del state["exchange"]["time"]
    return state
