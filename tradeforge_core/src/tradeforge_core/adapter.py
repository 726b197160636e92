"""What a provider's author writes: short methods that speak to the venue, and nothing else.

They are called by the base provider with everything checked: connected, complete, within the
capabilities. They give the thing or raise; whatever is not documented proof of a refusal counts as
an unknown outcome.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from tradeforge_core.capabilities import Capabilities
from tradeforge_core.enums import MarketDataType, OrderSide, UserDataType
from tradeforge_core.errors import NotSupported
from tradeforge_core.events import Topic
from tradeforge_core.models import (
    Account,
    Bar,
    Contract,
    FrontMonth,
    Order,
    OrderRequest,
    Position,
    Trade,
)
from tradeforge_core.orders.limits import TradingDay, realised
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.link import StreamLink

if TYPE_CHECKING:
    from tradeforge_core.hours import MarketHours
    from tradeforge_core.kit.budget import RateBudget
    from tradeforge_core.kit.recording import Redactor

T = TypeVar("T")
Write = Coroutine[Any, Any, T]
"""One request that changes something at the venue."""


class VenueAdapter(ABC):
    """One venue, as a provider knows it."""

    name: ClassVar[str]
    """The word that `load_provider` knows it by."""
    capabilities: ClassVar[Capabilities]
    stream_of: ClassVar[Mapping[MarketDataType | UserDataType, str]]
    """Which of the provider's connections carries each kind of data; see `_stream_for`."""
    trading_day: ClassVar[TradingDay] = TradingDay()
    """When the venue begins to count a day anew."""
    shows_waiting_exits: bool = True
    """Whether `_fetch_exits` has the legs also while their entry waits for its first fill."""

    @property
    def realm(self) -> str:
        """Where its account ids mean something, such as the host: each has journals of its own."""
        return "default"

    def market_hours(self, contract: Contract) -> "MarketHours | None":
        """When the contract trades; None where that is always, or is not known."""
        return None

    def _budgets(self) -> "Mapping[str, RateBudget]":
        """The request limits of the venue that it keeps, by name."""
        return {}

    def _clock_ahead(self) -> timedelta:
        """How far the venue's clock is ahead of the machine's; 0 where the venue does not tell."""
        return timedelta()

    def _redactor(self) -> "Redactor":
        """What takes out of a recording who the user is. Raises `NotSupported`."""
        raise NotSupported(f"{self.name} cannot be recorded")

    def _stream_for(self, topic: Topic) -> str:
        """The connection that carries the topic; override it where its kind alone does not say."""
        return self.stream_of[topic.kind]

    @abstractmethod
    async def _log_in(self) -> None:
        """Open what requests need, and log in."""

    @abstractmethod
    async def _log_out(self) -> None:
        """Close what `_log_in` opened; must not raise because the venue is gone."""

    @abstractmethod
    def _make_link(self, stream: str) -> StreamLink:
        """A new connection of the stream of this name; it publishes to `self._switchboard`."""

    @abstractmethod
    async def _fetch_accounts(self) -> list[Account]: ...

    async def _fetch_all_accounts(self) -> list[Account]:
        """Those too that are locked, where the venue tells: they may hold a position still."""
        return await self._fetch_accounts()

    @abstractmethod
    async def _search_contracts(self, text: str) -> list[Contract]: ...

    @abstractmethod
    async def _fetch_contract(self, contract_id: str) -> Contract: ...

    @abstractmethod
    async def _find_contract(self, symbol: str) -> FrontMonth:
        """The contract of a symbol or of a root, and why it is that one."""

    @abstractmethod
    async def _fetch_bars(self, query: BarQuery) -> list[Bar]: ...

    @abstractmethod
    async def _submit_order(self, request: OrderRequest) -> Order:
        """Send the order, once."""

    async def _prepare_order(self, request: OrderRequest) -> Callable[[], Write[Order]]:
        """What to call to send the order, once everything it needs is known.

        Override it where something must be looked up first: until it returns nothing has left, and
        the caller may still change his mind.
        """
        return partial(self._submit_order, request)

    @abstractmethod
    async def _submit_change(self, change: OrderChange) -> None:
        """Send the change, once."""

    async def _prepare_change(self, change: OrderChange) -> Callable[[], Write[None]]:
        """What to call to send the change, as for an order."""
        return partial(self._submit_change, change)

    @abstractmethod
    async def _submit_cancel(self, account_id: str, order_id: str) -> None: ...

    @abstractmethod
    async def _submit_close(
        self, account_id: str, contract_id: str, size: Decimal | None
    ) -> None: ...

    async def _submit_close_side(
        self, account_id: str, contract_id: str, size: Decimal | None, side: OrderSide
    ) -> None:
        """As `_submit_close`, of the one of two positions whose `hedge_side` this is.

        Who gives positions with a `hedge_side` has to write it.
        """
        raise NotImplementedError(f"{self.name} has two positions at once, and closes neither")

    @abstractmethod
    async def _fetch_order(self, account_id: str, order_id: str) -> Order: ...

    @abstractmethod
    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        """Every order of this name, of any status, oldest first; none if there is none."""

    @abstractmethod
    async def _fetch_open_orders(self, account_id: str) -> list[Order]: ...

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        """The legs of the entry's bracket, whatever their status; none for an order without.

        Who declares brackets has to write it.
        """
        if self.capabilities.brackets:
            raise NotImplementedError(f"{self.name} declares brackets, and does not look for exits")
        return []

    @abstractmethod
    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]: ...

    @abstractmethod
    async def _fetch_positions(self, account_id: str) -> list[Position]: ...

    @abstractmethod
    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]: ...

    async def _fetch_result(self, account_id: str, period: Period) -> Decimal:
        """What was earned in the period, with fees and commissions; below zero for a loss.

        Override it where fills do not tell it, and the venue does.
        """
        return realised(await self._fetch_trades(account_id, period))
