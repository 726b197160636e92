"""The short way of the market hub's messages: it says the same as the long one, or nothing."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tradeforge_core import DecodeError, Event, MarketDataType, Topic
from tradeforge_topstepx import _checks
from tradeforge_topstepx._events import EventReader

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TIME = '"timestamp":"2026-08-19T20:51:31.4173693+00:00"'

USUAL = [
    (MarketDataType.QUOTE, '{"symbol":"F","bestBid":29547,"bestAsk":29547.50,"new":[{}]}'),
    (MarketDataType.QUOTE, '{"bestBid":null,"change":0,"changePercent":1e-4,"volume":"12"}'),
    (MarketDataType.QUOTE, '{"lastUpdated":"2026-08-19T15:51:31-05:00"}'),
    (MarketDataType.QUOTE, "{}"),
    (MarketDataType.DEPTH, f'[{{"type":2,"price":1.25,"volume":7,"currentVolume":7,{TIME}}}]'),
    (MarketDataType.DEPTH, '[null,{"type":6},{"type":99},{"type":"1","price":"2","volume":0}]'),
    (MarketDataType.DEPTH, '{"type":4,"price":1.25,"volume":7}'),
    (MarketDataType.DEPTH, "[]"),
    (MarketDataType.TRADE, f'[{{"price":7730.5,"volume":1,"type":1,{TIME}}},null]'),
    (MarketDataType.TRADE, '[{"price":1,"volume":1,"type":0},{"price":2,"volume":1,"type":1}]'),
    (MarketDataType.TRADE, '{"price":7730.5,"volume":1,"type":1,"contractId":"X"}'),
]
TARGETS = {
    MarketDataType.QUOTE: "GatewayQuote",
    MarketDataType.DEPTH: "GatewayDepth",
    MarketDataType.TRADE: "GatewayTrade",
}


def record_of(target: str, data: str) -> bytes:
    return f'{{"type":1,"target":"{target}","arguments":["C",{data}]}}'.encode()


def by_the_long_way(reader: EventReader, record: bytes) -> list[tuple[Topic, Event]]:
    frame = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    target = msgspec.json.decode(frame["target"], type=str)
    return list(reader.read(target, frame["arguments"], NOW))


@pytest.mark.parametrize(("kind", "data"), USUAL)
def test_the_events_are_the_same(kind: MarketDataType, data: str) -> None:
    short, long = EventReader(), EventReader()
    record = record_of(TARGETS[kind], data)
    for _ in range(2):  # the second message of a contract builds on the first
        found = short.take(record, NOW)
        assert found is not None
        topic, events = found
        assert [(topic, event) for event in events] == by_the_long_way(long, record)
        assert topic == Topic(kind, "C")


def test_each_way_knows_what_the_other_has_read() -> None:
    reader = EventReader()
    reader.take(record_of("GatewayQuote", '{"bestBid":1}'), NOW)
    ((_, quote),) = by_the_long_way(reader, record_of("GatewayQuote", '{"bestAsk":2}'))
    assert (quote.bid, quote.ask) == (1, 2)  # type: ignore[union-attr]
    by_the_long_way(reader, record_of("GatewayDepth", "[]"))
    found = reader.take(record_of("GatewayDepth", "[]"), NOW)
    assert found is not None
    assert not found[1][0].reset  # type: ignore[union-attr]


@pytest.mark.parametrize("order", ["target", "arguments", "extra"])
def test_the_members_may_come_in_any_order(order: str) -> None:
    members: dict[str, Any] = {"type": 1, "target": "GatewayQuote", "arguments": ["C", {}]}
    members["extra"] = None
    members = {order: members[order]} | members
    assert EventReader().take(msgspec.json.encode(members), NOW) is not None


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"type":6}',
        b'{"type":3,"invocationId":"1"}',
        b'{"type":1,"target":"GatewayLogout","arguments":[]}',
        b'{"type":1,"target":"GatewayUserOrder","arguments":[{"action":1,"data":{}}]}',
        b'{"type":1,"target":"GatewayQuote"}',
        b'{"target":"GatewayQuote","arguments":["C",{}]}',
        b'{"type":3,"target":"GatewayQuote","arguments":["C",{}]}',
        b'{"type":1,"target":"GatewayQuote","arguments":["C"]}',
        b'{"type":1,"target":"GatewayQuote","arguments":["C",{},1]}',
        b'{"type":1,"target":"GatewayQuote","arguments":["C",{"bestBid":"NaN"}]}',
        b'{"type":1,"target":"GatewayQuote","arguments":["C",{"bestBid":{}}]}',
        b'{"type":1,"target":"GatewayQuote","arguments":["\xff",{}]}',
        b'{"type":1,"target":"GatewayQuote","arguments":["C",{"lastUpdated":"2026-08-19T20:51"}]}',
        b'{"type":1,"target":"GatewayDepth","arguments":["C",[{"type":1,"volume":1}]]}',
        b'{"type":1,"target":"GatewayTrade","arguments":["C",[{"price":1,"volume":1,"type":2}]]}',
    ],
)
def test_what_is_unusual_is_left_to_the_long_way(record: bytes) -> None:
    assert EventReader().take(record, NOW) is None


def test_a_bad_trade_among_good_ones_takes_none_with_it() -> None:
    data = '[{"price":1,"volume":1,"type":0},{"price":1,"volume":1,"type":7}]'
    record = record_of("GatewayTrade", data)
    reader = EventReader()
    assert reader.take(record, NOW) is None
    frame = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    told = []
    with pytest.raises(DecodeError, match="7 is not a side"):
        for _, event in reader.read("GatewayTrade", frame["arguments"], NOW):
            told.append(event)
    assert len(told) == 1


@pytest.mark.parametrize("number", ["1e400", "1e-99", "1e99999999999999999999", "0E+999999999"])
@pytest.mark.parametrize("member", ["bestBid", "volume"])
def test_a_number_that_nobody_can_write_down_is_refused_with_its_path(
    number: str, member: str
) -> None:
    arguments = msgspec.Raw(f'["C",{{"{member}":{number}}}]'.encode())
    with pytest.raises(DecodeError) as caught:
        list(EventReader().read("GatewayQuote", arguments, NOW))
    assert caught.value.path == f"$[1].{member}"


@pytest.mark.parametrize("value", ["true", "[]", "{}", '""', '"x"', '"NaN"', "9" * 60])
def test_what_is_no_number_is_refused(value: str) -> None:
    for target, data in (
        ("GatewayQuote", f'{{"bestBid":{value}}}'),
        ("GatewayTrade", f'{{"price":{value},"volume":1,"type":0}}'),
        ("GatewayDepth", f'[{{"price":{value},"volume":1,"type":1}}]'),
    ):
        arguments = msgspec.Raw(f'["C",{data}]'.encode())
        with pytest.raises(DecodeError, match="bestBid|price"):
            list(EventReader().read(target, arguments, NOW))
        assert EventReader().take(record_of(target, data), NOW) is None


@pytest.mark.parametrize(
    ("written", "meant"), [("1.50", "1.50"), ("150e-2", "1.50"), ("7", "7"), ('"1.50"', "1.50")]
)
def test_a_price_has_the_digits_that_came(written: str, meant: str) -> None:
    for _ in range(2):  # the second time it is known already
        data = f'[{{"price":{written},"volume":3,"type":2}}]'
        found = EventReader().take(record_of("GatewayDepth", data), NOW)
        assert found is not None
        assert str(found[1][0].bids[0].price) == meant  # type: ignore[union-attr]


def test_a_bad_level_before_a_reset_is_void_with_the_rest_of_the_book() -> None:
    bad, reset = '{"price":1,"volume":-1,"type":1}', '{"type":6}'
    assert EventReader().take(record_of("GatewayDepth", f"[{bad},{reset}]"), NOW) is not None
    assert EventReader().take(record_of("GatewayDepth", f"[{reset},{bad}]"), NOW) is None


def test_the_memory_for_decimals_is_bounded() -> None:
    known = _checks.decimal_of.__self__  # type: ignore[attr-defined]
    for number in range(25_000):
        _checks.decimal_of(f"{number}.5")
        assert len(known) <= 10_000
    _checks.decimal_of("0." + "1" * 100)
    assert max(map(len, known)) <= 32
