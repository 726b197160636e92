"""How often a second each endpoint may be asked, and what the headers say of it."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping

from tradeforge_bybit.sandbox.answers import Failure
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.said import Said
from tradeforge_core.kit.clock import Clock

_SPAN = 1.0
_SPOT = {
    "/v5/order/create": 20,
    "/v5/order/cancel": 20,
    "/v5/order/cancel-all": 20,
    "/v5/order/create-batch": 20,
    "/v5/order/amend-batch": 20,
    "/v5/order/cancel-batch": 20,
}
_BATCH = "-batch"


class RateGuard:
    """Counts for each endpoint and category; an order of a batch counts as a request."""

    def __init__(self, clock: Clock, *, enforced: bool) -> None:
        self.enforced = enforced
        self.worst: Counter[str] = Counter()
        """The most that was asked of each path within a second."""
        self.overruns: Counter[str] = Counter()
        """How often each path was asked for more than is allowed, refused or not."""
        self._clock = clock
        self._asked: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def headers(self, endpoint: Endpoint, said: Said, now: int) -> Mapping[str, str]:
        """Those of the answer. Raises `TooMany`, which has its own, for one too many."""
        limit, category = _limit(endpoint, said), str(said.get("category", ""))
        asked = self._asked[endpoint.path, category]
        moment = self._clock.monotonic()
        while asked and asked[0] <= moment - _SPAN:
            asked.popleft()
        weight = _weight(endpoint, said)
        is_over = len(asked) + weight > limit
        if is_over:
            self.overruns[endpoint.path] += 1
        if is_over and self.enforced:
            wait = asked[0] + _SPAN - moment if asked else _SPAN
            raise TooMany(_headers(limit, 0, str(now + int(wait * 1000) + 1)))
        asked.extend([moment] * weight)
        self.worst[endpoint.path] = max(self.worst[endpoint.path], len(asked))
        return _headers(limit, max(limit - len(asked), 0), str(now))


class TooMany(Failure):
    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(10006, "Too many visits!")
        self.headers = headers


def _limit(endpoint: Endpoint, said: Said) -> int:
    assert endpoint.limit is not None
    if said.get("category") == "spot":
        return _SPOT.get(endpoint.path, endpoint.limit)
    return endpoint.limit


def _weight(endpoint: Endpoint, said: Said) -> int:
    orders = said.get("request")
    if endpoint.path.endswith(_BATCH) and isinstance(orders, list):
        return max(len(orders), 1)
    return 1


def _headers(limit: int, left: int, reset: str) -> Mapping[str, str]:
    return {
        "X-Bapi-Limit": str(limit),
        "X-Bapi-Limit-Status": str(left),
        "X-Bapi-Limit-Reset-Timestamp": reset,
    }
