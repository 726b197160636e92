"""The gateway's rows as models and events: tables, exact digits, and what must be refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core import (
    DecodeError,
    DepthLevel,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
)
from tradeforge_topstepx import _mapping, _wire
from tradeforge_topstepx._checks import decimal_of

NOW = datetime(2026, 8, 19, 20, 51, 31, tzinfo=UTC)
EVERY = msgspec.structs.replace

ORDER = _wire.OrderRow(
    id=3408995735,
    accountId=1001,
    contractId="CON.F.US.MNQ.U26",
    status=1,
    type=1,
    side=0,
    size=Decimal(3),
    creationTimestamp=NOW,
    limitPrice=Decimal("29539.25"),
    fillVolume=Decimal(0),
    customTag="t-1",
)
POSITION = _wire.PositionRow(
    id=7001, accountId=1001, contractId="C", type=1, size=Decimal(2), averagePrice=Decimal("1.5")
)
TRADE = _wire.TradeRow(
    id=9001,
    accountId=1001,
    contractId="C",
    orderId=5001,
    side=1,
    size=Decimal(1),
    price=Decimal("29398.5"),
)


def depth(*rows: _wire.DepthRow | None, fresh: bool = False) -> Any:
    return _mapping.to_depth("C", rows, fresh=fresh, received=NOW)


def level(type_: int, price: str, size: int) -> _wire.DepthRow:
    return _wire.DepthRow(type=type_, price=Decimal(price), volume=Decimal(size), timestamp=NOW)


class TestOrders:
    def test_a_row_becomes_an_order(self) -> None:
        order = _mapping.to_order(ORDER)
        assert order.id == "3408995735"
        assert order.account_id == "1001"
        assert order.client_order_id == "t-1"
        assert order.side is OrderSide.BUY
        assert order.type is OrderType.LIMIT
        assert order.status is OrderStatus.WORKING
        assert order.limit_price == Decimal("29539.25")
        assert order.stop_price is None
        assert order.remaining_size == 3
        assert order.created_at == NOW
        assert order.updated_at is None
        assert order.raw is ORDER

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            (1, OrderStatus.WORKING),
            (2, OrderStatus.FILLED),
            (3, OrderStatus.CANCELLED),
            (4, OrderStatus.EXPIRED),
            (5, OrderStatus.REJECTED),
            (6, OrderStatus.PENDING),
            (7, OrderStatus.PENDING_CANCEL),
            (8, OrderStatus.SUSPENDED),
            (0, OrderStatus.UNKNOWN),
            (99, OrderStatus.UNKNOWN),
        ],
    )
    def test_every_status(self, code: int, status: OrderStatus) -> None:
        assert _mapping.to_order(EVERY(ORDER, status=code)).status is status

    @pytest.mark.parametrize(
        ("code", "type_"),
        [*_mapping.TYPES.items(), (0, OrderType.UNKNOWN), (42, OrderType.UNKNOWN)],
    )
    def test_every_type_and_an_unknown_one_stays_visible(self, code: int, type_: OrderType) -> None:
        assert _mapping.to_order(EVERY(ORDER, type=code)).type is type_

    @pytest.mark.parametrize(
        ("filled", "status"), [(0, "working"), (1, "partially_filled"), (2, "partially_filled")]
    )
    def test_a_partial_fill_is_an_open_order_with_volume(self, filled: int, status: str) -> None:
        order = _mapping.to_order(EVERY(ORDER, fillVolume=Decimal(filled)))
        assert order.status == status
        assert order.filled_size == filled

    @pytest.mark.parametrize("code", [-1, 2, 3])
    def test_an_unknown_side_is_refused(self, code: int) -> None:
        with pytest.raises(DecodeError, match="is not a side"):
            _mapping.to_order(EVERY(ORDER, side=code))

    @pytest.mark.parametrize("member", ["size", "limitPrice", "filledPrice", "fillVolume"])
    @pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
    def test_a_number_that_is_none_is_refused(self, member: str, text: str) -> None:
        with pytest.raises(DecodeError) as caught:
            _mapping.to_order(EVERY(ORDER, **{member: Decimal(text)}))
        assert caught.value.path == f"$.{member}"

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_trailing_distance_has_no_sign(self, sign: int) -> None:
        row = EVERY(ORDER, type=5, trailPrice=sign * Decimal("25.25"))
        assert _mapping.to_order(row).trail_distance == Decimal("25.25")
        assert _mapping.to_order(EVERY(row, type=1)).trail_distance is None

    def test_an_accepted_order_claims_no_more_than_is_known(self) -> None:
        request = OrderRequest.limit("1001", "C", OrderSide.SELL, 2, "1.25")
        order = _mapping.accepted_order(request, 5001)
        assert (order.id, order.status) == ("5001", OrderStatus.PENDING)
        assert (order.filled_size, order.created_at, order.average_fill_price) == (0, None, None)


class TestPositions:
    @pytest.mark.parametrize(("type_", "size", "signed"), [(1, 2, 2), (2, 2, -2), (0, 0, 0)])
    def test_the_type_is_the_sign(self, type_: int, size: int, signed: int) -> None:
        row = EVERY(POSITION, type=type_, size=Decimal(size))
        assert _mapping.to_position(row).size == signed

    @pytest.mark.parametrize(("type_", "size"), [(0, 2), (3, 1), (-1, 1), (1, -1), (2, -1)])
    def test_a_sign_that_makes_no_sense_is_refused(self, type_: int, size: int) -> None:
        with pytest.raises(DecodeError):
            _mapping.to_position(EVERY(POSITION, type=type_, size=Decimal(size)))

    def test_a_closed_position_is_flat(self) -> None:
        assert _mapping.to_position(EVERY(POSITION, type=0, size=Decimal(0))).is_flat


class TestTrades:
    def test_an_opening_fill_has_no_profit(self) -> None:
        trade = _mapping.to_trade(TRADE)
        assert trade.realized_pnl is None
        assert (trade.side, trade.price, trade.fees) == (OrderSide.SELL, Decimal("29398.5"), None)

    def test_a_closing_fill_has_one(self) -> None:
        assert _mapping.to_trade(EVERY(TRADE, profitAndLoss=Decimal("-49"))).realized_pnl == -49

    def test_a_voided_fill_says_so(self) -> None:
        assert _mapping.to_trade(EVERY(TRADE, voided=True)).voided


class TestQuotes:
    def test_a_change_keeps_what_it_does_not_name(self) -> None:
        first = _mapping.to_quote(
            "C",
            _wire.QuoteRow(bestBid=Decimal("1.25"), bestAsk=Decimal("1.5"), volume=Decimal(9)),
            None,
            NOW,
        )
        second = _mapping.to_quote("C", _wire.QuoteRow(bestAsk=Decimal("1.75")), first, NOW)
        assert (second.bid, second.ask, second.volume) == (Decimal("1.25"), Decimal("1.75"), 9)

    def test_what_never_came_is_none_and_not_zero(self) -> None:
        quote = _mapping.to_quote("C", _wire.QuoteRow(lastPrice=Decimal(1)), None, NOW)
        assert (quote.bid, quote.ask, quote.volume, quote.time) == (None, None, None, None)

    def test_zero_is_a_value(self) -> None:
        quote = _mapping.to_quote("C", _wire.QuoteRow(change=Decimal(0)), None, NOW)
        assert quote.change == 0

    def test_the_time_is_the_one_that_moves(self) -> None:
        row = _wire.QuoteRow(lastUpdated=NOW, timestamp=NOW - timedelta(hours=5))
        assert _mapping.to_quote("C", row, None, NOW).time == NOW

    def test_the_session_time_serves_where_it_is_alone(self) -> None:
        row = _wire.QuoteRow(timestamp=NOW - timedelta(hours=5))
        assert _mapping.to_quote("C", row, None, NOW).time == NOW - timedelta(hours=5)


class TestMarketTrades:
    @pytest.mark.parametrize(("code", "side"), [(0, OrderSide.BUY), (1, OrderSide.SELL)])
    def test_the_type_is_the_aggressor(self, code: int, side: OrderSide) -> None:
        row = _wire.MarketTradeRow(price=Decimal("7730.5"), volume=Decimal(2), type=code)
        trade = _mapping.to_market_trade("C", row, NOW)
        assert (trade.aggressor, trade.price, trade.size) == (side, Decimal("7730.5"), 2)

    def test_an_unknown_aggressor_is_refused(self) -> None:
        row = _wire.MarketTradeRow(price=Decimal(1), volume=Decimal(1), type=2)
        with pytest.raises(DecodeError):
            _mapping.to_market_trade("C", row, NOW)


class TestDepth:
    def test_levels_of_both_sides(self) -> None:
        event = depth(level(2, "1.25", 7), level(1, "1.5", 0))
        assert event.bids == (DepthLevel(Decimal("1.25"), Decimal(7)),)
        assert event.asks == (DepthLevel(Decimal("1.5"), Decimal(0)),)
        assert not event.reset
        assert event.time == NOW

    @pytest.mark.parametrize(("bid_type", "ask_type"), [(4, 3), (9, 10)])
    def test_best_levels_are_told_apart_from_the_book(self, bid_type: int, ask_type: int) -> None:
        event = depth(level(bid_type, "1.25", 7), level(ask_type, "1.5", 8))
        assert event.best_bid == (Decimal("1.25"), 7)
        assert event.best_ask == (Decimal("1.5"), 8)
        assert event.bids == event.asks == ()

    def test_what_stands_before_a_reset_is_void(self) -> None:
        event = depth(level(2, "1.25", 7), _wire.DepthRow(type=6), level(2, "1.0", 3))
        assert event.reset
        assert event.bids == (DepthLevel(Decimal("1.0"), Decimal(3)),)

    def test_only_what_stands_behind_the_last_reset_counts(self) -> None:
        reset, broken = _wire.DepthRow(type=6), _wire.DepthRow(type=2, volume=-1)
        event = depth(broken, reset, level(1, "9", 1), None, reset, level(1, "2", 3))
        assert (event.bids, event.asks) == ((), (DepthLevel(Decimal(2), Decimal(3)),))
        with pytest.raises(DecodeError):
            depth(reset, broken)

    @pytest.mark.parametrize("whole", [0, 1, -7, 21_000, 10**17, -(10**17)])
    def test_a_whole_price_is_the_decimal_of_it(self, whole: int) -> None:
        for _ in range(2):  # made, and then remembered
            (bid,) = depth(_wire.DepthRow(type=2, price=whole, volume=5)).bids
            assert (bid.price, str(bid.price)) == (whole, str(whole))

    def test_the_first_message_of_a_subscription_begins_the_book(self) -> None:
        assert depth(level(2, "1.25", 7), fresh=True).reset

    def test_a_reset_row_is_a_marker_whatever_it_carries(self) -> None:
        assert depth(level(6, "1.25", 7)).bids == ()

    def test_padding_prints_and_session_extremes_change_no_level(self) -> None:
        rows = [level(type_, "1.25", 7) for type_ in (0, 5, 7, 8, 11, 99)]
        event = depth(None, *rows, None)
        assert (event.bids, event.asks, event.best_bid, event.best_ask) == ((), (), None, None)

    def test_an_empty_message_has_no_time(self) -> None:
        assert depth(None).time is None

    @pytest.mark.parametrize(
        "row",
        [
            _wire.DepthRow(type=1, price=Decimal(1)),
            _wire.DepthRow(type=2, volume=Decimal(1)),
            level(1, "1", -1),
            _wire.DepthRow(type=1, price=Decimal(1), volume=10**50),
            _wire.DepthRow(type=1, price=10**50, volume=1),
            _wire.DepthRow(type=1, price="NaN", volume=1),
            _wire.DepthRow(type=1, price=True, volume=1),
        ],
    )
    def test_a_level_without_sense_is_refused(self, row: _wire.DepthRow) -> None:
        with pytest.raises(DecodeError):
            depth(row)


class TestContracts:
    @pytest.mark.parametrize(
        ("symbol", "root"),
        [("MNQZ6", "MNQ"), ("6EU6", "6E"), ("M2KZ26", "M2K"), ("E7H7", "E7"), ("X", "X")],
    )
    def test_the_root_of_a_symbol(self, symbol: str, root: str) -> None:
        assert _mapping.root_of(symbol) == root

    def test_contracts_sort_by_expiry_over_the_turn_of_the_decade(self) -> None:
        today = datetime(2029, 11, 1, tzinfo=UTC)
        symbols = ["MNQH0", "MNQZ9", "MNQM0", "MNQU9"]
        ordered = sorted(symbols, key=lambda symbol: _mapping.expiry_key(symbol, today))
        assert ordered == ["MNQU9", "MNQZ9", "MNQH0", "MNQM0"]

    def test_two_digits_of_a_year_mean_that_year(self) -> None:
        today = datetime(2026, 11, 1, tzinfo=UTC)
        assert _mapping.expiry_key("MNQZ26", today) == _mapping.expiry_key("MNQZ6", today)

    @pytest.mark.parametrize(("tick", "value"), [("0", "1"), ("-0.25", "1"), ("1", "0")])
    def test_a_tick_must_be_above_zero(self, tick: str, value: str) -> None:
        row = _wire.ContractRow(
            id="C",
            name="MNQZ6",
            description="",
            tickSize=Decimal(tick),
            tickValue=Decimal(value),
            activeContract=True,
        )
        with pytest.raises(DecodeError):
            _mapping.to_contract(row)


class TestTimes:
    def test_a_naive_time_is_refused(self) -> None:
        with pytest.raises(DecodeError, match="time zone"):
            _mapping.to_order(EVERY(ORDER, creationTimestamp=datetime(2026, 1, 1)))  # noqa: DTZ001

    def test_every_zone_becomes_utc(self) -> None:
        local = NOW.astimezone(timezone(timedelta(hours=-5)))
        created = _mapping.to_order(EVERY(ORDER, creationTimestamp=local)).created_at
        assert created is not None
        assert (created, created.tzinfo) == (NOW, UTC)

    def test_a_time_at_the_end_of_time_is_refused(self) -> None:
        late = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5)))
        with pytest.raises(DecodeError, match="out of range"):
            _mapping.to_order(EVERY(ORDER, creationTimestamp=late))


@given(price=st.decimals(allow_nan=False, allow_infinity=False, places=7, max_value=10**9))
def test_prices_keep_every_digit_from_the_wire(price: Decimal) -> None:
    body = f'{{"price":{price:f},"volume":1,"type":0}}'
    row = msgspec.json.Decoder(_wire.MarketTradeRow, float_hook=decimal_of).decode(body)
    assert _mapping.to_market_trade("C", row, NOW).price.as_tuple() == price.as_tuple()
