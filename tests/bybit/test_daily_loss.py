"""The daily loss by what Bybit's own books say, from the sandbox that keeps them."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tradeforge_bybit.provider import BybitProvider
from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_core import (
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderVetoed,
    RiskLimits,
    load_provider,
)

CONTRACT = "linear:BTCUSDT"
BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.fixture
async def sandbox() -> AsyncIterator[BybitSandbox]:
    async with BybitSandbox(seed=7, tick_seconds=3600) as sandbox:
        yield sandbox


@pytest.fixture
async def broker(
    sandbox: BybitSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BybitProvider]:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    found = load_provider("bybit", settings=sandbox.settings)
    assert isinstance(found, BybitProvider)
    found.safety = OrderSafety(limits=RiskLimits(max_daily_loss=50))
    async with found:
        yield found


async def trade(broker: BybitProvider, side: OrderSide, size: str) -> None:
    (account,) = await broker.get_accounts()
    await broker.place_order(OrderRequest.market(account.id, CONTRACT, side, Decimal(size)))


def move(sandbox: BybitSandbox, by: int) -> None:
    sandbox.exchange.move_to(CONTRACT, sandbox.exchange.quote(CONTRACT).last + by)


@pytest.mark.parametrize(("opens", "closes", "against"), [(BUY, SELL, -1), (SELL, BUY, 1)])
async def test_what_was_lost_lets_no_order_pass_that_opens(
    broker: BybitProvider,
    sandbox: BybitSandbox,
    opens: OrderSide,
    closes: OrderSide,
    against: int,
) -> None:
    await trade(broker, opens, "0.1")
    move(sandbox, 600 * against)
    await trade(broker, closes, "0.1")
    with pytest.raises(OrderVetoed, match="were lost"):
        await trade(broker, opens, "0.1")


async def test_what_was_won_lets_orders_pass(broker: BybitProvider, sandbox: BybitSandbox) -> None:
    await trade(broker, BUY, "0.01")
    move(sandbox, 600)
    await trade(broker, SELL, "0.01")
    await trade(broker, BUY, "0.01")


async def test_an_order_that_turns_a_position_has_lost_on_what_it_closed(
    broker: BybitProvider, sandbox: BybitSandbox
) -> None:
    await trade(broker, BUY, "0.05")
    move(sandbox, -500)
    await trade(broker, SELL, "0.15")
    await trade(broker, SELL, "0.01")
