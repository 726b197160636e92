"""Errors survive pickling and copying with all they know."""

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core import (
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
    Order,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderSide,
    OrderStatus,
    OrderType,
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
    errors,
)

ENTRY = Order(
    id="7",
    account_id="1",
    contract_id="ABC",
    side=OrderSide.BUY,
    type=OrderType.MARKET,
    status=OrderStatus.FILLED,
    size=Decimal(1),
)
EVERY = [
    TradeForgeError("plain"),
    ConfigError("not set", variables=["A", "B"]),
    ProviderNotFound("none"),
    ProviderLoadError("broken"),
    PluginLoadError("broken"),
    NotSupported("no"),
    InvalidOrder(["size", "price"]),
    OrderVetoed(["too large", "too late"]),
    NotSent("refused", client_order_id="tf1"),
    OrderOutcomeUnknown("sent", operation="close", client_order_id="tf1", order_id="7"),
    JournalUnavailable("the disk is full"),
    DuplicateIntent("used before"),
    NotFlat(),
    ProtectionIncomplete(ENTRY, ["stop_loss"], flattened=True),
    DuplicateClientOrderId("taken", code=2, order_id="7"),
    SubscriberOverflow("slow"),
    BookNotLive("stale"),
    HandlerFailed("raised"),
    TransportError("lost", sent=True),
    Disconnected("refused", sent=False),
    RequestTimeout("late", sent=False),
    DecodeError("strange", path="$.orders[0].side"),
    VenueError("no", code=3, name="Bad", request_id="r-1"),
    AuthenticationError("no", code=401),
    RateLimited("slow down", retry_after=1.5, code=429),
    SessionConflict("somebody else", code=401),
    NotFound("none", code="7"),
    OrderRejected("no", order_id="9", code=2, name="Rejected", request_id="r-2"),
    MarketClosed("shut", order_id="9", code=5),
]


def test_none_is_forgotten() -> None:
    classes = {value for value in vars(errors).values() if isinstance(value, type)}
    assert {type(error) for error in EVERY} == {
        one for one in classes if issubclass(one, TradeForgeError)
    }


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "through",
    [
        copy.copy,
        copy.deepcopy,
        *(
            lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_a_copy_knows_the_same(
    error: TradeForgeError, through: Callable[[TradeForgeError], TradeForgeError]
) -> None:
    again = through(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_the_message_has_every_problem() -> None:
    assert str(InvalidOrder(["size", "price"])) == "size; price"
    assert str(OrderVetoed(["late"])) == "late"


def test_a_naked_entry_is_named_with_what_it_misses() -> None:
    error = ProtectionIncomplete(ENTRY, ["stop_loss", "take_profit"])
    assert str(error).startswith("order 7 (filled) is without its stop loss and take profit: place")
    assert (error.order, error.missing, error.flattened) == (
        ENTRY,
        ("stop_loss", "take_profit"),
        False,
    )
    assert "has been flattened" in str(ProtectionIncomplete(ENTRY, ["stop_loss"], flattened=True))


def test_an_error_of_transport_may_have_been_sent_unless_proven() -> None:
    assert TransportError("lost").sent
    assert Disconnected("lost").sent
    assert RequestTimeout("late").sent


def test_the_reason_of_not_sent_is_its_message() -> None:
    assert NotSent("refused").reason == "refused"


def test_attributes_of_the_venue_default_to_none() -> None:
    error = OrderRejected("no")
    assert (error.code, error.name, error.request_id, error.order_id) == (None,) * 4
