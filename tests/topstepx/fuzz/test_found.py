"""What fuzzing has found, each once more by name."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeforge_core import DecodeError, OrderStatus
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_topstepx import _endpoints, _mapping, _wire
from tradeforge_topstepx._events import EventReader

RECEIVED = datetime(2026, 11, 23, tzinfo=UTC)
DEEP = b"[" * 5000 + b"]" * 5000
ORDER = _wire.OrderRow(id=1, accountId=2, contractId="C", status=1, type=1, side=0, size=Decimal(3))
POSITION = _wire.PositionRow(id=1, accountId=2, contractId="C", type=2, size=Decimal(1))
TRADE = _wire.TradeRow(
    id=1,
    accountId=2,
    contractId="C",
    orderId=3,
    side=0,
    size=Decimal(1),
    price=Decimal(1),
)
BAR = _wire.BarRow(t=RECEIVED, o=Decimal(1), h=Decimal(1), l=Decimal(1), c=Decimal(1), v=Decimal(1))
change: Callable[..., Any] = msgspec.structs.replace


def event(target: str, arguments: bytes) -> list[Any]:
    return [one for _, one in EventReader().read(target, msgspec.Raw(arguments), RECEIVED)]


class TestReading:
    def test_an_answer_with_a_very_deep_member_that_nobody_knows(self) -> None:
        body = b'{"success":true,"new":' + DEEP + b"}"
        with pytest.raises(DecodeError, match="recursion"):
            _endpoints.ACCOUNTS.read(HttpAnswer(200, body, None))

    def test_an_event_with_a_very_deep_member_that_nobody_knows(self) -> None:
        with pytest.raises(DecodeError, match="recursion"):
            event("GatewayQuote", b'["C",{"new":' + DEEP + b"}]")

    def test_a_very_long_text_is_only_long(self) -> None:
        (quote,) = event("GatewayQuote", b'["C",{"symbol":"' + b"x" * 10_000_000 + b'"}]')
        assert quote.contract_id == "C"

    @pytest.mark.parametrize("time", ["253402300800", "1e12", '"253402300800"'])
    def test_a_time_after_the_year_9999(self, time: str) -> None:
        body = f'{{"success":true,"bars":[{{"t":{time},"o":1,"h":1,"l":1,"c":1,"v":1}}]}}'
        with pytest.raises(DecodeError):
            _endpoints.BARS.read(HttpAnswer(200, body.encode(), None))


class TestNumbers:
    @pytest.mark.parametrize("text", ["1E+400", "-1E+999999999", "1E-400", "0E+999999999"])
    def test_one_that_cannot_be_written_down(self, text: str) -> None:
        with pytest.raises(DecodeError, match="balance"):
            row = _wire.AccountRow(id=1, name="", balance=Decimal(text), canTrade=True)
            _mapping.to_account(row)

    @pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity"])
    def test_a_size_that_is_none_of_an_order_that_is_partly_filled(self, text: str) -> None:
        with pytest.raises(DecodeError, match="size"):
            _mapping.to_order(change(ORDER, size=Decimal(text), fillVolume=Decimal(1)))

    @pytest.mark.parametrize(
        "read",
        [
            lambda number: _mapping.to_order(change(ORDER, size=number)),
            lambda number: _mapping.to_order(change(ORDER, fillVolume=number)),
            lambda number: _mapping.to_position(change(POSITION, size=number)),
            lambda number: _mapping.to_trade(change(TRADE, size=number)),
            lambda number: _mapping.to_bar("C", change(BAR, v=number)),
            lambda number: _mapping.to_market_trade(
                "C", _wire.MarketTradeRow(price=Decimal(1), volume=number, type=0), RECEIVED
            ),
            lambda number: _mapping.to_depth(
                "C",
                [_wire.DepthRow(type=1, price=Decimal(1), volume=number)],
                fresh=True,
                received=RECEIVED,
            ),
        ],
    )
    def test_a_size_below_zero(self, read: Callable[[Decimal], object]) -> None:
        assert read(Decimal(1))
        with pytest.raises(DecodeError, match="below 0"):
            read(Decimal(-1))

    def test_the_sign_of_a_position_costs_no_digits(self) -> None:
        size = Decimal("0." + "123456789" * 4)
        assert _mapping.to_position(change(POSITION, size=size)).size == Decimal(f"-{size}")

    def test_a_trailing_distance_keeps_its_digits(self) -> None:
        distance = "0." + "123456789" * 4
        row = change(ORDER, type=5, trailPrice=Decimal(f"-{distance}"))
        assert _mapping.to_order(row).trail_distance == Decimal(distance)

    def test_a_partial_fill_is_still_one(self) -> None:
        order = _mapping.to_order(change(ORDER, fillVolume=Decimal(1)))
        assert order.status is OrderStatus.PARTIALLY_FILLED
