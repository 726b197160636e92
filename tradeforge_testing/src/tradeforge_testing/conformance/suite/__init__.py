"""The tests of the kit, classes by area; every provider runs all of them."""

from tradeforge_testing.conformance.suite.capabilities import CapabilitiesTold
from tradeforge_testing.conformance.suite.discovery import Discovery, Lifecycle
from tradeforge_testing.conformance.suite.orders import Orders
from tradeforge_testing.conformance.suite.positions import Brackets, Fills, Positions
from tradeforge_testing.conformance.suite.reading import Accounts, Contracts, History
from tradeforge_testing.conformance.suite.safety import Concurrency, Errors, Resources, Safety
from tradeforge_testing.conformance.suite.streams import MarketData, StreamHealth, UserData

AREAS = (
    Discovery,
    Lifecycle,
    CapabilitiesTold,
    Accounts,
    Contracts,
    History,
    Orders,
    Brackets,
    Positions,
    Fills,
    MarketData,
    UserData,
    Errors,
    Safety,
    StreamHealth,
    Resources,
    Concurrency,
)
