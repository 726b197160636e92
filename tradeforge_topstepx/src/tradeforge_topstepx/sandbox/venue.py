"""What the endpoints work on: the exchange, and who may use it."""

from collections.abc import Callable
from decimal import Decimal

from attrs import define, frozen

from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.books import Books
from tradeforge_topstepx.sandbox.instruments import listed_instruments
from tradeforge_topstepx.sandbox.tokens import TokenIssuer


@frozen
class Credentials:
    username: str
    api_key: str


@define
class Venue:
    exchange: Exchange
    tokens: TokenIssuer
    credentials: Credentials
    clock: Clock
    show: Callable[[], Books] | None = None
    """Where reads of orders, fills and positions look; None is the exchange itself."""

    @property
    def books(self) -> Books:
        return self.exchange if self.show is None else self.show()


def open_venue(credentials: Credentials, *, clock: Clock, seed: int) -> Venue:
    return Venue(open_exchange(clock, seed), TokenIssuer(clock), credentials, clock)


def open_exchange(clock: Clock, seed: int) -> Exchange:
    """An exchange with its contracts and three accounts: practice, combine, and one that is locked.

    Brackets can be used on the practice account only: the others are in the mode of a new account.
    """
    exchange = Exchange(listed_instruments(clock.now().date()), clock=clock, seed=seed)
    exchange.open_account("PRAC-V2-100100-10010001", Decimal(150_000))
    exchange.open_account("50KTC-V2-100100-10010002", Decimal(50_000), auto_oco=False)
    exchange.open_account(
        "50KTC-V2-100100-10010003", Decimal(47_950), can_trade=False, auto_oco=False
    )
    return exchange
