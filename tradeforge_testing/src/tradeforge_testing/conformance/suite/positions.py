"""Positions, fills, and the exits of brackets."""

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal

from attrs import evolve

from tradeforge_core import (
    Bracket,
    NotFlat,
    NotFound,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    ProtectionIncomplete,
    TradeForgeError,
    UserTradeEvent,
)
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.conformance.proving import Suite, proves, without_faults
from tradeforge_testing.conformance.trial import BUY, SELL, Trial
from tradeforge_testing.exchange import ExchangeOrder

_A_MOMENT = timedelta(milliseconds=1)
"""By how much the venue's times may be rounded on their way."""
ANSWER_LOST = ("F03", "F07", "F09")


class Positions(Suite):
    @proves("TF-POS-010", "TF-POS-020")
    async def test_long_is_above_zero_and_short_below(self, on: Trial) -> None:
        """The sign of a position, its average price, and that flat ones are left out."""
        for side, sign in ((BUY, 1), (SELL, -1)):
            await on.broker.place_order(on.market(side, 2))
            (position,) = await on.broker.get_positions(on.account_id)
            (true,) = [one for one in on.exchange.positions(int(on.account_id)) if one.size]
            assert (position.size, position.contract_id) == (Decimal(2 * sign), on.contract_id)
            assert position.average_price in (None, true.average_price)
            await on.broker.close_position(on.account_id, on.contract_id)
            assert await on.broker.get_positions(on.account_id) == []

    @proves("TF-POS-030")
    async def test_a_close_closes_what_was_said(self, on: Trial) -> None:
        """`_submit_close`, with a size and without."""
        for side in (BUY, SELL):
            await on.broker.place_order(on.market(side, 3))
            await on.broker.close_position(on.account_id, on.contract_id, size=1)
            assert abs(on.held) == 2
            await on.broker.close_position(on.account_id, on.contract_id)
            assert on.held == 0

    @proves("TF-POS-030", "TF-SAF-060", under=ANSWER_LOST, beside=Action.CLOSE, lives=2)
    async def test_a_close_whose_answer_is_lost_does_not_turn_it_around(self, on: Trial) -> None:
        """A close must be one request, and its outcome what is held afterwards."""
        await on.buy(3)
        await on.strike(Action.CLOSE)
        try:
            await on.broker.close_position(on.account_id, on.contract_id, size=1)
        except TradeForgeError:
            await on.heal()
        assert on.held in (2, 3)
        before = on.held
        await on.strike(Action.CLOSE)
        try:
            await on.broker.close_position(on.account_id, on.contract_id)
        except TradeForgeError:
            await on.heal()
        assert on.held in (0, before)

    @proves("TF-POS-040")
    async def test_a_close_of_nothing_opens_nothing(self, on: Trial) -> None:
        """What the venue says of a position that there is not."""
        await on.raises(NotFound, on.broker.close_position(on.account_id, on.contract_id))
        assert on.held == 0
        assert not on.booked

    @proves("TF-POS-050")
    async def test_flatten_leaves_nothing(self, on: Trial) -> None:
        """It is made of reads, cancels and closes."""
        await on.buy(2)
        if OrderType.LIMIT in on.capabilities.order_types:
            await on.rest(BUY)
            await on.rest(SELL)
        await on.broker.flatten(on.account_id)
        assert (on.held, [one for one in on.booked if not one.status.is_final]) == (0, [])

    @proves("TF-POS-050", under=(*ANSWER_LOST, "F08", "F69"), beside=Action.FLATTEN)
    async def test_flat_is_said_only_when_it_is_so(self, on: Trial) -> None:
        """A look that failed, or an answer that was lost, is no proof."""
        await on.buy(2)
        await on.strike(Action.FLATTEN)
        try:
            await on.broker.flatten(on.account_id)
        except TradeForgeError:
            return  # it said that it could not prove it
        assert on.held == 0

    @proves("TF-SAF-080")
    async def test_reads_that_are_behind_are_no_proof_of_flat(self, on: Trial) -> None:
        """The fault `reads_lag` of the venue; `flatten` waits until what was accepted is shown."""
        lags = [one for one in on.stage.venue.faults if "F69" in one.rows and one.at_once]
        if not lags:
            without_faults(("F69",))
        striking = lags[0].strike(on.stage, Action.FLATTEN, on.stage.random)
        assert striking is None
        await on.buy()
        try:
            await on.broker.flatten(on.account_id)
        except NotFlat:
            return
        assert on.held == 0


class Fills(Suite):
    @proves("TF-FIL-010", "TF-FIL-030")
    async def test_the_history_has_every_fill_once(self, on: Trial) -> None:
        """Paging, and the mapping of trades."""
        for _ in range(12):
            await on.buy(2)
            await asyncio.sleep(0.5)
            await on.sell(2)
        trades = await on.broker.get_trade_history(on.account_id, start=on.began)
        assert max(Counter(one.id for one in trades).values()) == 1
        assert [one.id for one in trades] == [str(one.id) for one in on.fills]
        for trade, fill in zip(trades, on.fills, strict=True):
            assert (trade.order_id, trade.side) == (str(fill.order_id), fill.side)
            assert trade.time is None or abs(trade.time - fill.time) < _A_MOMENT
            assert (trade.size, trade.price) == (Decimal(fill.size), fill.price)
            assert trade.realized_pnl in (None, fill.realized_pnl)
            assert trade.fees in (None, fill.fees)
            assert trade.commissions in (None, fill.commissions)

    @proves("TF-FIL-020")
    async def test_a_partial_fill_is_shown_as_one(self, on: Trial) -> None:
        """The filled size, and the average price of the fills."""
        order = await on.rest(BUY, 5)
        account, price = int(on.account_id), order.limit_price
        assert price is not None
        on.exchange.fill_order(account, int(order.id), 2, price)
        found = await on.broker.get_order(on.account_id, order.id)
        assert (found.filled_size, found.remaining_size) == (Decimal(2), Decimal(3))
        assert found.status is OrderStatus.PARTIALLY_FILLED or not found.status.is_final
        tick = on.instrument.tick_size
        on.exchange.fill_order(account, int(order.id), 3, price - 5 * tick)
        found = await on.broker.get_order(on.account_id, order.id)
        true = on.exchange.order(account, int(order.id))
        assert (found.status, found.filled_size) == (OrderStatus.FILLED, Decimal(5))
        assert found.average_fill_price in (None, true.average_fill_price)

    @proves("TF-FIL-040")
    async def test_a_fill_that_is_taken_back_counts_for_nothing(self, on: Trial) -> None:
        """How the venue tells of it: a message of its own, or the fill again, marked."""
        await on.buy()
        (fill,) = on.fills
        await on.until(lambda: on.told(UserTradeEvent))
        on.exchange.void_fill(int(on.account_id), fill.id)
        await on.until(lambda: any(one.trade.voided for one in on.told(UserTradeEvent)), within=90)


class Brackets(Suite):
    @proves("TF-BRA-010", "TF-BRA-040")
    async def test_exits_stand_at_their_distances(self, on: Trial) -> None:
        """How distances become what the venue wants: ticks, signs, prices; `brackets_from_fill`."""
        await on.contract()
        tick = on.instrument.tick_size
        for side, sign in ((BUY, 1), (SELL, -1)):
            exits = Bracket(stop_loss=20 * tick, take_profit=40 * tick)
            order = await on.broker.place_order(_entry(on, side, 2, exits))
            entry = on.exchange.order(int(on.account_id), int(order.id))
            base = _base(on, entry)
            stop, target = _legs(on, entry)
            assert (_price(stop), stop.size) == (base - sign * 20 * tick, 2)
            assert (_price(target), target.size) == (base + sign * 40 * tick, 2)
            assert stop.side is target.side is (SELL if side is BUY else BUY)
            family = await on.broker.get_order_family(on.account_id, order.id)
            assert family.stop_loss is not None and family.stop_loss.id == str(stop.id)
            assert family.take_profit is not None and family.take_profit.id == str(target.id)
            await on.broker.flatten(on.account_id)

    @proves("TF-BRA-020")
    async def test_one_exit_ends_the_other(self, on: Trial) -> None:
        """The ids that link them, and what the stream says of both."""
        await on.contract()
        tick = on.instrument.tick_size
        exits = Bracket(stop_loss=20 * tick, take_profit=40 * tick)
        order = await on.broker.place_order(on.market(bracket=exits))
        entry = on.exchange.order(int(on.account_id), int(order.id))
        _, target = _legs(on, entry)
        on.exchange.move_to(on.contract_id, _price(target) + 10 * tick)
        family = await on.broker.get_order_family(on.account_id, order.id)
        assert family.take_profit is not None and family.stop_loss is not None
        assert family.take_profit.status is OrderStatus.FILLED
        assert family.stop_loss.status.is_final
        assert {one.parent_order_id for one in family.exits} == {order.id}
        assert on.held == 0

    @proves("TF-BRA-030")
    async def test_a_missing_exit_is_told(self, on: Trial) -> None:
        """`_fetch_exits`: it has to give what the venue has, and nothing that was merely asked."""
        await on.contract()
        on.exchange.lose_legs(int(on.account_id), take_profit=False)
        tick = on.instrument.tick_size
        exits = Bracket(stop_loss=20 * tick, take_profit=40 * tick)
        told = await on.raises(
            ProtectionIncomplete, on.broker.place_order(on.market(bracket=exits))
        )
        assert "stop_loss" in told.missing
        await on.broker.flatten(on.account_id)


def _legs(on: Trial, entry: ExchangeOrder) -> tuple[ExchangeOrder, ExchangeOrder]:
    """The stop loss and the take profit that the venue has for an entry."""
    up = 1 if entry.side is BUY else -1
    legs = [one for one in on.booked if one.parent_id == entry.id]
    stop, target = sorted(legs, key=lambda leg: up * _price(leg))
    return stop, target


def _price(leg: ExchangeOrder) -> Decimal:
    """Where it goes to work."""
    price = leg.stop_price or leg.limit_price
    assert price is not None
    return price


def _entry(on: Trial, side: OrderSide, size: int, exits: Bracket) -> OrderRequest:
    """An order that fills at once; with a limit where its exits do not count from the fill."""
    request = on.market(side, size, bracket=exits)
    if on.capabilities.brackets_from_fill:
        return request
    quote = on.exchange.quote(on.contract_id)
    best = quote.ask if side is BUY else quote.bid
    assert best is not None
    return evolve(request, type=OrderType.LIMIT, limit_price=best)


def _base(on: Trial, entry: ExchangeOrder) -> Decimal:
    base = entry.average_fill_price if on.capabilities.brackets_from_fill else entry.limit_price
    assert base is not None
    return base
