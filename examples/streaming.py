"""Live data by handlers: quotes, depth, balances and orders, until Ctrl-C.

Settings come from the environment or from .env; `tradeforge sandbox topstepx` prints some that
work without an account. Stop that sandbox and start it again on the same port while this runs:
the gap is reported, the connection comes back, and the data goes on.
"""

import asyncio
import sys

from tradeforge_core import (
    AccountUpdateEvent,
    DepthEvent,
    Event,
    Gap,
    MarketDataType,
    OrderUpdateEvent,
    QuoteEvent,
    StatusChanged,
    TradeForgeError,
    UserDataType,
    load_provider,
)


def handle_event(event: Event) -> None:
    match event:
        case QuoteEvent(bid=bid, ask=ask, last=last):
            print(f"quote    bid {bid} ask {ask} last {last}")
        case DepthEvent(bids=bids, asks=asks):
            print(f"depth    {len(bids)} bids and {len(asks)} asks changed")
        case AccountUpdateEvent(account=account):
            print(f"account  {account.name} has {account.balance}")
        case OrderUpdateEvent(order=order):
            print(f"order    {order.id} is {order.status}, {order.filled_size} filled")
        case Gap(since=since, until=until, cause=cause):
            print(f"gap      {cause}: nothing is known between {since} and {until}")


def handle_status(change: StatusChanged) -> None:
    reason = f" ({change.reason})" if change.reason else ""
    print(f"status   {change.stream} is {change.status}{reason}")


def handle_error(error: TradeForgeError) -> None:
    print(f"error    {error}", file=sys.stderr)


async def main() -> None:
    async with load_provider("topstepx") as broker:
        broker.on_event(handle_event)
        broker.on_status_change(handle_status)
        broker.on_error(handle_error)
        account, *_ = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol("MNQ")
        await broker.subscribe_market_data(
            [contract.id], [MarketDataType.QUOTE, MarketDataType.DEPTH]
        )
        await broker.subscribe_user_data(
            [account.id], [UserDataType.ACCOUNT_UPDATE, UserDataType.ORDER_UPDATE]
        )
        await broker.run_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except TradeForgeError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        print("bye")
