"""The socket that takes orders: it is logged in to once, and answers in its own spelling."""

from collections.abc import Callable, Mapping

from tradeforge_bybit.sandbox import endpoints
from tradeforge_bybit.sandbox.answers import Failure
from tradeforge_bybit.sandbox.endpoint import Done, Endpoint
from tradeforge_bybit.sandbox.limits import RateGuard, TooMany
from tradeforge_bybit.sandbox.lines import Address, Line, Lines, Message
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.signing import check_socket, check_time
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.kit.clock import Clock

_OPS: Mapping[str, str] = {
    "order.create": "/v5/order/create",
    "order.amend": "/v5/order/amend",
    "order.cancel": "/v5/order/cancel",
    "order.create-batch": "/v5/order/create-batch",
    "order.amend-batch": "/v5/order/amend-batch",
    "order.cancel-batch": "/v5/order/cancel-batch",
}
_ENDPOINTS = {one.path: one for one in endpoints.ALL}
_LONGEST_NUMBER = 36
_MOST_NUMBERS = 10_000


class TradeSocket:
    def __init__(
        self, venue: Venue, guard: RateGuard, clock: Clock, reset: Callable[[Address], None]
    ) -> None:
        self.lines = Lines(self._hear, clock, reset)
        self.lost = 0
        """How many requests will still be done and not answered."""
        self._venue = venue
        self._guard = guard

    def _hear(self, line: Line, said: Message) -> None:
        match said.get("op"):
            case "ping":
                self.lines.say(line, self._pong(line))
            case "auth":
                self.lines.say(line, self._admit(line, said))
            case _:
                answer = self._answer(line, said)
                if self.lost:
                    self.lost -= 1
                else:
                    self.lines.say(line, answer)

    def _pong(self, line: Line) -> Message:
        """Without the number of its ping, whatever that said."""
        pong = {"retCode": 0, "retMsg": "OK", "op": "pong", "data": [str(self._venue.now)]}
        return {**pong, "connId": line.conn_id}

    def _admit(self, line: Line, said: Message) -> Message:
        code, text = 0, "OK"
        try:
            if line.is_known:
                raise Failure(20001, "Repeat auth")
            check_socket(self._venue.credentials, said.get("args"), self._venue.now)
            line.is_known = True
        except Failure as failure:
            code, text = failure.code, failure.text
        answer = {"retCode": code, "retMsg": text, "op": "auth", "connId": line.conn_id}
        return {**_number(said), **answer}

    def _answer(self, line: Line, said: Message) -> Message:
        code, text = 0, "OK"
        data: Message = {}
        extra: Message = {}
        limits: dict[str, str] = {}
        try:
            endpoint, body = self._understand(line, said)
            limits = dict(self._guard.headers(endpoint, body, self._venue.now))
            done = endpoint.handle(self._venue, body)
            data, extra = (done.result, dict(done.extra)) if isinstance(done, Done) else (done, {})
        except Failure as failure:
            code, text = failure.code, failure.text
            limits = dict(failure.headers) if isinstance(failure, TooMany) else limits
        return {
            **_number(said),
            "retCode": code,
            "retMsg": text,
            "op": said.get("op", ""),
            "data": data,
            "retExtInfo": extra,
            "header": {**limits, **self._traces()},
            "connId": line.conn_id,
        }

    def _understand(self, line: Line, said: Message) -> tuple[Endpoint, Said]:
        if not line.is_known:
            raise Failure(10007, "User authentication failed")
        path = _OPS.get(str(said.get("op")))
        if path is None:
            raise Failure(10404, "op type is not found")
        self._check_number(line, said)
        header, args = said.get("header"), said.get("args")
        if not isinstance(header, dict) or not isinstance(args, list) or len(args) != 1:
            raise Failure(10001, "Params Error")
        if not isinstance(args[0], dict):
            raise Failure(10001, "Params Error")
        window = str(header.get("X-BAPI-RECV-WINDOW", ""))
        check_time(str(header.get("X-BAPI-TIMESTAMP", "")), window, self._venue.now)
        return _ENDPOINTS[path], args[0]

    def _check_number(self, line: Line, said: Message) -> None:
        number = said.get("reqId")
        if number is None:
            return
        if not isinstance(number, str) or len(number) > _LONGEST_NUMBER:
            raise Failure(10001, "reqId invalid")
        if number in line.requests:
            raise Failure(20006, "reqId is duplicated")
        line.requests[number] = None
        if len(line.requests) > _MOST_NUMBERS:
            del line.requests[next(iter(line.requests))]

    def _traces(self) -> dict[str, str]:
        return {"Traceid": f"{self._venue.serial():032x}", "Timenow": str(self._venue.now)}


def _number(said: Message) -> Message:
    return {"reqId": said["reqId"]} if "reqId" in said else {}
