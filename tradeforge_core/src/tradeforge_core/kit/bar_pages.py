"""Bars of any span from a venue that gives the newest of a span, and only so many at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import attrs

from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Bar
from tradeforge_core.requests import BarQuery, Period

Page = Callable[[Period, int], Awaitable[list[Bar]]]
"""The newest bars of a period, at most so many, in any order."""


async def fetch_bar_pages(query: BarQuery, page: Page, *, most: int, clock: Clock) -> list[Bar]:
    """What `VenueAdapter._fetch_bars` is to give; `most` is how many bars one page has."""
    bars: dict[datetime, Bar] = {}
    period, missing = query.period, query.limit
    while True:
        size = min(most, missing or most)
        found = await page(period, size)
        fresh = [bar for bar in found if bar.time not in bars]
        bars |= {bar.time: bar for bar in fresh}
        missing = None if query.limit is None else query.limit - len(bars)
        oldest = min((bar.time for bar in fresh), default=period.start)
        if len(found) < size or missing == 0 or oldest <= period.start:
            break
        period = attrs.evolve(period, end=oldest)
    ordered = [bars[time] for time in sorted(bars)]
    if ordered and query.include_partial:
        forming = query.is_forming(ordered[-1].time, clock.now())
        ordered[-1] = attrs.evolve(ordered[-1], partial=forming)
    return ordered
