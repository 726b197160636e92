"""Bars of any span, page by page."""

from datetime import datetime

import attrs

from tradeforge_core import Bar
from tradeforge_core.kit.clock import Clock
from tradeforge_core.requests import BarQuery, Period
from tradeforge_topstepx import _mapping
from tradeforge_topstepx._rest import Rest

_MOST_BARS = 20_000
"""In one answer of the gateway."""


async def fetch_bars(rest: Rest, query: BarQuery, clock: Clock) -> list[Bar]:
    """Pages backwards, because the gateway keeps the newest bars of a span; oldest first."""
    bars: dict[datetime, Bar] = {}
    period, missing = query.period, query.limit
    while True:
        page_size = min(_MOST_BARS, missing or _MOST_BARS)
        page = await _page(rest, query, period, page_size)
        fresh = [bar for bar in page if bar.time not in bars]
        bars |= {bar.time: bar for bar in fresh}
        missing = None if query.limit is None else query.limit - len(bars)
        oldest = min((bar.time for bar in fresh), default=period.start)
        if len(page) < page_size or missing == 0 or oldest <= period.start:
            break
        period = attrs.evolve(period, end=oldest)
    ordered = [bars[time] for time in sorted(bars)]
    if ordered and query.include_partial:
        forming = query.is_forming(ordered[-1].time, clock.now())
        ordered[-1] = attrs.evolve(ordered[-1], partial=forming)
    return ordered


async def _page(rest: Rest, query: BarQuery, period: Period, limit: int) -> list[Bar]:
    rows = await rest.bars(
        query.contract_id,
        period,
        unit=_mapping.BAR_UNITS[query.unit],
        size=query.size,
        limit=limit,
        partial=query.include_partial,
    )
    return [_mapping.to_bar(query.contract_id, row) for row in rows]
