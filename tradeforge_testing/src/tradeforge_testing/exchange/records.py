"""What the exchange shows of itself: frozen values, exact decimals, aware UTC times.

Sizes are whole lots: contracts, or what `Instrument.lot` says. Prices are multiples of the
instrument's tick size; averages need not be.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Any

from attrs import Attribute, field, frozen
from attrs.converters import optional
from attrs.validators import instance_of

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType, TimeInForce
from tradeforge_core.models import exact
from tradeforge_testing.exchange.refusal import Refused, Reject

_MILLION = 1_000_000


class Kind(StrEnum):
    """What a fill does to an account."""

    FUTURE = "future"
    """It makes a position that gains the difference of the prices."""
    INVERSE = "inverse"
    """As a future that is counted in money and gains coin: the difference of one by the prices."""
    SPOT = "spot"
    """It changes one coin for another, and there is no position."""


@frozen(kw_only=True)
class Instrument:
    """What is traded. `tick_value` is the money one tick moves for one contract.

    `fee` and `commission` are charged per contract on every fill, and of its value the rate of the
    side that it was on. An instrument that is not `active` has a history and no market; one that is
    `newly_listed` has a market and no history.

    A `lot` is the smallest size, in `base` for spot. `money` is the coin that it is paid in, the
    account's own without one. With a `max_leverage` orders and positions need margin. The sizes of
    the market are so many times as large as without `liquidity`.
    """

    id: str
    symbol: str
    root: str
    description: str
    tick_size: Decimal
    tick_value: Decimal
    start_price: Decimal
    fee: Decimal
    commission: Decimal
    active: bool = True
    newly_listed: bool = False
    kind: Kind = Kind.FUTURE
    lot: Decimal = Decimal(1)
    base: str = ""
    money: str = ""
    maker_rate: Decimal = Decimal(0)
    taker_rate: Decimal = Decimal(0)
    max_leverage: Decimal | None = None
    liquidity: int = 1

    def __attrs_post_init__(self) -> None:
        if self.tick_size <= 0 or self.tick_value <= 0:
            raise ValueError(f"{self.id}: tick size and tick value must be above zero")
        try:
            self.to_ticks(self.start_price)
        except Refused:
            raise ValueError(f"{self.id}: the start price must be on the tick grid") from None

    def to_ticks(self, price: Decimal) -> int:
        """How many ticks the price is above zero; `Refused(PRICE_OFF_TICK)` if not a whole one."""
        try:
            if price <= 0 or price % self.tick_size:
                raise Refused(Reject.PRICE_OFF_TICK)
        except InvalidOperation:  # more digits than any price has
            raise Refused(Reject.PRICE_OFF_TICK) from None
        return int(price / self.tick_size)

    def to_price(self, ticks: int) -> Decimal:
        return ticks * self.tick_size

    def to_average(self, ticks: Fraction) -> Decimal:
        """The price of a fraction of ticks, to the nearest millionth of a tick."""
        if ticks.denominator == 1:
            return self.to_price(ticks.numerator)
        return round(ticks * _MILLION) * (self.tick_size / _MILLION)

    @property
    def has_margin(self) -> bool:
        """Whether an account has to have what an order costs, or the margin of it."""
        return self.kind is Kind.SPOT or self.max_leverage is not None

    def to_size(self, lots: int) -> Decimal:
        return lots * self.lot

    def value(self, lots: int, price: Decimal) -> Decimal:
        """What so much is worth at that price, in `money`."""
        size = self.to_size(lots)
        return size / price if self.kind is Kind.INVERSE else size * price


@frozen(kw_only=True)
class ExchangeAccount:
    """`balance` is the opening balance plus what was realised, less fees and commissions.

    Orders with a stop loss or a take profit are taken only with `auto_oco`. `coins` is what it has
    of other money than that of its balance.
    """

    id: int
    name: str
    balance: Decimal
    can_trade: bool
    simulated: bool
    auto_oco: bool = True
    coins: Mapping[str, Decimal] = field(factory=dict)

    def has(self, coin: str) -> Decimal:
        """How much of the coin, or of its own money for ""."""
        return self.coins.get(coin, Decimal(0)) if coin else self.balance


def direction(side: OrderSide, rising: bool | None) -> OrderSide:
    """The side of the takers that bring a market to a trigger."""
    if rising is None:
        return side
    return OrderSide.BUY if rising else OrderSide.SELL


@frozen
class Leg:
    """An exit that waits for its entry, at a distance from the fill or at a price of its own.

    `ticks` are signed as prices are. At a distance a stop loss is a STOP or a TRAILING_STOP and a
    take profit a LIMIT. At a `price` either is a STOP or a STOP_LIMIT which that price triggers,
    on the side that `rising` says, with a `limit_price` of its own. One that is `reduce_only` is
    as for a ticket. Without a `tag` the leg is named after its entry.
    """

    ticks: int | None = field()
    type: OrderType
    price: Decimal | None = field(default=None, converter=optional(exact))
    limit_price: Decimal | None = field(default=None, converter=optional(exact))
    rising: bool | None = None
    reduce_only: bool = False
    tag: str | None = None

    @ticks.validator
    def _check_ticks(self, attribute: "Attribute[Any]", value: Any) -> None:
        if self.price is None or value is not None:
            instance_of(int)(self, attribute, value)


@frozen(kw_only=True)
class Ticket:
    """What to place. A `tag` names the order on its account for ever, rejected orders included.

    `trail_price` is where a trailing stop starts; what counts is how far that is from the last
    trade. The legs are placed with the order, tagged `-SL` and `-TP` after its own tag.

    `rising` says from where the trigger of a stop is reached, by default as its side has it; a stop
    limit needs it said. Without a time in force an order waits for as long as it takes. One that
    is `reduce_only` is made no larger than the position. With a `hedge_side` the order is for the
    position of that side, which is held apart from the other one.
    """

    account_id: int
    instrument_id: str
    side: OrderSide
    type: OrderType
    size: int
    limit_price: Decimal | None = field(default=None, converter=optional(exact))
    stop_price: Decimal | None = field(default=None, converter=optional(exact))
    trail_price: Decimal | None = field(default=None, converter=optional(exact))
    stop_loss: Leg | None = None
    take_profit: Leg | None = None
    tag: str | None = None
    rising: bool | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    reduce_only: bool = False
    hedge_side: OrderSide | None = None

    @property
    def direction(self) -> OrderSide:
        """BUY if the trigger is reached by a market that rises."""
        return direction(self.side, self.rising)

    @property
    def has_legs(self) -> bool:
        return self.stop_loss is not None or self.take_profit is not None


@frozen(kw_only=True)
class ExchangeOrder:
    """An order as it stands.

    `updated_at` is when it was last placed, modified, put to work, cancelled or rejected, by the
    user or for its bracket. A fill does not move it: the time of a fill is on the `Fill`. Nor does
    the market that a trailing stop follows.

    A trailing stop has its trigger of the moment in `stop_price`, and how far that follows the
    last trade in ticks and as a difference of prices. A leg has its signed distance from the fill
    of the entry in `leg_ticks` and the entry in `parent_id`; a take profit has the stop loss in
    `linked_id`. Until the entry has a fill a leg has no price and waits, SUSPENDED.

    `reject` is why it was rejected, or why the exchange itself has cancelled it. A stop with
    `rising` is `triggered` from the print that reached it on.
    """

    id: int
    account_id: int
    instrument_id: str
    side: OrderSide
    type: OrderType
    status: OrderStatus
    size: int
    filled_size: int
    limit_price: Decimal | None
    stop_price: Decimal | None
    average_fill_price: Decimal | None
    tag: str | None
    created_at: datetime
    updated_at: datetime
    reject: Reject | None
    trail_ticks: int | None = None
    trail_distance: Decimal | None = None
    leg_ticks: int | None = None
    parent_id: int | None = None
    linked_id: int | None = None
    rising: bool | None = None
    triggered: bool = False
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    reduce_only: bool = False
    hedge_side: OrderSide | None = None

    @property
    def direction(self) -> OrderSide:
        """BUY if the trigger is reached by a market that rises."""
        return direction(self.side, self.rising)

    @property
    def remaining_size(self) -> int:
        return self.size - self.filled_size


@frozen(kw_only=True)
class Fill:
    """One trade of one order. `realized_pnl` is before fees; None when the fill only opens.

    A voided one says what it was and counts for nothing.
    """

    id: int
    account_id: int
    instrument_id: str
    order_id: int
    side: OrderSide
    size: int
    price: Decimal
    realized_pnl: Decimal | None
    fees: Decimal
    commissions: Decimal
    time: datetime
    voided: bool = False
    maker: bool = False
    fee_coin: str = ""
    hedge_side: OrderSide | None = None


@frozen(kw_only=True)
class ExchangePosition:
    """What an account holds of an instrument: `size` is above zero when long, below when short.

    A position that went flat keeps its id, `opened_at` and average price; the next one has a new
    id. A fill that turns long into short keeps the id and sets `opened_at`.
    """

    id: int
    account_id: int
    instrument_id: str
    size: int
    average_price: Decimal
    opened_at: datetime
    hedge_side: OrderSide | None = None


@frozen
class Quote:
    """The top of the book and the session so far; the session begins with the exchange.

    A side without orders is shown one tick away from the last trade or from the other side.
    `change` is measured from the open.
    """

    instrument_id: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    volume: int
    open: Decimal
    high: Decimal
    low: Decimal
    change: Decimal
    change_percent: Decimal
    time: datetime


@frozen
class Level:
    price: Decimal
    size: int


@frozen
class Bar:
    """One candle; `time` is when it opened."""

    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
