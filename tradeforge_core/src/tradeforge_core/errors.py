"""Every error of TradeForge. Catch the branch you can act on.

TradeForgeError
├── ConfigError              a setting is missing or malformed
├── ProviderNotFound         no installed provider has this name
├── ProviderLoadError        the provider is there and cannot be loaded
├── PluginLoadError          an add-on is there and cannot be loaded
├── NotSupported             this provider cannot do that; nothing was sent
├── InvalidOrder             the order breaks a rule that is known here; nothing was sent
├── OrderVetoed              an add-on refused the order; nothing was sent
├── NotSent                  proof that nothing reached the venue
├── OrderOutcomeUnknown      sent, and no proof of what became of it
├── JournalUnavailable       what is sent cannot be written down, or read back
├── DuplicateIntent          the journal has this name already, for another request
├── NotFlat                  positions or orders are left after closing, or may come
├── ProtectionIncomplete     an accepted entry has not all the exits of its bracket
├── SubscriberOverflow       this subscriber was too slow for data that may not be dropped
├── BookNotLive              the order book has a hole and must not be read
├── HandlerFailed            a handler of the user raised; the cause is chained
├── TransportError           the network failed
│   ├── Disconnected
│   └── RequestTimeout
├── DecodeError              the venue's message was not understood
└── VenueError               the venue said no
    ├── AuthenticationError
    │   └── SessionConflict
    ├── RateLimited
    ├── NotFound
    └── OrderRejected
        ├── MarketClosed
        └── DuplicateClientOrderId
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tradeforge_core.models import Order, Position


class TradeForgeError(Exception):
    """The root: `except TradeForgeError` catches all that this library raises on purpose."""


class ConfigError(TradeForgeError):
    """A setting is missing or malformed; the message names it and says how to go on without one.

    `variables` are the names of the settings in question.
    """

    def __init__(self, message: str, *, variables: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.variables = tuple(variables)


class ProviderNotFound(TradeForgeError):
    """No installed distribution offers a provider of this name."""


class ProviderLoadError(TradeForgeError):
    """A provider is installed and cannot be loaded; the cause is chained."""


class PluginLoadError(TradeForgeError):
    """An add-on is installed and cannot be loaded; trading without it might skip a risk check."""


class NotSupported(TradeForgeError):
    """The provider does not have this capability; raised before anything is sent."""


class InvalidOrder(TradeForgeError):
    """The order breaks rules that are known locally; `problems` has all of them."""

    def __init__(self, problems: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))

    def __reduce__(self) -> tuple[type["InvalidOrder"], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class OrderVetoed(TradeForgeError):
    """One or more add-ons refused the order; `reasons` has every refusal."""

    def __init__(self, reasons: Iterable[str] = ()) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))

    def __reduce__(self) -> tuple[type["OrderVetoed"], tuple[tuple[str, ...]]]:
        return type(self), (self.reasons,)


class NotSent(TradeForgeError):
    """Proof that no byte of the request reached the venue: it is safe to try again."""

    def __init__(self, message: str, *, client_order_id: str | None = None) -> None:
        super().__init__(message)
        self.client_order_id = client_order_id

    @property
    def reason(self) -> str:
        return str(self)


class OrderOutcomeUnknown(TradeForgeError):
    """The request was sent and there is no proof of what became of it: do not send it again.

    `operation` is what was asked for ("place", "modify", "cancel", "close"). The search goes on:
    `resolve(client_order_id)` waits for what it finds.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str = "place",
        client_order_id: str | None = None,
        order_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.client_order_id = client_order_id
        self.order_id = order_id


class JournalUnavailable(TradeForgeError):
    """The journal cannot be written or read; the message says why and what to do.

    Raised before anything is sent: an order that is not on record does not leave.
    """


class DuplicateIntent(TradeForgeError):
    """The journal has this client order id already, and that one may have reached the venue."""


class NotFlat(TradeForgeError):
    """Closing did not leave the account as it should; `positions` and `orders` are what is left.

    `unknown` has the client order ids of orders that were sent and may still come: `resolve` waits
    for one, `acknowledge` lets it be.
    """

    def __init__(
        self,
        positions: Iterable["Position"] = (),
        orders: Iterable["Order"] = (),
        unknown: Iterable[str] = (),
    ) -> None:
        self.positions = tuple(positions)
        self.orders = tuple(orders)
        self.unknown = tuple(sorted(unknown))
        parts = [f"{one.size:f} of {one.contract_id}" for one in self.positions]
        parts += [f"order {one.id} ({one.status})" for one in self.orders]
        parts += [f"what became of {name}" for name in self.unknown]
        left = ", ".join(parts) or "nothing could be proven"
        super().__init__(f"not flat yet, look again: {left}")

    def __reduce__(self) -> "tuple[type[NotFlat], tuple[tuple[object, ...], ...]]":
        return type(self), (self.positions, self.orders, self.unknown)


class ProtectionIncomplete(TradeForgeError):
    """An entry was accepted, and an exit of its bracket is not there: do not place it again.

    `order` is the entry as it was last seen, `missing` names the exits ("stop_loss",
    "take_profit"). `flattened` says that its contract has been left since; where that was wanted
    and could not be proven, the cause is chained.
    """

    def __init__(
        self, order: "Order", missing: Iterable[str] = (), *, flattened: bool = False
    ) -> None:
        self.order = order
        self.missing = tuple(missing)
        self.flattened = flattened
        lost = " and ".join(name.replace("_", " ") for name in self.missing)
        state = "the contract has been flattened" if flattened else "place it yourself, or close"
        super().__init__(f"order {order.id} ({order.status}) is without its {lost}: {state}")

    def __reduce__(self) -> "tuple[Callable[..., ProtectionIncomplete], tuple[object, ...]]":
        return _protection_incomplete, (self.order, self.missing, self.flattened)


def _protection_incomplete(
    order: "Order", missing: tuple[str, ...], flattened: bool
) -> ProtectionIncomplete:
    return ProtectionIncomplete(order, missing, flattened=flattened)


class SubscriberOverflow(TradeForgeError):
    """Orders, fills, positions or accounts came faster than this subscriber read them.

    They are never dropped one by one: the subscriber is detached, and must read the state anew.
    """


class BookNotLive(TradeForgeError):
    """The local order book is not complete; reading it would show prices that are not there."""


class HandlerFailed(TradeForgeError):
    """A handler that was given to `on_event` or `on_status_change` raised; the cause is chained."""


class TransportError(TradeForgeError):
    """The network failed. `sent` is False only where nothing can have reached the venue."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class Disconnected(TransportError):
    """There is no connection: refused, reset, closed by the venue, or never opened."""


class RequestTimeout(TransportError):
    """The venue did not answer in time."""


class DecodeError(TradeForgeError):
    """A message was not understood; `path` points at the field (`$.orders[0].side`)."""

    def __init__(self, message: str, *, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class VenueError(TradeForgeError):
    """The venue answered with a refusal or a failure.

    `code` is the venue's own code, `name` its name in the venue's documentation, and `request_id`
    what the venue's support may ask for; each is None where the venue gives none.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | str | None = None,
        name: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.request_id = request_id


class AuthenticationError(VenueError):
    """The venue does not accept the credentials or the token."""


class SessionConflict(AuthenticationError):
    """The venue ends the session again and again, because another one takes its place."""


class RateLimited(VenueError):
    """Too many requests; `retry_after` is in seconds, None where the venue did not say."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        code: int | str | None = None,
        name: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, name=name, request_id=request_id)
        self.retry_after = retry_after


class NotFound(VenueError):
    """The venue knows no such account, contract, order or position."""


class OrderRejected(VenueError):
    """The venue refused the order, the change or the cancel, and nothing works at the venue.

    `order_id` is the id under which the venue filed the refusal, None where it filed none.
    """

    def __init__(
        self,
        message: str,
        *,
        order_id: str | None = None,
        code: int | str | None = None,
        name: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, name=name, request_id=request_id)
        self.order_id = order_id


class MarketClosed(OrderRejected):
    """The instrument does not trade at this moment."""


class DuplicateClientOrderId(OrderRejected):
    """The venue has an order of this client order id already, and made no second one."""
