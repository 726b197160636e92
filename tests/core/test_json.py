"""What JSON of models and events looks like, and what is no such JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tradeforge_core import (
    Account,
    Bar,
    DecodeError,
    Event,
    Gap,
    GapCause,
    MarketEvent,
    MarketTradeEvent,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    Trade,
    UserEvent,
    from_json,
    to_json,
)

if TYPE_CHECKING:
    from tests.core.conftest import Make

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_decimals_keep_every_digit_and_times_are_utc() -> None:
    bar = Bar(
        contract_id="ABC",
        time=NOON.astimezone(timezone(timedelta(hours=-6))),
        open=Decimal("0.10"),
        high=Decimal("1E+3"),
        low=Decimal("0.00000001"),
        close=Decimal("12345678901234567890.123456789"),
        volume=Decimal(0),
    )
    assert json.loads(to_json(bar)) == {
        "contract_id": "ABC",
        "time": "2026-03-02T12:00:00+00:00",
        "open": "0.10",
        "high": "1000",
        "low": "0.00000001",
        "close": "12345678901234567890.123456789",
        "volume": "0",
        "partial": False,
    }


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_a_clock_shows_twice_is_told_apart(make: "Make", fold: int) -> None:
    twice = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/Chicago"), fold=fold)
    again = from_json(Order, to_json(make.order(created_at=twice)))
    assert again.created_at == datetime(2026, 11, 1, 6 + fold, 30, tzinfo=UTC)


def test_the_venue_s_own_message_is_left_out(make: "Make") -> None:
    order = make.order(raw={"password": "x"})
    assert "raw" not in json.loads(to_json(order))
    again = from_json(Order, to_json(order))
    assert again == order
    assert again.raw is None


def test_an_event_says_what_it_is(make: "Make") -> None:
    assert json.loads(to_json(make.trade()))["event"] == "MarketTradeEvent"
    assert "event" not in json.loads(to_json(make.order()))


def test_any_event_is_read_back_by_its_name(make: "Make") -> None:
    gap = Gap(
        stream="market",
        cause=GapCause.DISCONNECTED,
        topics=(make.QUOTE, make.ORDER),
        since=NOON,
        until=NOON,
        received=NOON,
    )
    change = StatusChanged(
        stream="market",
        status=StreamConnectionStatus.LIVE,
        previous=StreamConnectionStatus.SUBSCRIBING,
        generation=1,
        received=NOON,
    )
    for event in (make.quote(), make.trade(), make.order_update(), gap, change):
        assert from_json(Event, to_json(event)) == event


def test_an_event_of_another_kind_is_refused(make: "Make") -> None:
    with pytest.raises(DecodeError, match="'OrderUpdateEvent' is not the name of an event"):
        from_json(MarketEvent, to_json(make.order_update()))
    with pytest.raises(DecodeError, match="QuoteEvent"):
        from_json(UserEvent, to_json(make.quote()))
    with pytest.raises(DecodeError, match="not a MarketTradeEvent"):
        from_json(MarketTradeEvent, to_json(make.quote()))


def test_an_event_can_be_read_without_its_name(make: "Make") -> None:
    members = json.loads(to_json(make.quote()))
    del members["event"]
    assert from_json(QuoteEvent, json.dumps(members)) == make.quote()
    with pytest.raises(DecodeError, match="None is not the name of an event") as caught:
        from_json(Event, json.dumps(members))
    assert caught.value.path == "$.event"


def test_indent_is_for_people(make: "Make") -> None:
    text = to_json(make.account(), indent=2)
    assert text.splitlines()[1] == '  "id": "1",'
    assert from_json(Account, text) == make.account()
    assert "\n" not in to_json(make.account())


def test_lists_and_dicts_of_models(make: "Make") -> None:
    assert json.loads(to_json([make.account()]))[0]["balance"] == "50000"
    assert json.loads(to_json({"a": make.quote()}))["a"]["event"] == "QuoteEvent"
    assert to_json([]) == "[]"


def test_a_request_may_be_written_with_numbers() -> None:
    text = """{"account_id": "1", "contract_id": "ABC", "side": "buy", "type": "limit",
               "size": 2, "limit_price": 0.1000000000000000055511151231257827}"""
    request = from_json(OrderRequest, text)
    assert request.side is OrderSide.BUY
    assert request.size == 2
    assert str(request.limit_price) == "0.1000000000000000055511151231257827"


def test_text_is_not_escaped_more_than_needed(make: "Make") -> None:
    assert "Größe 中" in to_json(make.contract(description="Größe 中"))


def test_a_time_without_a_zone_is_not_written(make: "Make") -> None:
    naive = make.order(created_at=datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point
    with pytest.raises(ValueError, match="time zone"):
        to_json(naive)


def _members(make: "Make", **changes: Any) -> str:
    return json.dumps(json.loads(to_json(make.order())) | changes)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"size": None}, "$.size"),
        ({"size": "one"}, "$.size"),
        ({"size": "NaN"}, "$.size"),
        ({"size": "1E+999999999"}, "$.size"),
        ({"size": True}, "$.size"),
        ({"size": [1]}, "$.size"),
        ({"side": "hold"}, "$.side"),
        ({"side": None}, "$.side"),
        ({"status": "done"}, "$.status"),
        ({"id": 7}, "$.id"),
        ({"account_id": None}, "$.account_id"),
        ({"created_at": "yesterday"}, "$.created_at"),
        ({"created_at": "2026-01-01T00:00:00"}, "$.created_at"),
        ({"created_at": 1767225600}, "$.created_at"),
        ({"created_at": "0001-01-01T00:00:00+23:59"}, "$.created_at"),
        ({"surprise": 1}, "$"),
        ({"raw": 1}, "$"),
    ],
    ids=str,
)
def test_the_first_field_that_does_not_fit_is_pointed_at(
    make: "Make", changes: dict[str, object], path: str
) -> None:
    with pytest.raises(DecodeError, match="not a Order") as caught:
        from_json(Order, _members(make, **changes))
    assert caught.value.path == path


def test_a_path_goes_deep(make: "Make") -> None:
    members = json.loads(to_json(make.order_update()))
    members["order"]["side"] = 3
    with pytest.raises(DecodeError) as caught:
        from_json(Event, json.dumps(members))
    assert caught.value.path == "$.order.side"


@pytest.mark.parametrize("value", [0, 1, "true", "false", None, []])
def test_a_truth_is_true_or_false(make: "Make", value: object) -> None:
    members = json.loads(to_json(make.account())) | {"can_trade": value}
    with pytest.raises(DecodeError) as caught:
        from_json(Account, json.dumps(members))
    assert caught.value.path == "$.can_trade"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"x"',
        "{}",
        "{'a': 1}",
        "NaN",
        '{"size": Infinity}',
        "[" * 100_000,
        '{"size": ' + "9" * 10_000 + "}",
        '{"size": 1e99999999999999999999}',
        b"\xff\xfe",
        b"\x00",
    ],
    ids=lambda text: repr(text)[:20],
)
@pytest.mark.parametrize("cls", [Order, Trade, QuoteEvent, Event], ids=str)
def test_what_is_no_such_thing(cls: Any, text: str | bytes) -> None:
    with pytest.raises(DecodeError):
        from_json(cls, text)


def test_a_missing_member_is_named(make: "Make") -> None:
    members = json.loads(to_json(make.order()))
    del members["status"]
    with pytest.raises(DecodeError, match="status"):
        from_json(Order, json.dumps(members))


def test_members_with_defaults_may_be_missing(make: "Make") -> None:
    text = json.dumps({k: v for k, v in json.loads(to_json(make.order())).items() if v is not None})
    assert from_json(Order, text) == make.order()
    assert from_json(Order, text).status is OrderStatus.WORKING
