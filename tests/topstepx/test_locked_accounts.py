"""An account that was locked may hold a position still, and its owner must see it."""

from tradeforge_core import OrderRequest, OrderSide, UserDataType, UserTradeEvent
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox


async def test_its_fills_are_streamed(broker: TopStepXProvider, sandbox: TopStepXSandbox) -> None:
    account, *_ = await broker.get_accounts()
    contract = await broker.get_contract_by_symbol("MNQ")
    await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
    sandbox.exchange.set_can_trade(int(account.id), False)
    assert account.id not in {one.id for one in await broker.get_accounts()}
    async with broker.subscribe_user_data(account.id, UserDataType.USER_TRADE) as fills:
        sandbox.exchange.set_can_trade(int(account.id), True)
        sandbox.exchange.close_position(int(account.id), contract.id)
        async for event in fills:
            if isinstance(event, UserTradeEvent):
                assert event.trade.side is OrderSide.SELL
                break
