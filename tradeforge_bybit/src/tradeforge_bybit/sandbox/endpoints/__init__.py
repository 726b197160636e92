"""Every endpoint of the REST API."""

from tradeforge_bybit.sandbox.endpoints import account, closed, market, positions, reading, trading

ALL = (
    *market.ENDPOINTS,
    *account.ENDPOINTS,
    *trading.ENDPOINTS,
    *reading.ENDPOINTS,
    *positions.ENDPOINTS,
    *closed.ENDPOINTS,
)
