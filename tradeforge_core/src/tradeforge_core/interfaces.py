"""The contract of every provider: trading by request, and data by stream."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from tradeforge_core.enums import BarUnit, MarketDataType, StreamConnectionStatus, UserDataType
from tradeforge_core.models import BarSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    from tradeforge_core.books import LiveOrderBook
    from tradeforge_core.errors import TradeForgeError
    from tradeforge_core.events import Event, MarketEvent, StatusChanged, UserEvent
    from tradeforge_core.health import Health
    from tradeforge_core.hours import MarketHours
    from tradeforge_core.models import (
        Account,
        Bar,
        Contract,
        FrontMonth,
        Order,
        OrderFamily,
        OrderRequest,
        Position,
        Trade,
    )
    from tradeforge_core.orders._journal_entry import JournalEntry
    from tradeforge_core.orders.kill_switch import Halt
    from tradeforge_core.outcomes import CancelResult, OrderOutcome
    from tradeforge_core.streams.subscription import Subscription

MarketData: TypeAlias = MarketDataType | BarSpan | Collection[MarketDataType | BarSpan]
EventHandler = TypeVar("EventHandler", bound="Callable[[Event], object]")
StatusHandler = TypeVar("StatusHandler", bound="Callable[[StatusChanged], object]")
ErrorHandler = TypeVar("ErrorHandler", bound="Callable[[TradeForgeError], object]")


class TradingPlatformAPI(ABC):
    """Accounts, contracts, history and orders. Every method gives the thing or raises."""

    @abstractmethod
    async def connect(self) -> None:
        """Log in. Doing it twice is harmless. Raises `AuthenticationError`, `TransportError`."""

    @abstractmethod
    async def disconnect(self) -> None:
        """End every stream and request, and close every connection. Doing it twice is harmless."""

    @abstractmethod
    async def get_accounts(self) -> list["Account"]:
        """The accounts that are active."""

    @abstractmethod
    async def search_contracts(self, text: str) -> list["Contract"]:
        """The contracts that the venue finds for `text`, in the venue's order; may be empty."""

    @abstractmethod
    async def get_contract(self, contract_id: str) -> "Contract":
        """The contract of this id, expired ones too. Raises `NotFound`."""

    @abstractmethod
    async def get_contract_by_symbol(self, symbol: str) -> "Contract":
        """The active contract whose symbol (`MNQZ6`) or root (`MNQ`) is exactly `symbol`.

        Of several with that root the first to expire. Raises `NotFound`, with what came near.
        """

    @abstractmethod
    async def resolve_front_month(self, root: str) -> "FrontMonth":
        """The contract to trade today for a product (`MNQ`), and why. Raises `NotFound`."""

    @abstractmethod
    def market_hours(self, contract: "Contract") -> "MarketHours | None":
        """When the contract trades; None where that is always, or is not known.

        Without a request. Raises `ConfigError` where the machine lacks the venue's time zone.
        """

    @abstractmethod
    async def get_historical_bars(
        self,
        contract_id: str,
        *,
        start: datetime,
        end: datetime | None = None,
        unit: BarUnit = BarUnit.MINUTE,
        size: int = 1,
        limit: int | None = None,
        include_partial: bool = False,
    ) -> list["Bar"]:
        """Bars of `size` times `unit`, oldest first; minutes without a trade have none.

        They are complete; with `include_partial` the one that is still forming comes last, marked.
        `start` and `end` (default: now) must be aware. With `limit` the newest bars are kept.
        """

    @abstractmethod
    def iter_bars(
        self,
        contract_id: str,
        *,
        start: datetime,
        end: datetime | None = None,
        unit: BarUnit = BarUnit.MINUTE,
        size: int = 1,
    ) -> AsyncIterator["Bar"]:
        """The complete bars of any span, oldest first, a page in memory at a time.

        For `async for`. Raises what `get_historical_bars` raises, where it comes to it.
        """

    @abstractmethod
    async def place_order(self, request: "OrderRequest") -> "Order":
        """Send one order, once, and return it as accepted; fills arrive later, by stream.

        Raises `InvalidOrder`, `OrderVetoed`, `NotSupported` and `NotSent` (nothing left),
        `OrderRejected` (the venue said no), `OrderOutcomeUnknown` (look before you try again) and
        `ProtectionIncomplete` (accepted, and an exit of its bracket is missing).
        """

    @abstractmethod
    async def outcome(self, client_order_id: str) -> "OrderOutcome":
        """What is known of a request, of this run or an earlier one. Raises `NotFound`."""

    @abstractmethod
    async def resolve(
        self, client_order_id: str, *, timeout: float | None = None
    ) -> "OrderOutcome":
        """Wait until it is known what became of a request, `timeout` seconds at the most.

        Still an `Unknown` if that passes first. Raises `NotFound`.
        """

    @abstractmethod
    async def resubmit(
        self, client_order_id: str, *, accept_duplicate_risk: bool = False
    ) -> "Order":
        """Send an order whose outcome is unknown once more, under its name, and return it.

        Harmless where the venue refuses a second order of a name (`VenueClass.A`). Elsewhere it
        needs `accept_duplicate_risk`, and looks that found nothing. Raises as `place_order`.
        """

    @abstractmethod
    async def acknowledge(self, client_order_id: str) -> None:
        """Take note that an outcome stays unknown: the search ends, and risk is free again."""

    @abstractmethod
    def unsettled_outcomes(self) -> list["OrderOutcome"]:
        """The outcomes that are not known, oldest first."""

    @abstractmethod
    async def get_journal(self, *, limit: int = 100) -> list["JournalEntry"]:
        """The newest records of what was sent, newest first; needs no connection.

        Those of other processes and of earlier runs are among them. Raises `JournalUnavailable`.
        """

    @property
    @abstractmethod
    def halted(self) -> "Halt | None":
        """Why and since when no new risk is taken; None if it is."""

    @abstractmethod
    def halt(self, reason: str) -> None:
        """Take no new risk from now on: in this process and in others, and after a restart.

        Cancels, closes, and orders that can only make a position smaller still pass. Raises
        `OSError` when it cannot be written down; then it holds for this process.
        """

    @abstractmethod
    def resume(self) -> None:
        """End the halt."""

    @abstractmethod
    async def modify_order(
        self,
        account_id: str,
        order_id: str,
        *,
        size: Decimal | int | str | None = None,
        limit_price: Decimal | int | str | None = None,
        stop_price: Decimal | int | str | None = None,
        trail_distance: Decimal | int | str | None = None,
    ) -> None:
        """Change what is named of a working order. Raises as `place_order`, and `NotFound`."""

    @abstractmethod
    async def cancel_order(self, account_id: str, order_id: str) -> None:
        """Ask the venue to take the order back; a fill may still win the race.

        Raises `NotFound`, `OrderRejected`, `NotSent`, `OrderOutcomeUnknown`.
        """

    @abstractmethod
    async def cancel_all_orders(
        self, account_id: str, *, contract_id: str | None = None
    ) -> list["CancelResult"]:
        """Cancel every open order of the account, or of one contract; one result for each.

        Raises what the look at the open orders raises; what a cancel raises is in its result.
        """

    @abstractmethod
    async def get_order(self, account_id: str, order_id: str) -> "Order":
        """The order of this id, whatever its status. Raises `NotFound`."""

    @abstractmethod
    async def find_order(self, account_id: str, client_order_id: str) -> "Order":
        """The order that was placed under this client order id, whatever its status.

        Raises `NotFound`, after every page was read; a failed look-up raises what failed.
        """

    @abstractmethod
    async def get_open_orders(self, account_id: str) -> list["Order"]:
        """The orders that can still fill, oldest first; exits that wait for an entry, too."""

    @abstractmethod
    async def get_order_family(self, account_id: str, entry_id: str) -> "OrderFamily":
        """An entry and the exits of its bracket, whatever their status. Raises `NotFound`."""

    @abstractmethod
    async def get_order_history(
        self, account_id: str, *, start: datetime, end: datetime | None = None
    ) -> list["Order"]:
        """The orders created between `start` and `end` (default: now), oldest first."""

    @abstractmethod
    async def get_positions(self, account_id: str) -> list["Position"]:
        """The positions that are not flat."""

    @abstractmethod
    async def close_position(
        self, account_id: str, contract_id: str, *, size: Decimal | int | str | None = None
    ) -> None:
        """Close the position at the market, or `size` of it, and return once it is seen closed.

        Exits of brackets are cancelled, or made no larger than what is left; other orders stay;
        that goes on without a caller who is cancelled. Raises `NotFound` when there is no position,
        `OrderRejected`, `NotSent`, `OrderOutcomeUnknown`, and `NotFlat` when closing or the exits
        cannot be proven in time.
        """

    @abstractmethod
    async def flatten(self, account_id: str) -> None:
        """Cancel every order, close every position, and prove by reading back that it is so.

        Raises `NotFlat` with what is left, and whatever stopped it on the way.
        """

    @abstractmethod
    async def get_trade_history(
        self, account_id: str, *, start: datetime, end: datetime | None = None
    ) -> list["Trade"]:
        """Your fills between `start` and `end` (default: now), oldest first."""


class RealTimeStream(ABC):
    """Live data: by iterator, by handler, or both."""

    @property
    @abstractmethod
    def status(self) -> StreamConnectionStatus:
        """The worst state of any stream; IDLE when nothing is wanted of any, for some seconds."""

    @property
    @abstractmethod
    def health(self) -> "Health":
        """How streams, subscribers, and requests are at this moment; without a request."""

    @abstractmethod
    def subscribe_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketData,
    ) -> "Subscription[MarketEvent]":
        """Live data of the contracts: `await` it, or `async with` it and iterate.

        `MarketDataType.BAR` is a bar of one minute; in its place `BarSpan` says of how long.
        Both go on once the venue has confirmed. Raises `NotFound`, `NotSupported`, `VenueError`,
        and `TransportError` when the first connection fails.
        """

    @abstractmethod
    async def unsubscribe_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketData,
    ) -> None:
        """Take back what was awaited; a subscription in an `async with` ends by itself."""

    @abstractmethod
    def expect_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketData,
        *,
        within: float | None,
    ) -> None:
        """Have a `Stale` told when no data comes for `within` seconds while the stream is live.

        It holds until it is set anew; with None nothing is expected any more, as from the start: a
        quiet market is no fault. Raises `NotSupported`, and `ValueError` for what is not above 0.
        """

    @abstractmethod
    def order_book(self, contract_id: str) -> "LiveOrderBook":
        """The order book of the contract, which keeps itself while you `async with` it.

        Raises `NotSupported` where there is no depth; entering raises what a subscription does.
        """

    @abstractmethod
    def subscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: UserDataType | Collection[UserDataType]
    ) -> "Subscription[UserEvent]":
        """Live orders, fills, positions and balances of the accounts, as for market data."""

    @abstractmethod
    async def unsubscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: UserDataType | Collection[UserDataType]
    ) -> None:
        """Take back what was awaited."""

    @abstractmethod
    def on_event(self, handler: EventHandler) -> EventHandler:
        """Call `handler` with every event of every subscription, in order; it may be async.

        Usable as a decorator. A handler that raises is reported to `on_error` and goes on.
        """

    @abstractmethod
    def on_status_change(self, handler: StatusHandler) -> StatusHandler:
        """Call `handler` with every `StatusChanged`."""

    @abstractmethod
    def on_error(self, handler: ErrorHandler) -> ErrorHandler:
        """Call `handler` with every error that no caller is there to catch.

        Without any such handler these errors are logged by the logger `tradeforge_core`.
        """

    @abstractmethod
    async def run_forever(self) -> None:
        """Wait while handlers work. Returns after `disconnect()`, and only then."""


class Sandbox(ABC):
    """A venue on this machine: `async with` it, and give `settings` to `load_provider`."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, str]:
        """The settings, by environment variable, with which the provider reaches this sandbox."""

    @property
    @abstractmethod
    def symbol(self) -> str:
        """What `get_contract_by_symbol` finds a contract by that trades here."""

    @abstractmethod
    async def __aenter__(self) -> "Sandbox":
        """Serve, on loopback."""

    @abstractmethod
    async def __aexit__(self, *exc_info: object) -> None:
        """Stop serving and close every connection."""
