"""Messages and their borders, without a connection."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_testing.sandbox.signalr import protocol
from tradeforge_testing.sandbox.signalr.protocol import MessageBuffer, ProtocolViolation

RS = "\x1e"

messages = st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), max_size=4)


@given(messages, st.data())
def test_messages_arrive_whole_wherever_the_stream_is_cut(
    sent: list[dict[str, object]], data: st.DataObject
) -> None:
    stream = "".join(json.dumps(one) + RS for one in sent).encode()
    buffer, received, start = MessageBuffer(), [], 0
    while start < len(stream):
        end = data.draw(st.integers(start + 1, len(stream)))
        received += list(buffer.feed(stream[start:end]))
        start = end
    assert received == sent


def test_text_and_bytes_are_the_same() -> None:
    buffer = MessageBuffer()
    assert list(buffer.feed('{"a":"ä"')) == []
    assert list(buffer.feed(b"}\x1e")) == [{"a": "ä"}]


@pytest.mark.parametrize(
    "wrong", [b"", b"x", b"[]", b"7", b"null", b'{"a":}', b"\xff", b"[" * 9999]
)
def test_what_is_no_message_is_a_violation(wrong: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        list(MessageBuffer().feed(wrong + b"\x1e"))


def test_a_message_without_an_end_is_a_violation() -> None:
    buffer = MessageBuffer()
    with pytest.raises(ProtocolViolation):
        for _ in range(40):
            list(buffer.feed(b"x" * 1024))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"protocol": "json", "version": 0}, None),
        ({"protocol": "json", "version": 1}, None),
        ({"protocol": "json", "version": 2}, None),
        (
            {"protocol": "messagepack", "version": 1},
            "The protocol 'messagepack' is not supported.",
        ),
        (
            {"protocol": "json", "version": 3},
            "The server does not support version 3 of the 'json' protocol.",
        ),
        (
            {"protocol": "json"},
            "The server does not support version None of the 'json' protocol.",
        ),
        ({}, "The protocol 'None' is not supported."),
    ],
)
def test_only_json_is_spoken_and_no_version_of_the_future(
    request_: dict[str, object], error: str | None
) -> None:
    assert protocol.handshake_error(request_) == error


def test_the_texts_of_the_server_are_those_of_the_protocol() -> None:
    assert protocol.handshake_reply(None) == "{}" + RS
    assert protocol.handshake_reply("no") == '{"error":"no"}' + RS
    assert protocol.ping() == '{"type":6}' + RS
    assert protocol.completion("1") == '{"type":3,"invocationId":"1","result":0}' + RS
    assert protocol.completion("a", error="no") == '{"type":3,"invocationId":"a","error":"no"}' + RS
    assert (
        protocol.close(allow_reconnect=True)
        == '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}' + RS
    )
    assert (
        protocol.close(allow_reconnect=False)
        == '{"type":7,"error":"Connection closed with an error."}' + RS
    )
    assert (
        protocol.invocation("Event", [1, "a"])
        == '{"type":1,"target":"Event","arguments":[1,"a"]}' + RS
    )
