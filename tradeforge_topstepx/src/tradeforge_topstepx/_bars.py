"""Bars of any span, page by page."""

from tradeforge_core import Bar
from tradeforge_core.kit.bar_pages import fetch_bar_pages
from tradeforge_core.kit.clock import Clock
from tradeforge_core.requests import BarQuery, Period
from tradeforge_topstepx import _mapping
from tradeforge_topstepx._rest import Rest

_MOST_BARS = 20_000
"""In one answer of the gateway."""


async def fetch_bars(rest: Rest, query: BarQuery, clock: Clock) -> list[Bar]:
    """Oldest first."""

    async def page(period: Period, limit: int) -> list[Bar]:
        rows = await rest.bars(
            query.contract_id,
            period,
            unit=_mapping.BAR_UNITS[query.unit],
            size=query.size,
            limit=limit,
            partial=query.include_partial,
        )
        return [_mapping.to_bar(query.contract_id, row) for row in rows]

    return await fetch_bar_pages(query, page, most=_MOST_BARS, clock=clock)
