"""When markets are open: the model, and tables that are shipped as data."""

from tradeforge_core.hours.market_hours import MarketHours, MarketState
from tradeforge_core.hours.tables import cme_globex

__all__ = ["MarketHours", "MarketState", "cme_globex"]
