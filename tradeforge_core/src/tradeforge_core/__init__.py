"""TradeForge: one asynchronous interface to every trading platform.

Everything a user needs is here. `tradeforge_core.kit` and `tradeforge_core.provider` are for the
authors of providers.
"""

import importlib
import typing

from tradeforge_core import outcomes
from tradeforge_core.books import BookState, LiveOrderBook, OrderBook
from tradeforge_core.capabilities import Capabilities
from tradeforge_core.config import Settings, read_settings
from tradeforge_core.converter import from_json, to_json
from tradeforge_core.enums import (
    AssetClass,
    BarUnit,
    EventSource,
    GapCause,
    MarketDataType,
    OrderSide,
    OrderStatus,
    OrderType,
    StreamConnectionStatus,
    TimeInForce,
    UserDataType,
    VenueClass,
)
from tradeforge_core.errors import (
    AuthenticationError,
    BookNotLive,
    ConfigError,
    DecodeError,
    Disconnected,
    DuplicateClientOrderId,
    DuplicateIntent,
    HandlerFailed,
    InvalidOrder,
    JournalUnavailable,
    MarketClosed,
    NotFlat,
    NotFound,
    NotSent,
    NotSupported,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderVetoed,
    PluginLoadError,
    ProtectionIncomplete,
    ProviderLoadError,
    ProviderNotFound,
    RateLimited,
    RequestTimeout,
    SessionConflict,
    SubscriberOverflow,
    TradeForgeError,
    TransportError,
    VenueError,
)
from tradeforge_core.events import (
    AccountUpdateEvent,
    BarEvent,
    DepthEvent,
    DepthLevel,
    Event,
    Gap,
    HealthEvent,
    Lag,
    MarketEvent,
    MarketTradeEvent,
    OrderOutcomeEvent,
    OrderUpdateEvent,
    PositionUpdateEvent,
    QuoteEvent,
    Resynced,
    Stale,
    StatusChanged,
    TickerEvent,
    Topic,
    UserEvent,
    UserTradeEvent,
)
from tradeforge_core.hookspecs import hookimpl
from tradeforge_core.interfaces import RealTimeStream, Sandbox, TradingPlatformAPI
from tradeforge_core.models import (
    Account,
    Balance,
    Bar,
    BarSpan,
    Bracket,
    Contract,
    FrontMonth,
    Order,
    OrderFamily,
    OrderRequest,
    Position,
    Trade,
)
from tradeforge_core.orders._journal_entry import IntentState, JournalEntry
from tradeforge_core.orders.intents import Intent, Operation
from tradeforge_core.orders.kill_switch import Halt
from tradeforge_core.orders.limits import RiskLimits, TradingDay
from tradeforge_core.orders.safety import JournalKind, LookUps, OrderSafety, Protection
from tradeforge_core.outcomes import CancelResult, Evidence, OrderOutcome, Resolution
from tradeforge_core.plugins import HttpRequestDetails, OrderContext, Plugins, Veto
from tradeforge_core.provider import Provider
from tradeforge_core.registry import (
    InstalledProvider,
    ProviderInfo,
    installed_providers,
    load_provider,
    load_sandbox,
)
from tradeforge_core.secret import Secret
from tradeforge_core.streams.subscription import Subscription
from tradeforge_core.tickers import Ticker

if typing.TYPE_CHECKING:
    from tradeforge_core.health import BudgetHealth, Health, StreamHealth, SubscriberHealth
    from tradeforge_core.hours import MarketHours, MarketState, cme_globex
    from tradeforge_core.kit.record_to import RecordTo
    from tradeforge_core.state import KnownOrders, KnownPositions

__all__ = [
    "Account",
    "AccountUpdateEvent",
    "AssetClass",
    "AuthenticationError",
    "Balance",
    "Bar",
    "BarEvent",
    "BarSpan",
    "BarUnit",
    "BookNotLive",
    "BookState",
    "Bracket",
    "BudgetHealth",
    "CancelResult",
    "Capabilities",
    "ConfigError",
    "Contract",
    "DecodeError",
    "DepthEvent",
    "DepthLevel",
    "Disconnected",
    "DuplicateClientOrderId",
    "DuplicateIntent",
    "Event",
    "EventSource",
    "Evidence",
    "FrontMonth",
    "Gap",
    "GapCause",
    "Halt",
    "HandlerFailed",
    "Health",
    "HealthEvent",
    "HttpRequestDetails",
    "InstalledProvider",
    "Intent",
    "IntentState",
    "InvalidOrder",
    "JournalEntry",
    "JournalKind",
    "JournalUnavailable",
    "KnownOrders",
    "KnownPositions",
    "Lag",
    "LiveOrderBook",
    "LookUps",
    "MarketClosed",
    "MarketDataType",
    "MarketEvent",
    "MarketHours",
    "MarketState",
    "MarketTradeEvent",
    "NotFlat",
    "NotFound",
    "NotSent",
    "NotSupported",
    "Operation",
    "Order",
    "OrderBook",
    "OrderContext",
    "OrderFamily",
    "OrderOutcome",
    "OrderOutcomeEvent",
    "OrderOutcomeUnknown",
    "OrderRejected",
    "OrderRequest",
    "OrderSafety",
    "OrderSide",
    "OrderStatus",
    "OrderType",
    "OrderUpdateEvent",
    "OrderVetoed",
    "PluginLoadError",
    "Plugins",
    "Position",
    "PositionUpdateEvent",
    "Protection",
    "ProtectionIncomplete",
    "Provider",
    "ProviderInfo",
    "ProviderLoadError",
    "ProviderNotFound",
    "QuoteEvent",
    "RateLimited",
    "RealTimeStream",
    "RecordTo",
    "RequestTimeout",
    "Resolution",
    "Resynced",
    "RiskLimits",
    "Sandbox",
    "Secret",
    "SessionConflict",
    "Settings",
    "Stale",
    "StatusChanged",
    "StreamConnectionStatus",
    "StreamHealth",
    "SubscriberHealth",
    "SubscriberOverflow",
    "Subscription",
    "Ticker",
    "TickerEvent",
    "TimeInForce",
    "Topic",
    "Trade",
    "TradeForgeError",
    "TradingDay",
    "TradingPlatformAPI",
    "TransportError",
    "UserDataType",
    "UserEvent",
    "UserTradeEvent",
    "VenueClass",
    "VenueError",
    "Veto",
    "cme_globex",
    "from_json",
    "hookimpl",
    "installed_providers",
    "load_provider",
    "load_sandbox",
    "outcomes",
    "read_settings",
    "to_json",
]


_ON_DEMAND = {
    **dict.fromkeys(("KnownOrders", "KnownPositions"), "state"),
    **dict.fromkeys(("BudgetHealth", "Health", "StreamHealth", "SubscriberHealth"), "health"),
    **dict.fromkeys(("MarketHours", "MarketState", "cme_globex"), "hours"),
    "RecordTo": "kit.record_to",
}


def __getattr__(name: str) -> object:
    """What few users name is imported when they do: importing the core stays cheap."""
    if name in _ON_DEMAND:
        module = importlib.import_module(f"tradeforge_core.{_ON_DEMAND[name]}")
        value: object = getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
