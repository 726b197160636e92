"""One small exchange: a contract at 100.00 whose tick is 0.25 and worth 12.50, and an account."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    Instrument,
    Leg,
    Ticket,
)


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(
        id="FUT.ABC",
        symbol="ABCZ6",
        root="ABC",
        description="The contract of the tests",
        tick_size=Decimal("0.25"),
        tick_value=Decimal("12.50"),
        start_price=Decimal("100.00"),
        fee=Decimal("0.37"),
        commission=Decimal("0.25"),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exchange(instrument: Instrument, clock: ManualClock) -> Exchange:
    return Exchange([instrument], clock=clock, seed=7)


@pytest.fixture
def account(exchange: Exchange) -> ExchangeAccount:
    return exchange.open_account("first", Decimal("50000"))


@pytest.fixture
def other(exchange: Exchange) -> ExchangeAccount:
    return exchange.open_account("second", Decimal("50000"))


@pytest.fixture
def events(exchange: Exchange) -> list[ExchangeEvent]:
    """Everything the exchange tells from now on."""
    told: list[ExchangeEvent] = []
    exchange.listen(told.append)
    return told


@pytest.fixture
def place(
    exchange: Exchange, account: ExchangeAccount, instrument: Instrument
) -> Callable[..., ExchangeOrder]:
    """`place("buy", "limit", 2, "99.75")`, on the first account unless told otherwise.

    The price is the one that the type has; `stop_loss=-10` and `take_profit=20` bring legs.
    """

    def place(
        side: str,
        type_: str,
        size: int,
        price: str | Decimal | None = None,
        *,
        tag: str | None = None,
        stop_loss: int | Leg | None = None,
        take_profit: int | Leg | None = None,
        account_id: int = account.id,
        instrument_id: str = instrument.id,
    ) -> ExchangeOrder:
        exact = None if price is None else Decimal(price)
        return exchange.place(
            Ticket(
                account_id=account_id,
                instrument_id=instrument_id,
                side=OrderSide(side),
                type=OrderType(type_),
                size=size,
                limit_price=exact if type_ == "limit" else None,
                stop_price=exact if type_ == "stop" else None,
                trail_price=exact if type_ == "trailing_stop" else None,
                stop_loss=_leg(stop_loss, OrderType.STOP),
                take_profit=_leg(take_profit, OrderType.LIMIT),
                tag=tag,
            )
        )

    return place


def _leg(leg: int | Leg | None, type_: OrderType) -> Leg | None:
    return Leg(leg, type_) if isinstance(leg, int) else leg
