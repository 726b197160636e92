"""The venue does what it is asked and its answer is lost: one order, and it is found."""

import asyncio
from collections.abc import Callable

import attrs
import pytest

from tradeforge_core import (
    Account,
    AuthenticationError,
    Contract,
    DecodeError,
    Disconnected,
    Evidence,
    LookUps,
    NotSent,
    OrderOutcome,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSide,
    Plugins,
    RateLimited,
    Settings,
    TransportError,
    VenueError,
)
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.outcomes import Accepted
from tradeforge_testing.exchange import ExchangeEvent, OrderChanged
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

LOST = [Fault.RESET, Fault.TRUNCATED, Fault.HTML, 401, 429, 500, 502, 503, 504]


def buy(account: Account, contract: Contract) -> OrderRequest:
    return OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)


def how(outcomes: list[OrderOutcome]) -> Evidence:
    """How the last outcome is known; it is that the venue took the request."""
    accepted = outcomes[-1]
    assert isinstance(accepted, Accepted)
    return accepted.evidence


@pytest.mark.parametrize("fault", LOST)
async def test_an_order_whose_answer_is_lost_is_found_and_returned(
    fault: Fault | int,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
    outcomes: list[OrderOutcome],
) -> None:
    sandbox.fail_next("/api/Order/place", fault)
    placed = await broker.place_order(buy(account, contract))
    assert sandbox.requests["/api/Order/place"] == 1
    (order,) = sandbox.exchange.orders(int(account.id))
    assert (placed.id, placed.client_order_id) == (str(order.id), order.tag)
    assert how(outcomes) is Evidence.LOOKED_UP


async def test_no_answer_in_time(sandbox: TopStepXSandbox, outcomes: list[OrderOutcome]) -> None:
    config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings))
    impatient = attrs.evolve(config, timeouts=HttpTimeouts(answer=0.2))
    async with TopStepXProvider(impatient, plugins=Plugins([outcomes])) as broker:
        (account, *_) = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol("MNQ")
        sandbox.fail_next("/api/Order/place", Fault.HANG)
        await broker.place_order(buy(account, contract))
    assert how(outcomes) is Evidence.LOOKED_UP
    assert len(sandbox.exchange.orders(int(account.id))) == 1


async def test_an_order_that_no_look_finds_stays_unknown_and_is_not_sent_again(
    provider_of: Callable[..., TopStepXProvider],
    sandbox: TopStepXSandbox,
) -> None:
    soon = LookUps(pauses=(0.02, 0.05), deadline=0.8, settle=0.2, slow=0.1)
    async with provider_of(sandbox, soon) as broker:
        (account, *_) = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol("MNQ")
        sandbox.fail_next("/api/Order/place", 503, handled=False)
        with pytest.raises(OrderOutcomeUnknown, match="absent") as caught:
            await broker.place_order(buy(account, contract))
        (outcome,) = broker.unsettled_outcomes()
        assert outcome.client_order_id == caught.value.client_order_id
    assert sandbox.requests["/api/Order/place"] == 1
    assert sandbox.exchange.orders(int(account.id)) == []


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("path", ["/api/Order/cancel", "/api/Order/modify"])
async def test_a_cancel_and_a_change_are_sent_once_and_found_too(
    path: str,
    fault: Fault | int,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
    outcomes: list[OrderOutcome],
) -> None:
    placed = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    sandbox.fail_next(path, fault)
    if path.endswith("cancel"):
        await broker.cancel_order(account.id, placed.id)
    else:
        await broker.modify_order(account.id, placed.id, size=2)
    assert how(outcomes) is Evidence.LOOKED_UP
    assert outcomes[-1].order_id == placed.id
    assert sandbox.requests[path] == 1


@pytest.mark.parametrize("size", [None, 1])
async def test_a_close_is_sent_once_and_inferred(
    size: int | None,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
    outcomes: list[OrderOutcome],
) -> None:
    await broker.place_order(buy(account, contract))
    path = "/api/Position/closeContract" if size is None else "/api/Position/partialCloseContract"
    sandbox.fail_next(path, Fault.RESET)
    await broker.close_position(account.id, contract.id, size=size)
    assert how(outcomes) is Evidence.INFERRED
    assert outcomes[-1].operation == "close"
    assert sandbox.requests[path] == 1
    assert sandbox.exchange.positions(int(account.id)) == []


async def test_a_refused_connection_is_proof_that_nothing_left(
    account: Account, contract: Contract, broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    await sandbox.__aexit__()
    try:
        with pytest.raises(NotSent) as caught:
            await broker.place_order(buy(account, contract))
    finally:
        await sandbox.__aenter__()
    assert caught.value.client_order_id is not None
    assert sandbox.exchange.orders(int(account.id)) == []


async def test_a_login_that_fails_before_an_order_is_proof_too(
    account: Account, contract: Contract, broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    await broker.end_session()
    sandbox.fail_next("/api/Auth/loginKey", 503)
    with pytest.raises(NotSent, match="no session"):
        await broker.place_order(buy(account, contract))
    assert sandbox.requests["/api/Order/place"] == 0


async def test_a_cancelled_caller_is_free_at_once_and_the_order_goes_its_way(
    account: Account, contract: Contract, broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    placed = asyncio.Event()
    placing = asyncio.create_task(broker.place_order(buy(account, contract)))

    def cancel_the_caller(event: ExchangeEvent) -> None:
        if isinstance(event, OrderChanged):  # the venue has the order, its answer is not out yet
            placing.cancel()
            placed.set()

    sandbox.exchange.listen(cancel_the_caller)
    with pytest.raises(asyncio.CancelledError):
        await placing
    await asyncio.wait_for(placed.wait(), 5)
    assert len(sandbox.exchange.orders(int(account.id))) == 1


async def test_a_burst_of_cancelled_orders_leaves_the_client_healthy(
    account: Account, contract: Contract, broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    tasks = [asyncio.create_task(broker.get_positions(account.id)) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10):
        await broker.place_order(buy(account, contract))
    assert len(sandbox.exchange.orders(int(account.id))) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET, Disconnected),
        (Fault.TRUNCATED, DecodeError),
        (Fault.HTML, DecodeError),
        (500, VenueError),
        (503, VenueError),
    ],
)
async def test_a_read_names_what_went_wrong(
    fault: Fault | int,
    error: type[Exception],
    broker: TopStepXProvider,
    sandbox: TopStepXSandbox,
) -> None:
    sandbox.fail_next("/api/Account/search", fault)
    with pytest.raises(error):
        await broker.get_accounts()
    assert await broker.get_accounts(), "the next one works again"


async def test_too_many_requests_make_reads_wait_and_orders_fail_at_once(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    placed = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    sandbox.fail_next("/api/Account/search", 429)
    with pytest.raises(RateLimited):
        await broker.get_accounts()
    with pytest.raises(NotSent, match="used up"):
        await broker.place_order(buy(account, contract))
    waiting = asyncio.create_task(broker.get_accounts())
    await broker.cancel_order(account.id, placed.id)
    assert not waiting.done(), "a cancel does not wait, a read does"
    waiting.cancel()
    assert sandbox.requests["/api/Account/search"] == 2
    assert sandbox.requests["/api/Order/place"] == 1


async def test_a_read_survives_a_token_that_died_early(
    broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    sandbox.expire_tokens()
    results = await asyncio.gather(*(broker.get_accounts() for _ in range(10)))
    assert all(results)
    assert sandbox.requests["/api/Auth/loginKey"] == 2, "one login for all"


async def test_a_login_that_is_refused_for_good(
    broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    for _ in range(2):
        sandbox.fail_next("/api/Account/search", 401)
    with pytest.raises(AuthenticationError):
        await broker.get_accounts()
    assert sandbox.requests["/api/Account/search"] == 2, "asked again once, not for ever"


async def test_transport_errors_never_show_the_token(
    broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next("/api/Account/search", Fault.RESET)
    with pytest.raises(TransportError) as caught:
        await broker.get_accounts()
    assert "Bearer" not in repr(caught.value)
    assert caught.value.__cause__ is None
