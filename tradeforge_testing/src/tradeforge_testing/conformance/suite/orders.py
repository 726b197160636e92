"""Orders: placed, changed, cancelled, found."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve

from tradeforge_core import InvalidOrder, NotFound, Order, OrderRejected, OrderStatus, OrderType
from tradeforge_testing.conformance.proving import Suite, proves, undeclared
from tradeforge_testing.conformance.suite.capabilities import request_of
from tradeforge_testing.conformance.trial import BUY, SELL, Trial


class Orders(Suite):
    @proves("TF-ORD-010", "TF-ORD-020")
    async def test_what_was_asked_for_is_at_the_venue_once(self, on: Trial) -> None:
        """The request that `_submit_order` makes, and the order that it makes of the answer."""
        for kind in sorted(on.capabilities.order_types):
            request = evolve(request_of(on, kind), size=Decimal(2))
            order = await on.broker.place_order(request)
            (booked,) = on.of_name(request.client_order_id)
            assert (booked.account_id, booked.instrument_id) == (int(on.account_id), on.contract_id)
            assert (booked.side, booked.size) == (request.side, 2)
            if request.limit_price is not None:
                assert booked.limit_price == request.limit_price
            if request.stop_price is not None:
                assert booked.stop_price == request.stop_price
            assert (order.id, order.client_order_id) == (str(booked.id), booked.tag)

    @proves("TF-ORD-010")
    async def test_every_tick_is_a_price(self, on: Trial) -> None:
        """Prices go to the venue with their own digits, never rounded or by way of a float."""
        if OrderType.LIMIT not in on.capabilities.order_types:
            return
        for ticks in range(200, 204):
            request = on.limit(ticks=ticks)
            await on.broker.place_order(request)
            (booked,) = on.of_name(request.client_order_id)
            assert booked.limit_price == request.limit_price

    @proves("TF-ORD-120")
    async def test_buys_are_bought_and_sells_are_sold(self, on: Trial) -> None:
        """The table of sides, in requests and in answers."""
        await on.broker.place_order(on.market(SELL, 2))
        assert on.held == -2
        await on.broker.place_order(on.market(BUY, 5))
        assert on.held == 3
        history = await on.broker.get_order_history(on.account_id, start=on.began)
        assert [one.side for one in history] == [SELL, BUY]

    @proves("TF-ORD-030")
    async def test_what_the_contract_does_not_allow_does_not_leave(self, on: Trial) -> None:
        """The tick size and the size step of `Contract`."""
        await on.contract()
        tick = on.instrument.tick_size
        kind = next((one for one in _PRICED if one in on.capabilities.order_types), None)
        good = on.market() if kind is None else request_of(on, kind)
        prices = {"limit_price": good.limit_price, "stop_price": good.stop_price}
        off: dict[str, Any] = {
            name: one + tick / 2 for name, one in prices.items() if one is not None
        }
        bad = evolve(good, size=Decimal("1.5"), **off)
        sent = on.sent
        refused = await on.raises(InvalidOrder, on.broker.place_order(bad))
        assert len(refused.problems) == 1 + len(off), refused
        assert on.sent == sent

    @proves("TF-ORD-040")
    async def test_a_refused_order_is_told_with_its_reason(self, on: Trial) -> None:
        """The venue's codes of refusal, and the texts that go with them."""
        on.exchange.halt(on.contract_id)
        refused = await on.raises(OrderRejected, on.buy())
        assert str(refused)
        on.exchange.resume(on.contract_id)
        assert on.held == 0

    @proves("TF-ORD-050")
    async def test_a_cancelled_order_is_cancelled_at_the_venue(self, on: Trial) -> None:
        """`_submit_cancel` must not return before the venue has answered."""
        order = await on.broker.place_order(request_of(on, resting_type(on)))
        await on.broker.cancel_order(on.account_id, order.id)
        assert on.exchange.order(int(on.account_id), int(order.id)).status is OrderStatus.CANCELLED
        found = await on.broker.get_order(on.account_id, order.id)
        assert found.status is OrderStatus.CANCELLED

    @proves("TF-ORD-060")
    async def test_a_change_changes_what_was_named(self, on: Trial) -> None:
        """`_submit_change`: what is None stays as it is."""
        order = await on.rest(BUY, 3)
        before = on.exchange.order(int(on.account_id), int(order.id))
        price = on.price(BUY, 250)
        await on.broker.modify_order(on.account_id, order.id, limit_price=price)
        after = on.exchange.order(int(on.account_id), int(order.id))
        assert (after.limit_price, after.size) == (price, before.size)
        await on.broker.modify_order(on.account_id, order.id, size=2)
        after = on.exchange.order(int(on.account_id), int(order.id))
        assert (after.limit_price, after.size) == (price, 2)

    @proves("TF-ORD-070")
    async def test_open_orders_are_those_that_can_fill(self, on: Trial) -> None:
        """Paging, and the statuses that the query asks for."""
        resting = [await on.rest(BUY) for _ in range(25)]
        await on.broker.cancel_order(on.account_id, resting.pop().id)
        on.exchange.fill_order(int(on.account_id), int(resting.pop().id), 1)
        found = await on.broker.get_open_orders(on.account_id)
        assert [one.id for one in found] == [one.id for one in resting]

    @proves("TF-ORD-080")
    async def test_an_order_is_found_whatever_its_status(self, on: Trial) -> None:
        """`_fetch_order` and `_find_by_client_id`: open, filled, cancelled, rejected ones."""
        filled = await on.buy()
        working = await on.broker.place_order(request_of(on, resting_type(on)))
        cancelled = await on.broker.place_order(request_of(on, resting_type(on)))
        await on.broker.cancel_order(on.account_id, cancelled.id)
        ends = (OrderStatus.FILLED, OrderStatus.WORKING, OrderStatus.CANCELLED)
        for order, status in zip((filled, working, cancelled), ends, strict=True):
            assert order.client_order_id is not None
            by_id = await on.broker.get_order(on.account_id, order.id)
            by_name = await on.broker.find_order(on.account_id, order.client_order_id)
            assert by_id == by_name
            assert by_id.status is status
        await on.raises(NotFound, on.broker.find_order(on.account_id, on.new_name()))
        await on.raises(NotFound, on.broker.get_order(on.account_id, "999999999"))

    @proves("TF-ORD-090")
    async def test_the_history_has_every_order_once(self, on: Trial) -> None:
        """Paging, and the ends of the span."""
        placed: list[Order] = []
        for _ in range(15):
            placed.append(await on.buy())
            placed.append(await on.sell())
            await asyncio.sleep(1)
        found = await on.broker.get_order_history(on.account_id, start=on.began)
        assert [one.id for one in found] == [one.id for one in placed]
        later = on.began + timedelta(days=1)
        assert await on.broker.get_order_history(on.account_id, start=later, end=later) == []

    @proves("TF-ORD-100")
    async def test_cancel_all_cancels_all(self, on: Trial) -> None:
        """It is made of the list of open orders and of one cancel for each."""
        resting = [await on.rest(side) for side in (BUY, SELL, BUY)]
        results = await on.broker.cancel_all_orders(on.account_id)
        assert {one.order_id for one in results} == {one.id for one in resting}
        assert all(one.error is None for one in results)
        assert all(one.status is OrderStatus.CANCELLED for one in on.booked)

    @proves("TF-ORD-110")
    async def test_an_order_that_there_is_not_is_not_found(self, on: Trial) -> None:
        """What the venue says of an unknown id."""
        order = await on.broker.place_order(request_of(on, resting_type(on)))
        wrong = (NotFound, OrderRejected)
        await on.raises(wrong, on.broker.cancel_order(on.account_id, "999999999"))
        await on.raises(wrong, on.broker.modify_order(on.account_id, "999999999", size=2))
        assert on.exchange.order(int(on.account_id), int(order.id)).status is OrderStatus.WORKING


def resting_type(on: Trial) -> OrderType:
    """A declared type that waits for its price; without any the test is not declared."""
    for kind in _WAITING:
        if kind in on.capabilities.order_types:
            return kind
    undeclared("an order type that waits for its price")


_PRICED = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
_WAITING = (*_PRICED, OrderType.TRAILING_STOP)
