"""History: bars, newest first."""

from datetime import timedelta

from tradeforge_testing.exchange import Bar
from tradeforge_topstepx.sandbox import wire
from tradeforge_topstepx.sandbox.bodies import RetrieveBars, aware
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Failure, Payload
from tradeforge_topstepx.sandbox.limits import BARS
from tradeforge_topstepx.sandbox.venue import Venue

CONTRACT_NOT_FOUND, UNIT_INVALID, UNIT_NUMBER_INVALID, LIMIT_INVALID = 1, 2, 3, 4
MOST_BARS = 20_000

# Seconds of a unit, by its code; a month is taken as thirty days.
UNITS = {1: 1, 2: 60, 3: 3600, 4: 86_400, 5: 7 * 86_400, 6: 30 * 86_400}
LONGEST_BAR = 366 * 86_400


def retrieve_bars(venue: Venue, body: RetrieveBars) -> Payload:
    _check(venue, body)
    bars = _bars(venue, body, UNITS[body.unit] * body.unitNumber)
    return {"bars": [wire.bar(one) for one in reversed(bars[-body.limit :])]}


def _check(venue: Venue, body: RetrieveBars) -> None:
    if body.contractId not in venue.exchange.instruments:
        raise Failure(CONTRACT_NOT_FOUND)
    if body.unit not in UNITS:
        raise Failure(UNIT_INVALID)
    if not 0 < body.unitNumber * UNITS[body.unit] <= LONGEST_BAR:
        raise Failure(UNIT_NUMBER_INVALID)
    if not 0 < body.limit <= MOST_BARS:
        raise Failure(LIMIT_INVALID)


def _bars(venue: Venue, body: RetrieveBars, seconds: int) -> list[Bar]:
    start, end = aware(body.startTime), aware(body.endTime)
    if body.live or start > end:
        return []
    # One more than asked for: the bar that is still forming may have to go.
    bars = venue.exchange.bars(
        body.contractId, start=start, end=end, seconds=seconds, limit=body.limit + 1
    )
    newest_start = venue.clock.now() - timedelta(seconds=seconds)
    return [one for one in bars if body.includePartialBar or one.time <= newest_start]


ENDPOINTS = (
    Endpoint("/api/History/retrieveBars", RetrieveBars, retrieve_bars, ("bars",), limit=BARS),
)
