"""What the provider makes of recorded answers; without --record nothing leaves this machine."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from tradeforge_core import (
    AuthenticationError,
    InvalidOrder,
    NotFound,
    OrderRejected,
    OrderRequest,
    OrderSide,
    Secret,
)
from tradeforge_testing import ManualClock
from tradeforge_testing.sanity import check_round_trip, check_sane
from tradeforge_topstepx.provider import TopStepXProvider

DAY = timedelta(days=1)
OURS = "tf101KJQ0N5G00000000000000001"
"""A client order id that stays the same, so that the body of its order does."""
TOO_LARGE = "tf101KJQ0N5G00000000000000002"

Session = Any  # of conftest.py
Source = Any
Tape = Any


def check(models: Iterable[object]) -> None:
    for model in models:
        check_sane(model)
        check_round_trip(model)


async def test_accounts(session: Session) -> None:
    accounts = await session.broker.get_accounts()
    check(accounts)
    assert session.account_id in {account.id for account in accounts}
    assert len({account.name for account in accounts}) == len(accounts)


async def test_contracts(session: Session) -> None:
    found = await session.broker.search_contracts("NQ")
    available = await session.broker.available_contracts()
    check([*found, *available])
    contract = await session.broker.get_contract(session.contract_id)
    assert contract.id == session.contract_id
    assert contract.tick_size > 0
    assert {one.root for one in available} >= {"MNQ", "MES"}


async def test_a_contract_that_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound, match=r"CON\.F\.US\.NOPE\.Z99"):
        await session.broker.get_contract("CON.F.US.NOPE.Z99")


async def test_bars(session: Session) -> None:
    bars = await session.broker.get_historical_bars(
        session.contract_id, start=session.now - 3 * DAY, end=session.now, limit=50
    )
    check(bars)
    assert [bar.time for bar in bars] == sorted({bar.time for bar in bars})
    assert all(bar.low <= min(bar.open, bar.close) for bar in bars)
    assert len(bars) <= 50


async def test_orders(session: Session) -> None:
    broker, account_id = session.broker, session.account_id
    history = await broker.get_order_history(account_id, start=session.now - DAY)
    waiting = await broker.get_open_orders(account_id)
    check([*history, *waiting])
    assert {order.account_id for order in [*history, *waiting]} <= {account_id}
    assert not any(order.status.is_final for order in waiting)
    for order in history[:2]:
        assert await broker.get_order(account_id, order.id) == order


async def test_positions(session: Session) -> None:
    positions = await session.broker.get_positions(session.account_id)
    check(positions)
    assert {position.account_id for position in positions} <= {session.account_id}


async def test_trades(session: Session) -> None:
    start = session.now - DAY
    trades = await session.broker.get_trade_history(session.account_id, start=start)
    check(trades)
    assert {trade.account_id for trade in trades} <= {session.account_id}


async def test_a_refused_login(source: Source, tape: Tape) -> None:
    config = attrs.evolve(source.config, api_key=Secret("not the key"), app=None)
    with pytest.raises(AuthenticationError) as caught:
        await TopStepXProvider(config, clock=ManualClock()).connect()
    assert caught.value.name == "InvalidCredentials"
    assert len(tape.cassette) == 1


@pytest.mark.writes
async def test_an_order_and_its_rejection(session: Session) -> None:
    """A name is for one order, and the second one does not even leave; what leaves is refused."""
    request = attrs.evolve(
        OrderRequest.limit(session.account_id, session.contract_id, OrderSide.BUY, 1, 1000),
        client_order_id=OURS,
    )
    placed = await session.broker.place_order(request)
    found = await session.broker.find_order(session.account_id, OURS)
    assert found.id == placed.id
    with pytest.raises(InvalidOrder, match="names one order for ever"):
        await session.broker.place_order(request)
    too_large = attrs.evolve(request, size=1_000_000, client_order_id=TOO_LARGE)
    with pytest.raises(OrderRejected, match="InsufficientFunds") as caught:
        await session.broker.place_order(too_large)
    assert caught.value.order_id != placed.id
    await session.broker.cancel_order(session.account_id, placed.id)
