"""Damaged arguments of every event of the hubs, read as a connection does it."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradeforge_core import DecodeError, Topic, UserDataType
from tradeforge_testing.fuzzing import Survey
from tradeforge_topstepx._events import KINDS, EventReader, Memory

CAPTURED = Path(__file__).parents[4] / "shared" / "payloads" / "projectx"
RECORDS = (Path(__file__).parent / "hub_events.jsonl").read_bytes().splitlines()
RECEIVED = datetime(2026, 11, 23, tzinfo=UTC)
Fuzzed = Callable[..., Survey]


def arguments_of(target: str) -> list[bytes]:
    """The undamaged arguments of an event: those of this folder, and captured ones."""
    records = [msgspec.json.decode(one, type=dict[str, msgspec.Raw]) for one in RECORDS]
    wanted = f'"{target}"'.encode()
    written = [bytes(one["arguments"]) for one in records if bytes(one["target"]) == wanted]
    return written + [json.dumps(one["arguments"]).encode() for one in _captured(target)]


def _captured(target: str) -> Iterable[dict[str, Any]]:
    for path in sorted(CAPTURED.glob("stream_*.json")):
        payload = json.loads(path.read_text())["payload"]
        if payload["target"] == target:
            yield payload


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("target", KINDS)
def test_damaged_events(target: str, fuzzed: Fuzzed) -> None:
    memory = Memory()

    def read(arguments: bytes) -> Iterable[object]:
        reader = EventReader(memory)
        for topic, event in reader.read(target, msgspec.Raw(arguments), RECEIVED):
            assert topic.kind is KINDS[target]
            assert type(topic.key) is str
            yield event

    fuzzed(target, read, arguments_of(target), may_raise=(DecodeError,))


@pytest.mark.parametrize("target", KINDS)
def test_an_undamaged_event_is_understood(target: str) -> None:
    found = arguments_of(target)
    assert found, "write a record of this event into hub_events.jsonl"
    for arguments in found:
        for topic, _ in EventReader().read(target, msgspec.Raw(arguments), RECEIVED):
            if isinstance(topic.kind, UserDataType):
                assert topic.key.isdigit()


def test_a_refused_quote_leaves_the_last_one_as_it_was() -> None:
    reader, good = EventReader(), msgspec.Raw(b'["C",{"bestBid":1.25,"bestAsk":1.5}]')
    ((topic, first),) = reader.read("GatewayQuote", good, RECEIVED)
    for bad in (b'["C",{"bestBid":2.25,"bestAsk":"NaN"}]', b'["C",{"bestBid":[]}]', b'["C"]'):
        with pytest.raises(DecodeError):
            list(reader.read("GatewayQuote", msgspec.Raw(bad), RECEIVED))
    ((_, last),) = reader.read("GatewayQuote", msgspec.Raw(b'["C",{}]'), RECEIVED)
    assert last == first
    assert topic == Topic(KINDS["GatewayQuote"], "C")


MARKET = [record for record in RECORDS if b"GatewayUser" not in record]


class Essence(msgspec.Struct):
    """What of a record makes an event; the short way looks at no more."""

    target: str
    arguments: msgspec.Raw


ESSENCE = msgspec.json.Decoder(Essence)


def test_damaged_records_of_the_market_read_in_one_pass(fuzzed: Fuzzed) -> None:
    """The short way gives what the long way gives, or leaves the record to it."""

    def read(record: bytes) -> Iterable[object]:
        found = EventReader().take(record, RECEIVED)
        if found is None:
            raise DecodeError("left to the long way")
        topic, events = found
        essence = ESSENCE.decode(record)
        long_way = EventReader().read(essence.target, essence.arguments, RECEIVED)
        assert [(topic, event) for event in events] == list(long_way), record
        return events

    fuzzed("market records", read, MARKET)
