"""What an answer looks like: an envelope around the result, whether it is a success or not."""

from collections.abc import Mapping
from typing import Any

from tradeforge_bybit.sandbox.literals import DERIVATIVE_CODES, SPOT_CODES
from tradeforge_testing.exchange import Reject

Payload = dict[str, Any]


class Failure(Exception):
    """The request is not done: the code says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


def parameter_error(text: str) -> Failure:
    return Failure(10001, f"params error: {text}")


def refused(reason: Reject, category: str) -> Failure:
    codes = SPOT_CODES if category == "spot" else DERIVATIVE_CODES
    return Failure(*codes.get(reason, (10001, f"params error: {reason.value}")))


def envelope(
    result: Payload, time: int, *, code: int = 0, text: str = "OK", extra: Mapping[str, Any] = {}
) -> Payload:
    return {
        "retCode": code,
        "retMsg": text,
        "result": result,
        "retExtInfo": dict(extra),
        "time": time,
    }
