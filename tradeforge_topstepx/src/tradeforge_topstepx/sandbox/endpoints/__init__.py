"""The endpoints of the REST API, one module per group."""

from tradeforge_topstepx.sandbox.endpoints import (
    accounts,
    contracts,
    history,
    orders,
    positions,
    sessions,
    trades,
)

ALL = (
    *sessions.ENDPOINTS,
    *accounts.ENDPOINTS,
    *contracts.ENDPOINTS,
    *history.ENDPOINTS,
    *orders.ENDPOINTS,
    *positions.ENDPOINTS,
    *trades.ENDPOINTS,
)
