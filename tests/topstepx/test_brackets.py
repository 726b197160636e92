"""Brackets and trailing stops: signs, levels, families, and what they leave behind."""

from decimal import Decimal

import pytest

from tradeforge_core import (
    Account,
    Bracket,
    Contract,
    InvalidOrder,
    Order,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    UserDataType,
)
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

STOP, TARGET = Decimal(10), Decimal(20)


def entry(
    account: Account, contract: Contract, side: OrderSide, size: int = 1, trailing: bool = False
) -> OrderRequest:
    return OrderRequest(
        account_id=account.id,
        contract_id=contract.id,
        side=side,
        type=OrderType.MARKET,
        size=size,
        bracket=Bracket(stop_loss=STOP, take_profit=TARGET, trailing=trailing),
    )


async def filled(broker: TopStepXProvider, placed: Order) -> Order:
    order = await broker.get_order(placed.account_id, placed.id)
    assert order.average_fill_price is not None
    return order


@pytest.mark.parametrize(("side", "up"), [(OrderSide.BUY, 1), (OrderSide.SELL, -1)])
async def test_the_exits_stand_on_their_sides_of_the_fill(
    side: OrderSide,
    up: int,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
) -> None:
    order = await filled(broker, await broker.place_order(entry(account, contract, side)))
    assert order.average_fill_price is not None
    family = await broker.get_order_family(account.id, order.id)
    assert family.stop_loss is not None
    assert family.take_profit is not None
    assert family.stop_loss.stop_price == order.average_fill_price - up * STOP
    assert family.take_profit.limit_price == order.average_fill_price + up * TARGET
    assert {leg.side for leg in family.exits} == {side.opposite}
    assert {leg.status for leg in family.exits} == {OrderStatus.WORKING}
    assert {leg.parent_order_id for leg in family.exits} == {order.id}
    assert family.take_profit.linked_order_id == family.stop_loss.id
    tag = order.client_order_id
    assert [leg.client_order_id for leg in family.exits] == [f"{tag}-SL", f"{tag}-TP"]


async def test_one_exit_fills_and_the_other_is_cancelled(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    placed = await broker.place_order(entry(account, contract, OrderSide.BUY))
    order = await filled(broker, placed)
    assert order.average_fill_price is not None
    sandbox.exchange.move_to(contract.id, order.average_fill_price + TARGET + 5)
    family = await broker.get_order_family(account.id, order.id)
    assert family.take_profit is not None
    assert family.stop_loss is not None
    assert family.take_profit.status is OrderStatus.FILLED
    assert family.stop_loss.status is OrderStatus.CANCELLED
    assert await broker.get_positions(account.id) == []


async def test_exits_that_wait_for_their_entry_are_visible(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    request = OrderRequest(
        account_id=account.id,
        contract_id=contract.id,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        size=1,
        limit_price=contract.tick_size * 400,
        bracket=Bracket(stop_loss=STOP),
    )
    placed = await broker.place_order(request)
    orders = await broker.get_open_orders(account.id)
    assert [order.status for order in orders] == [OrderStatus.WORKING, OrderStatus.SUSPENDED]
    family = await broker.get_order_family(account.id, placed.id)
    assert family.stop_loss is not None
    assert family.take_profit is None
    await broker.cancel_order(account.id, placed.id)
    assert await broker.get_open_orders(account.id) == []


async def test_the_life_of_a_family_on_the_stream(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    async with broker.subscribe_user_data(account.id, [UserDataType.ORDER_UPDATE]) as updates:
        placed = await broker.place_order(entry(account, contract, OrderSide.BUY))
        seen: list[tuple[bool, OrderStatus]] = []
        while seen.count((False, OrderStatus.WORKING)) < 2:
            event = await anext(updates)
            if isinstance(event, OrderUpdateEvent):
                seen.append((event.order.id == placed.id, event.order.status))
    assert seen == [
        (False, OrderStatus.SUSPENDED),
        (True, OrderStatus.PENDING),
        (False, OrderStatus.SUSPENDED),
        (True, OrderStatus.FILLED),
        (False, OrderStatus.WORKING),
        (False, OrderStatus.WORKING),
    ]


async def test_closing_takes_the_exits_along(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await broker.place_order(entry(account, contract, OrderSide.BUY, size=2))
    await broker.close_position(account.id, contract.id)
    assert await broker.get_positions(account.id) == []
    assert await broker.get_open_orders(account.id) == []
    assert sandbox.requests["/api/Position/closeContract"] == 1


async def test_closing_a_part_makes_the_exits_fit(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    placed = await broker.place_order(entry(account, contract, OrderSide.SELL, size=3))
    await broker.close_position(account.id, contract.id, size=2)
    (position,) = await broker.get_positions(account.id)
    assert position.size == -1
    family = await broker.get_order_family(account.id, placed.id)
    assert [leg.remaining_size for leg in family.exits] == [1, 1]


async def test_closing_leaves_other_orders_alone(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    other = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    await broker.place_order(entry(account, contract, OrderSide.BUY))
    await broker.close_position(account.id, contract.id)
    assert [order.id for order in await broker.get_open_orders(account.id)] == [other.id]


@pytest.mark.parametrize("side", OrderSide)
async def test_a_trailing_stop_is_sent_as_a_level_and_read_as_a_distance(
    side: OrderSide,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
) -> None:
    sandbox.exchange.halt(contract.id)
    sandbox.exchange.resume(contract.id)
    distance = 40 * contract.tick_size
    placed = await broker.place_order(
        OrderRequest.trailing_stop(account.id, contract.id, side, 1, distance)
    )
    order = await broker.get_order(account.id, placed.id)
    assert order.type is OrderType.TRAILING_STOP
    assert order.trail_distance is not None
    assert abs(order.trail_distance - distance) <= 8 * contract.tick_size
    await broker.modify_order(account.id, order.id, trail_distance=2 * distance)
    changed = await broker.get_order(account.id, order.id)
    assert changed.trail_distance is not None
    assert abs(changed.trail_distance - 2 * distance) <= 8 * contract.tick_size


async def test_a_stop_loss_can_trail(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    placed = await broker.place_order(entry(account, contract, OrderSide.BUY, trailing=True))
    family = await broker.get_order_family(account.id, placed.id)
    assert family.stop_loss is not None
    assert family.stop_loss.type is OrderType.TRAILING_STOP
    assert family.stop_loss.trail_distance == STOP


@pytest.mark.parametrize("type_", [OrderType.JOIN_BID, OrderType.JOIN_ASK])
async def test_joining_the_best_price(
    type_: OrderType, broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    side = OrderSide.BUY if type_ is OrderType.JOIN_BID else OrderSide.SELL
    placed = await broker.place_order(
        OrderRequest(account_id=account.id, contract_id=contract.id, side=side, type=type_, size=1)
    )
    order = await broker.get_order(account.id, placed.id)
    assert order.type is type_
    assert order.limit_price is not None


@pytest.mark.parametrize(
    ("bracket", "problem"),
    [
        (Bracket(), "needs a stop_loss or a take_profit"),
        (Bracket(stop_loss="0.75"), "at least 4 ticks"),
        (Bracket(take_profit=-20), "at least 4 ticks"),
        (Bracket(stop_loss="10.1"), "not on the tick"),
        (Bracket(take_profit=10, trailing=True), "needs a stop_loss"),
    ],
)
async def test_a_bracket_that_cannot_be_right_never_leaves(
    bracket: Bracket,
    problem: str,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
) -> None:
    request = OrderRequest(
        account_id=account.id,
        contract_id=contract.id,
        side=OrderSide.BUY,
        type=OrderType.MARKET,
        size=1,
        bracket=bracket,
    )
    with pytest.raises(InvalidOrder, match=problem):
        await broker.place_order(request)
    assert sandbox.requests["/api/Order/place"] == 0


async def test_an_account_without_auto_oco_says_where_the_switch_is(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    sandbox.exchange.set_auto_oco(int(account.id), False)
    with pytest.raises(OrderRejected, match="switch the account from Position Brackets"):
        await broker.place_order(entry(account, contract, OrderSide.BUY))


@pytest.mark.parametrize("distance", ["0", "-5", "1.1"])
async def test_a_trailing_distance_that_cannot_be_right(
    distance: str, broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    with pytest.raises(InvalidOrder, match="trail_distance"):
        await broker.place_order(
            OrderRequest.trailing_stop(account.id, contract.id, OrderSide.SELL, 1, distance)
        )
