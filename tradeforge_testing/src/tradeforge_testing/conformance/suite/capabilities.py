"""What is declared works, and what is not declared is refused before anything leaves."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import evolve

from tradeforge_core import (
    BarSpan,
    BarUnit,
    Bracket,
    MarketDataType,
    NotSupported,
    OrderRequest,
    OrderStatus,
    OrderType,
    UserDataType,
)
from tradeforge_testing.conformance.proving import Suite, proves
from tradeforge_testing.conformance.trial import BUY, SELL, Trial


def request_of(on: Trial, kind: OrderType) -> OrderRequest:
    """An order of this type that the venue can take and that does not fill at once."""
    tick = on.instrument.tick_size
    above, below = on.price(SELL, 200), on.price(BUY, 200)
    more: dict[OrderType, dict[str, Any]] = {
        OrderType.LIMIT: {"limit_price": below},
        OrderType.STOP: {"stop_price": above},
        OrderType.STOP_LIMIT: {"stop_price": above, "limit_price": above + tick},
        OrderType.TRAILING_STOP: {"trail_distance": 200 * tick},
    }
    return evolve(on.market(), type=kind, **more.get(kind, {}))


_TYPES = [one for one in OrderType if one is not OrderType.UNKNOWN]


class CapabilitiesTold(Suite):
    @proves("TF-CAP-010")
    async def test_an_undeclared_order_type_does_not_leave(self, on: Trial) -> None:
        """`Capabilities.order_types`: what is not in it is refused by the core."""
        contract = await on.contract()
        sent = on.sent
        for kind in set(_TYPES) - on.capabilities.order_types:
            await on.raises(NotSupported, on.broker.place_order(request_of(on, kind)))
        assert (on.sent, contract.id) == (sent, on.contract_id)

    @proves("TF-CAP-020")
    async def test_an_undeclared_kind_of_data_is_not_asked_for(self, on: Trial) -> None:
        """`Capabilities.market_data` and `user_data`."""
        sent = on.sent
        for kind in set(MarketDataType) - on.capabilities.market_data:
            with_no_data = on.broker.subscribe_market_data
            try:
                await with_no_data([on.contract_id], [kind])
            except NotSupported:
                continue
            raise AssertionError(f"{kind} is not declared, and was subscribed")
        for user_kind in set(UserDataType) - on.capabilities.user_data:
            try:
                await on.broker.subscribe_user_data([on.account_id], [user_kind])
            except NotSupported:
                continue
            raise AssertionError(f"{user_kind} is not declared, and was subscribed")
        assert on.sent == sent

    @proves("TF-CAP-030")
    async def test_an_undeclared_bracket_does_not_leave(self, on: Trial) -> None:
        """`Capabilities.brackets`."""
        if on.capabilities.brackets:
            return  # the requirements of brackets say what it has to do then
        await on.contract()
        sent = on.sent
        bracket = Bracket(stop_loss=20 * on.instrument.tick_size)
        await on.raises(NotSupported, on.broker.place_order(on.market(bracket=bracket)))
        assert on.sent == sent

    @proves("TF-CAP-040")
    async def test_every_declared_order_type_is_taken_as_what_it_is(self, on: Trial) -> None:
        """The table of order types, both ways."""
        for kind in sorted(on.capabilities.order_types):
            request = request_of(on, kind)
            order = await on.broker.place_order(request)
            (booked,) = on.of_name(request.client_order_id)
            assert booked.type in (kind, _BECOMES.get(kind)), f"{kind} became {booked.type}"
            assert booked.status is not OrderStatus.REJECTED
            found = await on.broker.get_order(on.account_id, order.id)
            assert found.type is booked.type, f"{booked.type} is read as {found.type}"

    @proves("TF-CAP-050", follows=False)
    async def test_every_declared_kind_of_data_is_told(self, on: Trial) -> None:
        """The names of the venue's channels, and what is made of their messages."""
        for kind in sorted(on.capabilities.market_data):
            await on.broker.subscribe_market_data([on.contract_id], [_asked_as(on, kind)])
            await on.until(partial(_has, on, kind), within=120)
        await on.follow()
        await on.buy()
        for user_kind in sorted(on.capabilities.user_data):
            await on.until(partial(_has, on, user_kind), within=120)

    @proves("TF-CAP-060")
    async def test_every_declared_bar_unit_gives_bars(self, on: Trial) -> None:
        """`Capabilities.bar_units`, and the table of units."""
        now = on.began
        for unit in BarUnit:
            ask = on.broker.get_historical_bars
            span = _SPANS[unit]
            sent = on.sent
            if unit in on.capabilities.bar_units:
                bars = await ask(on.contract_id, start=now - span, end=now, unit=unit)
                assert all(isinstance(one.close, Decimal) for one in bars)
            else:
                await on.raises(
                    NotSupported, ask(on.contract_id, start=now - span, end=now, unit=unit)
                )
                assert on.sent == sent

    @proves("TF-CAP-070")
    async def test_an_order_only_reduces_or_rests_where_that_is_declared(self, on: Trial) -> None:
        """`Capabilities.reduce_only`, `post_only` and `quote_size`, both ways."""
        await on.contract()
        resting = request_of(on, OrderType.LIMIT)
        switched = {
            "post_only": (on.capabilities.post_only, evolve(resting, post_only=True)),
            "reduce_only": (on.capabilities.reduce_only, await _reducing(on)),
            "in_quote": (on.capabilities.quote_size, on.market(in_quote=True)),
        }
        for name, (declared, request) in switched.items():
            sent = on.sent
            if not declared:
                await on.raises(NotSupported, on.broker.place_order(request))
                assert on.sent == sent, f"{name} is not declared, and left"
            elif name != "in_quote":  # that depends on the contract
                order = await on.broker.place_order(request)
                found = await on.broker.get_order(on.account_id, order.id)
                assert getattr(found, name), f"{name} is not read back"


async def _reducing(on: Trial) -> OrderRequest:
    """An order that makes a position smaller, far from the market; there is one if it may be."""
    if on.capabilities.reduce_only:
        await on.buy()
    limit = evolve(request_of(on, OrderType.LIMIT), side=SELL, limit_price=on.price(SELL, 200))
    return evolve(limit, reduce_only=True)


_BECOMES = {OrderType.JOIN_BID: OrderType.LIMIT, OrderType.JOIN_ASK: OrderType.LIMIT}
"""What a venue may book instead."""

_SPANS = {
    BarUnit.SECOND: timedelta(minutes=2),
    BarUnit.MINUTE: timedelta(hours=1),
    BarUnit.HOUR: timedelta(days=1),
    BarUnit.DAY: timedelta(days=10),
    BarUnit.WEEK: timedelta(days=40),
    BarUnit.MONTH: timedelta(days=100),
}


def _asked_as(on: Trial, kind: MarketDataType) -> MarketDataType | BarSpan:
    """Of bars the shortest that is declared."""
    return min(on.capabilities.live_bars) if kind is MarketDataType.BAR else kind


def _has(on: Trial, kind: MarketDataType | UserDataType) -> bool:
    return any(type(one).__name__ == _EVENTS[kind] for one in on.heard)


_EVENTS = {
    MarketDataType.QUOTE: "QuoteEvent",
    MarketDataType.DEPTH: "DepthEvent",
    MarketDataType.TRADE: "MarketTradeEvent",
    MarketDataType.TICKER: "TickerEvent",
    MarketDataType.BAR: "BarEvent",
    UserDataType.ACCOUNT_UPDATE: "AccountUpdateEvent",
    UserDataType.ORDER_UPDATE: "OrderUpdateEvent",
    UserDataType.POSITION_UPDATE: "PositionUpdateEvent",
    UserDataType.USER_TRADE: "UserTradeEvent",
}
