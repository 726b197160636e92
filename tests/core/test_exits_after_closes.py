"""Exits that a close takes along are those of what it has closed."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import pytest
from tests.patience import HANG

from tradeforge_core import NotFlat, Order, OrderSide, OrderStatus, OrderType, Position

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make

    from tradeforge_testing import ManualClock


class Account:
    """One that is entered anew, with a stop, while the orders are read after a close."""

    def __init__(self, broker: "FakeProvider", make: "Make") -> None:
        self.held, self.closed, self.cancelled = Decimal(2), False, list[str]()
        self.stop = make.order(
            id="9",
            side=OrderSide.SELL,
            type=OrderType.STOP,
            status=OrderStatus.WORKING,
            parent_order_id="8",
        )
        broker.capabilities = attrs.evolve(broker.capabilities, brackets=True)  # type: ignore[misc]
        broker._fetch_positions = self.positions  # type: ignore[method-assign]
        broker._fetch_open_orders = self.orders  # type: ignore[method-assign]
        broker._submit_close = self.close  # type: ignore[method-assign]
        broker._submit_cancel = self.cancel  # type: ignore[method-assign]

    async def positions(self, account_id: str) -> list[Position]:
        if not self.held:
            return []
        return [Position(account_id=account_id, contract_id="ABC", size=self.held)]

    async def orders(self, account_id: str) -> list[Order]:
        if not self.closed:
            return []
        self.held = Decimal(1)
        return [self.stop]

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        self.closed, self.held = True, Decimal(0)

    async def cancel(self, account_id: str, order_id: str) -> None:
        self.cancelled.append(order_id)


async def test_the_stop_of_a_new_entry_is_left_alone(
    broker: "FakeProvider", make: "Make", clock: "ManualClock"
) -> None:
    account = Account(broker, make)
    closing = asyncio.ensure_future(broker.close_position("1", "ABC"))
    async with asyncio.timeout(HANG):
        while not closing.done():
            clock.advance(1)
            await asyncio.sleep(0)
    with pytest.raises(NotFlat):
        await closing
    assert account.cancelled == []
