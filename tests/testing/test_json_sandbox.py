"""A venue that speaks JSON, over real sockets, and the client of the core that meets it."""

from collections.abc import AsyncIterator

import pytest
from attrs import evolve

from hello_provider import wire
from hello_provider.provider import HelloProvider
from hello_provider.sandbox import HelloSandbox
from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    JournalKind,
    NotFound,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Provider,
    RateLimited,
    Settings,
    VenueError,
)
from tradeforge_testing.sandbox import Spoiled


@pytest.fixture
async def sandbox() -> AsyncIterator[HelloSandbox]:
    async with HelloSandbox(seed=3, tick_seconds=60) as sandbox:
        yield sandbox


@pytest.fixture
async def broker(sandbox: HelloSandbox) -> AsyncIterator[Provider]:
    safety = OrderSafety(journal=JournalKind.MEMORY)
    async with provider(sandbox, safety=safety) as broker:
        yield broker


def provider(
    sandbox: HelloSandbox, *, safety: OrderSafety | None = None, **settings: str
) -> HelloProvider:
    return HelloProvider(Settings("hello", {**sandbox.settings, **settings}), safety=safety)


async def test_a_read_logs_in_again(sandbox: HelloSandbox, broker: Provider) -> None:
    sandbox.expire_tokens()
    assert [one.name for one in await broker.get_accounts()] == ["PRACTICE"]


async def test_a_read_that_is_refused_twice_is_told(
    sandbox: HelloSandbox, broker: Provider
) -> None:
    sandbox.faults.fail_next(wire.ACCOUNTS, Spoiled(status=401), count=2)
    with pytest.raises(AuthenticationError):
        await broker.get_accounts()


async def test_a_write_leaves_once(sandbox: HelloSandbox, broker: Provider) -> None:
    sandbox.faults.fail_next(wire.PLACE, Spoiled(status=401))
    account = sandbox.exchange.accounts()[0].id
    await broker.get_contract("HEL.Z26")
    request = OrderRequest.market(str(account), "HEL.Z26", OrderSide.BUY, 1)
    try:
        await broker.place_order(request)
    except OrderOutcomeUnknown as unknown:
        assert unknown.client_order_id is not None
        await broker.resolve(unknown.client_order_id, timeout=10)
    assert len(sandbox.exchange.orders(account)) == 1


@pytest.mark.parametrize(
    ("spoiled", "error"),
    [
        (Spoiled(status=422, body=b"<html>"), VenueError),
        (Spoiled(status=422, body=b'{"error": 7}'), VenueError),
        (Spoiled(status=422, body=b'{"error": "unknown_account"}'), NotFound),
        (Spoiled(status=429, headers={"Retry-After": "soon"}), RateLimited),
        (Spoiled(status=302, headers={"Location": "/accounts"}), VenueError),
        (Spoiled(body=b""), DecodeError),
        (Spoiled(body=b'{"rows": 7}'), DecodeError),
        (Spoiled(body=b'{"rows": [{"id": 1}]}'), DecodeError),
        (Spoiled(status=500, body=None), VenueError),
    ],
)
async def test_what_an_answer_is_no_proof_of(
    spoiled: Spoiled, error: type[Exception], sandbox: HelloSandbox, broker: Provider
) -> None:
    sandbox.faults.fail_next(wire.ACCOUNTS, spoiled)
    with pytest.raises(error) as raised:
        await broker.get_accounts()
    assert type(raised.value) is error


async def test_a_wrong_key_is_told_without_it(sandbox: HelloSandbox) -> None:
    broker = provider(sandbox, HELLO_KEY="a-wrong-key")
    with pytest.raises(AuthenticationError) as raised:
        await broker.connect()
    assert "a-wrong-key" not in str(raised.value)
    await broker.disconnect()


async def test_a_fault_is_used_up_and_can_be_forgotten(
    sandbox: HelloSandbox, broker: Provider
) -> None:
    sandbox.faults.fail_next(wire.ACCOUNTS, Spoiled(status=500), count=2)
    with pytest.raises(VenueError):
        await broker.get_accounts()
    assert sandbox.faults.pending == 1
    sandbox.faults.forget()
    assert await broker.get_accounts()


async def test_the_venue_refuses_what_is_too_much(sandbox: HelloSandbox, broker: Provider) -> None:
    sandbox.requests_a_minute = 1  # type: ignore[misc]  # as if it were another venue
    with pytest.raises(RateLimited):
        await broker.get_accounts()


async def test_it_can_be_left_and_entered_again(sandbox: HelloSandbox) -> None:
    port = sandbox.port
    await sandbox.__aexit__()
    await sandbox.__aenter__()
    assert sandbox.port == port
    async with provider(sandbox) as broker:
        assert await broker.get_accounts()


class Forgetful(HelloProvider):
    """Declares brackets, and never looks for their exits."""

    capabilities = evolve(HelloProvider.capabilities, brackets=True)


async def test_declared_brackets_cannot_be_without_a_look_for_exits(
    sandbox: HelloSandbox, broker: Provider
) -> None:
    account = sandbox.exchange.accounts()[0].id
    await broker.get_contract("HEL.Z26")
    order = await broker.place_order(OrderRequest.market(str(account), "HEL.Z26", OrderSide.BUY, 1))
    assert await HelloProvider._fetch_exits(provider(sandbox), order) == []
    forgetful = Forgetful(Settings("hello", sandbox.settings))
    with pytest.raises(NotImplementedError, match="does not look for exits"):
        await forgetful._fetch_exits(order)
