"""Bars of any span, page by page."""

from tradeforge_bybit import _mapping
from tradeforge_bybit._names import Place
from tradeforge_bybit._rest import Rest
from tradeforge_core import Bar, NotSupported
from tradeforge_core.kit.bar_pages import fetch_bar_pages
from tradeforge_core.kit.clock import Clock
from tradeforge_core.requests import BarQuery, Period

_MOST_BARS = 1000
"""In one answer of the venue, the forming one among them."""


async def fetch_bars(rest: Rest, query: BarQuery, clock: Clock) -> list[Bar]:
    """Oldest first. Raises `NotSupported` for a span that the venue does not have."""
    place = Place.of(query.contract_id)
    interval = _interval(query)

    async def page(period: Period, limit: int) -> list[Bar]:
        # the forming one comes too, and must not take the place of another
        rows = await rest.klines(place, period, interval, min(limit + 1, _MOST_BARS))
        bars = [_mapping.to_bar(query.contract_id, row) for row in rows]
        now = clock.now()
        kept = [one for one in bars if query.include_partial or not query.is_forming(one.time, now)]
        return sorted(kept, key=lambda one: one.time)[-limit:]

    return await fetch_bar_pages(query, page, most=_MOST_BARS - 1, clock=clock)


def _interval(query: BarQuery) -> str:
    span = (query.unit, query.size)
    if span not in _mapping.INTERVALS:
        sizes = sorted(size for unit, size in _mapping.INTERVALS if unit is query.unit)
        known = ", ".join(map(str, sizes))
        raise NotSupported(f"bybit has no bars of {query.size} {query.unit}; sizes are: {known}")
    return _mapping.INTERVALS[span]
