"""The exchange itself: what can be asked of it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from attrs import evolve

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import exact
from tradeforge_testing.exchange.announcer import Announcer
from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.brackets import Brackets
from tradeforge_testing.exchange.checks import is_size
from tradeforge_testing.exchange.desk import Desk
from tradeforge_testing.exchange.events import ExchangeEvent
from tradeforge_testing.exchange.floor import Floor
from tradeforge_testing.exchange.ledger import Ledger
from tradeforge_testing.exchange.margins import Margins
from tradeforge_testing.exchange.matching import Matching
from tradeforge_testing.exchange.movement import Movement
from tradeforge_testing.exchange.records import (
    Bar,
    ExchangeAccount,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    Instrument,
    Kind,
    Level,
    Quote,
    Ticket,
)
from tradeforge_testing.exchange.refusal import Refused, Reject
from tradeforge_testing.exchange.rows import EPOCH
from tradeforge_testing.exchange.script import Script
from tradeforge_testing.exchange.snapshot import Books


class Exchange:
    """Markets, accounts and orders in one process, without I/O and without time of its own.

    Nothing moves but by a call: `advance` is one step of every market. The same instruments,
    seed, clock and calls give the same events. An unknown account or instrument raises `Refused`
    everywhere.
    """

    def __init__(self, instruments: Iterable[Instrument], *, clock: Clock, seed: int = 0) -> None:
        self._clock = clock
        self._floor = Floor(instruments, seed=seed, now=clock.now())
        self._blotter = Blotter()
        self._ledger = Ledger()
        self._announcer = Announcer()
        self._matching = Matching(
            self._blotter,
            Brackets(self._blotter),
            self._ledger,
            self._floor,
            self._announcer,
            clock,
        )
        self._margins = Margins(self._floor, self._ledger, self._blotter)
        self._desk = Desk(self._matching, self._margins)
        self._script = Script(self._desk)
        self._movement = Movement(self._matching)
        self.instruments: Mapping[str, Instrument] = MappingProxyType(self._floor.instruments)

    def listen(self, listener: Callable[[ExchangeEvent], None]) -> Callable[[], None]:
        """Have the listener called with every event, in causal order; returns what ends that.

        A listener may call the exchange; what that causes is told after what is queued already.
        """
        return self._announcer.listen(listener)

    # Accounts

    def open_account(
        self,
        name: str,
        balance: Decimal,
        *,
        can_trade: bool = True,
        simulated: bool = True,
        auto_oco: bool = True,
        coins: Mapping[str, Decimal] | None = None,
    ) -> ExchangeAccount:
        return self._ledger.open_account(
            name,
            exact(balance),
            can_trade=can_trade,
            simulated=simulated,
            auto_oco=auto_oco,
            coins=coins or {},
        )

    def set_can_trade(self, account_id: int, can_trade: bool) -> ExchangeAccount:
        """Take orders of the account, or reject them from now on; its orders keep working."""
        account = evolve(self.account(account_id), can_trade=can_trade)
        return self._script.change_account(account)

    def set_auto_oco(self, account_id: int, auto_oco: bool) -> ExchangeAccount:
        """Take orders with a stop loss or a take profit, or reject them from now on."""
        account = evolve(self.account(account_id), auto_oco=auto_oco)
        return self._script.change_account(account)

    def accounts(self) -> list[ExchangeAccount]:
        """In ascending order of id."""
        return self._ledger.accounts()

    def account(self, account_id: int) -> ExchangeAccount:
        return self._ledger.account(account_id)

    def fills(self, account_id: int) -> list[Fill]:
        """In ascending order of id."""
        return self._ledger.fills(account_id)

    def positions(self, account_id: int) -> list[ExchangePosition]:
        """Those that are not flat, in ascending order of id."""
        return self._ledger.positions(account_id)

    # Orders

    def orders(self, account_id: int) -> list[ExchangeOrder]:
        """All there ever were, in ascending order of id."""
        return self._blotter.orders(self.account(account_id).id)

    def order(self, account_id: int, order_id: int) -> ExchangeOrder:
        return self._desk.order(account_id, order_id)

    def place(self, ticket: Ticket) -> ExchangeOrder:
        """The order as it stands when all that it set off has happened.

        A ticket with a fault becomes an order that is REJECTED, with the `reject`, and brings no
        legs. Legs go to work with the first fill of the order and grow with the next ones. The fill
        of one makes the other smaller; when one is complete, the other and what may be left of the
        order itself are cancelled.
        """
        return self._desk.place(ticket)

    def fault(self, ticket: Ticket) -> Reject | None:
        """Why `place` would reject the ticket now, None if it would not."""
        return self._desk.fault(ticket)

    def modify(
        self,
        account_id: int,
        order_id: int,
        *,
        size: int | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trail_price: Decimal | None = None,
    ) -> ExchangeOrder:
        """The order with what was given changed; `size` is the whole size, what is filled included.

        A smaller size keeps the place in the queue; a larger one or another price does not. A
        `trail_price` starts a trailing stop anew from the last trade.
        """
        return self._desk.modify(
            account_id,
            order_id,
            size=size,
            limit_price=limit_price,
            stop_price=stop_price,
            trail_price=trail_price,
        )

    def cancel(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, CANCELLED; also while the market is closed.

        An entry without a fill takes its legs with it; a leg leaves the other one alone.
        """
        order = self._desk.unfinished(account_id, order_id)
        return self._desk.end(order, OrderStatus.CANCELLED)

    def close_position(
        self, account_id: int, instrument_id: str, size: int | None = None
    ) -> ExchangeOrder:
        """The untagged market order that closes the position or `size` contracts of it.

        Orders that were to close it keep working.

        Like any placed order it comes back REJECTED where `place` would reject it.
        """
        account, market = self.account(account_id), self._floor.market(instrument_id)
        held = self._ledger.position_size(account.id, market.instrument.id)
        if not held:
            raise Refused(Reject.NO_POSITION)
        size = abs(held) if size is None else size
        if not is_size(size) or size > abs(held):
            raise Refused(Reject.BAD_CLOSE_SIZE)
        return self.place(
            Ticket(
                account_id=account_id,
                instrument_id=instrument_id,
                side=OrderSide.SELL if held > 0 else OrderSide.BUY,
                type=OrderType.MARKET,
                size=size,
            )
        )

    # Margin

    def leverage(self, account_id: int, instrument_id: str) -> Decimal:
        return self._margins.leverage(account_id, instrument_id)

    def set_leverage(self, account_id: int, instrument_id: str, leverage: Decimal) -> None:
        self._margins.set_leverage(self.account(account_id).id, instrument_id, leverage)

    def bound_by_orders(self, account_id: int, kind: Kind | None = None) -> Mapping[str, Decimal]:
        """By coin; "" is the account's own money. Of orders for one kind, or all."""
        return self._margins.of_orders(account_id, kind)

    def bound_by_positions(self, account_id: int) -> Mapping[str, Decimal]:
        """By coin; "" is the account's own money."""
        return self._margins.of_positions(account_id)

    def margin(self, position: ExchangePosition) -> Decimal:
        return self._margins.of_position(position)

    # What a script does to an order

    def fill_order(
        self,
        account_id: int,
        order_id: int,
        size: int | None = None,
        price: Decimal | None = None,
    ) -> ExchangeOrder:
        """Fill the order or `size` contracts of it, by default at its own price.

        That is the limit, the trigger, or the best price of the other side. Nothing is printed,
        and the market does not notice. Legs that this sets off wait for an open market.
        """
        return self._script.fill(account_id, order_id, size, price)

    def reject_order(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, REJECTED, though it was taken; one that has fills is refused."""
        return self._script.reject(account_id, order_id)

    def expire_order(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, EXPIRED."""
        return self._script.expire(account_id, order_id)

    def lose_legs(
        self,
        account_id: int,
        *,
        stop_loss: bool = True,
        take_profit: bool = True,
        count: int = 1,
    ) -> None:
        """Take the next `count` entries of the account without these legs, and say nothing of it.

        Entries that bring no legs do not count.
        """
        lost = {"stop_loss": stop_loss, "take_profit": take_profit}
        self._script.lose_legs(account_id, [leg for leg, is_lost in lost.items() if is_lost], count)

    def void_fill(self, account_id: int, fill_id: int) -> Fill:
        """The fill, voided: position, profits and balance are as if it had not been.

        Told again is also every later fill that realises something else now. The order keeps what
        it was filled, and no other order changes.
        """
        self._script.void(account_id, fill_id)
        return next(each for each in self.fills(account_id) if each.id == fill_id)

    # Market data

    def quote(self, instrument_id: str) -> Quote:
        return self._floor.market(instrument_id).quote

    def depth(self, instrument_id: str) -> tuple[list[Level], list[Level]]:
        """Bids and asks, the best of each first."""
        return self._floor.market(instrument_id).depth()

    def bars(
        self, instrument_id: str, *, start: datetime, end: datetime, seconds: int, limit: int
    ) -> list[Bar]:
        """The newest `limit` bars that open from `start` up to, not including, `end`, ascending.

        They open at multiples of `seconds` since the epoch; the last may still be forming. A year
        before the exchange was made is there; a span without a trade has no bar.
        """
        if seconds < 1 or limit < 1:
            raise ValueError(f"seconds and limit must be above zero: {seconds}, {limit}")
        return self._floor.market(instrument_id).bars(
            _next_second(start), _next_second(end), seconds, limit
        )

    # What moves the market

    @property
    def market_open(self) -> bool:
        """Whether orders are taken and the market moves; it is open at first."""
        return self._floor.is_session_open

    def open_market(self) -> None:
        self._floor.is_session_open = True
        for market in self._floor.markets():
            self._matching.settle(market)

    def close_market(self) -> None:
        """Halt everything; orders keep resting and can be cancelled."""
        self._floor.is_session_open = False

    def halt(self, instrument_id: str) -> None:
        """Close the market of one instrument."""
        self._floor.halt(instrument_id)

    def resume(self, instrument_id: str) -> None:
        """End the halt; a market that is closed as a whole stays closed."""
        self._floor.resume(instrument_id)
        self._matching.settle(self._floor.market(instrument_id))

    def is_halted(self, instrument_id: str) -> bool:
        return self._floor.is_halted(instrument_id)

    def add_instrument(self, instrument: Instrument) -> None:
        """List another instrument, which trades from its start price."""
        self._floor.add(instrument, self._clock.now())

    def expire_contract(self, instrument_id: str) -> None:
        """End trading for good: its orders expire, positions in it stay as they are."""
        self._script.expire_contract(self._floor.market(instrument_id))

    def roll(self, instrument_id: str, to: Instrument) -> None:
        """Expire the contract and list the one that follows it."""
        self._script.roll(self._floor.market(instrument_id), to)

    def advance(self) -> None:
        """One step of every active market; nothing while the market is closed."""
        for market in self._floor.markets():
            if self._floor.is_open(market):
                self._movement.step(market)

    def move_to(self, instrument_id: str, price: Decimal) -> None:
        """Trade up or down to the price, filling and triggering all that lies on the way.

        Orders that rest at the price itself are filled too. Ends with a print at the price.
        """
        market = self._floor.market(instrument_id)
        target = market.instrument.to_ticks(exact(price))
        if not market.instrument.active:
            raise Refused(Reject.INACTIVE_INSTRUMENT)
        if not self._floor.is_open(market):
            raise Refused(Reject.MARKET_CLOSED)
        self._movement.walk(market, target)

    # All of it

    def snapshot(self) -> dict[str, object]:
        """All there is to know, in values that JSON has; decimals and times are texts."""
        return Books(self._floor, self._ledger, self._blotter).snapshot(self._clock.now())


def _next_second(time: datetime) -> int:
    """The first full second since the epoch that is not before `time`."""
    return -((EPOCH - time) // timedelta(seconds=1))
