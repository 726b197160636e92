"""A whole trade at whichever broker the settings name: look, buy with two exits, watch, flatten.

    python examples/one_trade.py MNQ

`TRADEFORGE_PROVIDER` names the broker, in the environment or in .env; `tradeforge sandbox NAME`
prints settings that work without an account. Everything that is placed here is taken back.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from tradeforge_core import (
    Bracket,
    Contract,
    MarketDataType,
    OrderRequest,
    OrderSide,
    OrderType,
    Provider,
    QuoteEvent,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
    load_provider,
    read_settings,
)

AWAY = Decimal("0.002")
"""How far the exits are from the entry, as a part of the price."""


async def main(symbol: str) -> None:
    (name,) = read_settings().require("TRADEFORGE_PROVIDER")
    async with load_provider(name) as broker:
        account, *_ = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol(symbol)
        print(f"account   {account.name} has {account.balance}")
        print(f"contract  {contract.symbol}: {contract.description}")
        await show_bars(broker, contract)
        price = await first_price(broker, contract)
        try:
            await buy(broker, account.id, contract, price)
        finally:
            await broker.flatten(account.id)
        print(f"flat      {await broker.get_positions(account.id) or 'nothing is left'}")


async def show_bars(broker: Provider, contract: Contract) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    bars = await broker.get_historical_bars(contract.id, start=hour_ago)
    if bars:
        low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
        print(f"bars      {len(bars)} minutes between {low} and {high}")


async def first_price(broker: Provider, contract: Contract) -> Decimal:
    async with broker.subscribe_market_data([contract.id], MarketDataType.QUOTE) as quotes:
        async for event in quotes:
            if isinstance(event, QuoteEvent) and event.ask is not None:
                print(f"quote     bid {event.bid} ask {event.ask}")
                return event.ask
    raise AssertionError("an iterator ends with an error, or not at all")


async def buy(broker: Provider, account_id: str, contract: Contract, price: Decimal) -> None:
    """At the market, with a stop loss and a take profit that the venue itself keeps."""
    distance = contract.round_price(price * AWAY, rounding=ROUND_HALF_EVEN)
    request = OrderRequest(
        account_id=account_id,
        contract_id=contract.id,
        side=OrderSide.BUY,
        type=OrderType.MARKET,
        size=contract.min_size or contract.size_step,
        bracket=Bracket(stop_loss=distance, take_profit=distance),
    )
    async with broker.subscribe_user_data([account_id], UserDataType.USER_TRADE) as fills:
        order = await broker.place_order(request)
        print(f"order     {order.id} is {order.status}")
        async for event in fills:
            if isinstance(event, UserTradeEvent) and event.trade.order_id == order.id:
                print(f"fill      {event.trade.size} at {event.trade.price}")
                break
    family = await broker.get_order_family(account_id, order.id)
    for leg in family.exits:
        print(f"exit      {leg.type} at {leg.stop_price or leg.limit_price} is {leg.status}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1]))
    except TradeForgeError as error:
        sys.exit(f"{type(error).__name__}: {error}")
