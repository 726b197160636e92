"""Which contract a word stands for, and which data a login is subscribed to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tradeforge_core import Contract, FrontMonth, NotFound, Settings
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.firms import FIRMS
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox


async def test_the_front_month_comes_with_its_reason(broker: TopStepXProvider) -> None:
    found: FrontMonth = await broker.resolve_front_month("mnq")
    assert found.contract.root == "MNQ"
    assert "MNQ" in found.reason
    named = await broker.resolve_front_month(found.contract.symbol)
    assert (named.contract, named.reason) == (found.contract, "the symbol names it")


async def test_micros_are_not_taken_for_their_big_brothers(broker: TopStepXProvider) -> None:
    assert (await broker.get_contract_by_symbol("NQ")).root == "NQ"


async def test_available_contracts_are_one_for_each_product(broker: TopStepXProvider) -> None:
    contracts = await broker.available_contracts()
    roots = [contract.root for contract in contracts]
    assert {"MES", "MNQ", "ES", "NQ", "CL", "GC"} <= set(roots)
    assert len(roots) == len(set(roots))
    assert [contract.id for contract in contracts] == sorted(one.id for one in contracts)


async def test_an_expired_contract_can_be_looked_up_and_has_its_bars(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    sandbox.exchange.expire_contract(contract.id)
    assert not (await broker.get_contract(contract.id)).active
    with pytest.raises(NotFound):
        await broker.get_contract_by_symbol("MNQ")
    start = datetime.now(UTC) - timedelta(hours=1)
    assert await broker.get_historical_bars(contract.id, start=start)


async def test_a_simulated_login_asks_for_simulated_data(
    broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    assert not await broker._rest._live()
    assert await broker.search_contracts("MNQ")
    assert sandbox.requests["/api/Account/search"] == 1, "it asked once"


async def test_a_login_with_a_real_account_asks_for_live_data(
    broker: TopStepXProvider, sandbox: TopStepXSandbox
) -> None:
    sandbox.exchange.open_account("LIVE-1", Decimal(10_000), simulated=False)
    await broker.get_accounts()
    assert await broker._rest._live()


@pytest.mark.parametrize("firm", FIRMS)
def test_every_firm_has_its_addresses(firm: str) -> None:
    settings = {"TS_USERNAME": "me", "TS_API_KEY": "k", "TS_ENVIRONMENT": "LIVE"}
    config = TopStepXConfig.from_settings(Settings("topstepx", settings | {"TS_FIRM": firm}))
    assert config.firm == firm
    urls = {config.rest_url, config.user_hub_url, config.market_hub_url}
    assert len(urls) == 3
    assert all(url.startswith("https://") for url in urls)
