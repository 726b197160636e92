"""What a trader works with: frozen values, exact decimals, aware UTC times.

`raw` keeps the venue's own message in the venue's spelling; it takes no part in comparison, in the
repr, or in JSON.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext

from attrs import field, frozen
from attrs.validators import ge, instance_of, optional

from tradeforge_core.enums import (
    AssetClass,
    BarUnit,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)


def exact(value: Decimal | int | str) -> Decimal:
    """The Decimal with the digits as given; a float has lost its digits already and is refused."""
    if isinstance(value, (float, bool)):
        raise TypeError(f"{value!r} is not exact: write it as a string or a Decimal, e.g. '0.25'")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"{value!r} is not a number that a price or a size can have")
    return number


_MOST_DIGITS = 40
"""No price, size or balance is longer; 1E+999999999 is a typo or an attack, and fills memory."""


def exact_or_none(value: Decimal | int | str | None) -> Decimal | None:
    """As `exact`, with None for None."""
    return None if value is None else exact(value)


@frozen(kw_only=True)
class Balance:
    """What an account has of one currency; `available` is None where the venue does not say."""

    currency: str
    total: Decimal
    available: Decimal | None = None


@frozen(kw_only=True)
class Account:
    """A trading account. `balance` is realised, after fees, in the account's `currency`.

    `balances` has each currency where an account holds several, and is empty where it does not.
    """

    id: str
    name: str
    balance: Decimal
    can_trade: bool
    simulated: bool | None = None
    currency: str | None = None
    balances: tuple[Balance, ...] = ()
    raw: object = field(default=None, repr=False, eq=False)


@frozen(kw_only=True)
class Contract:
    """One tradable instrument. `tick_value` is the money one tick moves for a size of one.

    `id` is opaque: give back what a search returned. `root` is the product (`MNQ` of `MNQZ6`).
    `tick_value` is None where a tick is not worth the same at every price. Prices are those of
    `base` in `quote`, and money comes in `settle`; sizes count `base`, but of a contract that
    settles in its base they count `quote`. Each is None where it is not told, as are the limits:
    `min_size` and `max_size` of an order, `min_notional` in `quote`, and `quote_step` of an order
    that counts what is paid.
    """

    id: str
    symbol: str
    root: str
    description: str
    tick_size: Decimal
    tick_value: Decimal | None
    size_step: Decimal = Decimal(1)
    active: bool
    asset_class: AssetClass = AssetClass.UNKNOWN
    base: str | None = None
    quote: str | None = None
    settle: str | None = None
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None
    quote_step: Decimal | None = None
    raw: object = field(default=None, repr=False, eq=False)

    @property
    def point_value(self) -> Decimal | None:
        """The money that a price change of 1 moves for a size of one; None as `tick_value`."""
        return None if self.tick_value is None else self.tick_value / self.tick_size

    def is_on_tick(self, price: Decimal) -> bool:
        return _is_multiple(price, self.tick_size)

    def is_on_step(self, size: Decimal) -> bool:
        return _is_multiple(size, self.size_step)

    def is_on_quote_step(self, paid: Decimal) -> bool:
        """Whether an order can count this much of `quote`."""
        return self.quote_step is None or _is_multiple(paid, self.quote_step)

    def round_price(self, price: Decimal, *, rounding: str) -> Decimal:
        """The nearest price on the tick grid, by a rounding of the decimal module."""
        with localcontext() as context:
            context.prec = _WIDE
            ticks = (price / self.tick_size).to_integral_value(rounding=rounding)
            return ticks * self.tick_size


_WIDE = 2 * _MOST_DIGITS + 20


def _is_multiple(value: Decimal, step: Decimal) -> bool:
    with localcontext() as context:
        context.prec = _WIDE
        try:
            return value % step == 0
        except InvalidOperation:  # more digits than any price has
            return False


@frozen(kw_only=True)
class Bar:
    """One candle; `time` is when it opened. A `partial` one is still forming."""

    contract_id: str
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    partial: bool = False


@frozen(order=True)
class BarSpan:
    """How long a bar is: `size` times `unit`. Raises `ValueError` for a size below 1."""

    unit: BarUnit = field(default=BarUnit.MINUTE, validator=instance_of(BarUnit))
    size: int = field(default=1, validator=[instance_of(int), ge(1)])

    def __str__(self) -> str:
        return f"{self.size} {self.unit}"


@frozen(kw_only=True)
class Bracket:
    """The exits that an entry brings along: when one fills, the venue cancels the other.

    Both are distances in price, above zero whatever the side: from the entry's fill or, where
    `Capabilities.brackets_from_fill` is False, from the best price that it can fill at, as far as
    its own prices and the market tell when it leaves. With `trailing` the stop loss follows the
    market at its distance.
    """

    stop_loss: Decimal | None = field(default=None, converter=exact_or_none)
    take_profit: Decimal | None = field(default=None, converter=exact_or_none)
    trailing: bool = False


@frozen(kw_only=True)
class OrderRequest:
    """What to place. Numbers may be Decimal, int or str; a float is refused.

    `client_order_id` names the order for ever; without one, `place_order` makes it.
    `trail_distance` is how far, in price, a trailing stop stays behind the market. `reduce_only`
    can only make a position smaller, `post_only` never takes what the book offers, and `in_quote`
    has the size of a market order count what is paid.
    """

    account_id: str = field(validator=instance_of(str))
    contract_id: str = field(validator=instance_of(str))
    side: OrderSide = field(validator=instance_of(OrderSide))
    type: OrderType = field(validator=instance_of(OrderType))
    size: Decimal = field(converter=exact)
    limit_price: Decimal | None = field(default=None, converter=exact_or_none)
    stop_price: Decimal | None = field(default=None, converter=exact_or_none)
    trail_distance: Decimal | None = field(default=None, converter=exact_or_none)
    bracket: Bracket | None = field(default=None, validator=optional(instance_of(Bracket)))
    time_in_force: TimeInForce | None = field(
        default=None, validator=optional(instance_of(TimeInForce))
    )
    client_order_id: str | None = field(default=None, validator=optional(instance_of(str)))
    reduce_only: bool = field(default=False, validator=instance_of(bool))
    post_only: bool = field(default=False, validator=instance_of(bool))
    in_quote: bool = field(default=False, validator=instance_of(bool))

    @classmethod
    def market(
        cls, account_id: str, contract_id: str, side: OrderSide, size: Decimal | int | str
    ) -> "OrderRequest":
        """Fill now, at what the book offers."""
        return cls(
            account_id=account_id,
            contract_id=contract_id,
            side=side,
            type=OrderType.MARKET,
            size=size,
        )

    @classmethod
    def limit(
        cls,
        account_id: str,
        contract_id: str,
        side: OrderSide,
        size: Decimal | int | str,
        price: Decimal | int | str,
    ) -> "OrderRequest":
        """Fill at `price` or better."""
        return cls(
            account_id=account_id,
            contract_id=contract_id,
            side=side,
            type=OrderType.LIMIT,
            size=size,
            limit_price=price,
        )

    @classmethod
    def trailing_stop(
        cls,
        account_id: str,
        contract_id: str,
        side: OrderSide,
        size: Decimal | int | str,
        distance: Decimal | int | str,
    ) -> "OrderRequest":
        """A stop that follows the market, `distance` behind its best price."""
        return cls(
            account_id=account_id,
            contract_id=contract_id,
            side=side,
            type=OrderType.TRAILING_STOP,
            size=size,
            trail_distance=distance,
        )

    @classmethod
    def stop(
        cls,
        account_id: str,
        contract_id: str,
        side: OrderSide,
        size: Decimal | int | str,
        price: Decimal | int | str,
    ) -> "OrderRequest":
        """Become a market order once the market trades at `price`."""
        return cls(
            account_id=account_id,
            contract_id=contract_id,
            side=side,
            type=OrderType.STOP,
            size=size,
            stop_price=price,
        )


@frozen(kw_only=True)
class Order:
    """An order as the venue last described it.

    A leg of a bracket has the entry as its parent; `linked_order_id` is what it cancels by filling,
    where the venue says so. When it filled is on its trades: `updated_at` may not move by a fill.
    Where `size` is `in_quote`, `filled_size` still counts what was bought.
    """

    id: str
    account_id: str
    contract_id: str
    client_order_id: str | None = None
    side: OrderSide
    type: OrderType
    status: OrderStatus
    size: Decimal
    filled_size: Decimal = Decimal(0)
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_distance: Decimal | None = None
    parent_order_id: str | None = None
    linked_order_id: str | None = None
    average_fill_price: Decimal | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    reduce_only: bool = False
    post_only: bool = False
    in_quote: bool = False
    raw: object = field(default=None, repr=False, eq=False)

    @property
    def remaining_size(self) -> Decimal:
        """What is left of `size`, in its own unit."""
        if not self.in_quote:
            return self.size - self.filled_size
        return self.size - self.filled_size * (self.average_fill_price or Decimal(0))


@frozen(kw_only=True)
class OrderFamily:
    """An entry with its exits; an exit is None where there is none."""

    entry: Order
    stop_loss: Order | None = None
    take_profit: Order | None = None

    @classmethod
    def of(cls, entry: Order, legs: Sequence[Order]) -> "OrderFamily":
        """The entry with the first of its legs that is a stop loss, and the first take profit."""
        stops = [leg for leg in legs if leg.type in _STOPS]
        targets = [leg for leg in legs if leg.type in _TARGETS]
        return cls(
            entry=entry,
            stop_loss=next(iter(stops), None),
            take_profit=next(iter(targets), None),
        )

    @property
    def exits(self) -> list[Order]:
        return [leg for leg in (self.stop_loss, self.take_profit) if leg is not None]


_STOPS = {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP}
_TARGETS = {OrderType.LIMIT, OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED}


@frozen(kw_only=True)
class FrontMonth:
    """The contract that a root stands for today, and why it is that one."""

    contract: Contract
    reason: str


@frozen(kw_only=True)
class Position:
    """What an account holds of one contract: `size` is above zero when long, below when short.

    Where an account may hold both at once, each is a position of its own: `hedge_side` tells them
    apart, and is None everywhere else.
    """

    account_id: str
    contract_id: str
    size: Decimal
    average_price: Decimal | None = None
    opened_at: datetime | None = None
    hedge_side: OrderSide | None = None
    raw: object = field(default=None, repr=False, eq=False)

    @property
    def is_flat(self) -> bool:
        return self.size == 0


@frozen(kw_only=True)
class Trade:
    """One fill of one of your orders.

    `realized_pnl` is before fees and commissions, None on a fill that opens. A `voided` trade was
    taken back by the venue and counts for nothing. `fee_currency` is what `fees` are in, None where
    that is the currency of the account; fees below zero were received.
    """

    id: str
    account_id: str
    contract_id: str
    order_id: str
    side: OrderSide
    size: Decimal
    price: Decimal
    realized_pnl: Decimal | None = None
    fees: Decimal | None = None
    commissions: Decimal | None = None
    time: datetime | None = None
    voided: bool = False
    fee_currency: str | None = None
    raw: object = field(default=None, repr=False, eq=False)
