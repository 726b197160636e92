"""Damaged answers of every REST operation, read and mapped as the provider does it."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradeforge_core import DecodeError, RateLimited, VenueError
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_testing.fuzzing import Survey
from tradeforge_testing.mutation import Mutator
from tradeforge_topstepx import _endpoints, _mapping
from tradeforge_topstepx._endpoints import Endpoint

CAPTURED = Path(__file__).parents[4] / "shared" / "payloads" / "projectx"
"""Real messages, which are not part of a checkout."""
CAPTURED_OF = {
    "/api/Auth/loginKey": ["rest_auth_loginKey_response", "rest_auth_loginKey_failure"],
    "/api/Auth/validate": ["rest_auth_validate_response"],
    "/api/Account/search": ["rest_account_search_accounts"],
    "/api/Contract/available": ["rest_contract_available_contracts"],
    "/api/History/retrieveBars": ["rest_retrieveBars_1m"],
    "/api/Order/place": ["rest_place_order_ok_docs", "rest_place_order_rejected_bracket_mode"],
    "/api/Order/cancel": ["rest_cancel_order_account_rejected"],
    "/api/Order/search": [
        "rest_order_search_docs",
        "rest_order_bracket_sl_filled",
        "rest_order_bracket_tp_filled",
    ],
    "/api/Position/searchOpen": ["rest_position_searchOpen_docs"],
    "/api/Trade/search": ["rest_trade_search_docs"],
}
_MOST_ROWS = 3
"""Of a captured list: one damaged row among many would be told apart less often."""

OPERATIONS: dict[str, Endpoint[Any]] = {
    one.path: one for one in vars(_endpoints).values() if isinstance(one, Endpoint)
}
MAPS: dict[str, Callable[[Any], Iterable[object]]] = {
    "accounts": lambda rows: map(_mapping.to_account, rows),
    "contracts": lambda rows: map(_mapping.to_contract, rows),
    "contract": lambda row: [_mapping.to_contract(row)],
    "bars": lambda rows: [_mapping.to_bar("C", row) for row in rows],
    "orders": lambda rows: map(_mapping.to_order, rows),
    "order": lambda row: [_mapping.to_order(row)],
    "positions": lambda rows: map(_mapping.to_position, rows),
    "trades": lambda rows: map(_mapping.to_trade, rows),
}
"""What becomes of an answer, by the member that holds it."""

Fuzzed = Callable[..., Survey]


def bodies_of(path: str) -> list[bytes]:
    """The undamaged answers of an operation: those of this folder, and captured ones."""
    lines = (Path(__file__).parent / "answers.jsonl").read_text().splitlines()
    written = [msgspec.json.decode(line, type=dict[str, msgspec.Raw]) for line in lines]
    bodies = [bytes(one["body"]) for one in written if msgspec.json.decode(one["path"]) == path]
    if not CAPTURED.is_dir():
        return bodies
    return bodies + [_captured(path, name) for name in CAPTURED_OF.get(path, ())]


def _captured(path: str, name: str) -> bytes:
    payload = json.loads((CAPTURED / f"{name}.json").read_text())["payload"]
    member = _member_of(OPERATIONS[path])
    if isinstance(payload, list):
        payload = {member: payload[:_MOST_ROWS], "success": True, "errorCode": 0}
    return json.dumps(payload).encode()


def _member_of(operation: Endpoint[Any]) -> str | None:
    return next((name for name in operation.answer.__struct_fields__ if name in MAPS), None)


def reader_of(path: str) -> Callable[[bytes], Iterable[object]]:
    operation = OPERATIONS[path]
    member = _member_of(operation)

    def read(body: bytes) -> Iterable[object]:
        answer = operation.read(HttpAnswer(200, body, None))
        content = None if member is None else getattr(answer, member)
        return () if member is None or content is None else MAPS[member](content)

    return read


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", OPERATIONS)
def test_damaged_answers(path: str, fuzzed: Fuzzed) -> None:
    fuzzed(path, reader_of(path), bodies_of(path), may_raise=(DecodeError, VenueError))


@pytest.mark.parametrize("path", OPERATIONS)
def test_an_undamaged_answer_is_read_or_refused_by_its_code(path: str) -> None:
    read, bodies = reader_of(path), bodies_of(path)
    assert bodies, "write an answer of this operation into answers.jsonl"
    for body in bodies:
        try:
            list(read(body))
        except VenueError:
            assert b'"success":false' in body.replace(b" ", b"")


@pytest.mark.parametrize("status", [100, 204, 301, 400, 401, 404, 418, 429, 500, 503, 599, 0, -1])
def test_every_status_is_an_error_of_ours(status: int, cases: int, seed: int) -> None:
    headers = [b"120", b"Wed, 21 Oct 2026 07:28:00 GMT", b"Wed, 21 Oct 9999 07:28:00 -0000", b"-1"]
    for damaged in Mutator(headers, seed=seed).mutations(cases // 100):
        answer = HttpAnswer(status, b"<html>", damaged.decode("latin-1"))
        with pytest.raises(VenueError) as caught:
            _endpoints.ACCOUNTS.read(answer)
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after is None or caught.value.retry_after >= 0
