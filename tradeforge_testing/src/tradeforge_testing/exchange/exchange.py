"""The exchange itself: what can be asked of it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from attrs import evolve

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import exact
from tradeforge_testing.exchange.amendments import Amendment, find_amendment_fault
from tradeforge_testing.exchange.announcer import Announcer
from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.checks import Situation, find_fault, is_size
from tradeforge_testing.exchange.events import ExchangeEvent, OrderChanged
from tradeforge_testing.exchange.ledger import Ledger
from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.matching import Matching
from tradeforge_testing.exchange.records import (
    Bar,
    ExchangeAccount,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    Instrument,
    Level,
    Quote,
    Ticket,
)
from tradeforge_testing.exchange.refusal import Refused, Reject
from tradeforge_testing.exchange.rows import EPOCH


class Exchange:
    """Markets, accounts and orders in one process, without I/O and without time of its own.

    Nothing moves but by a call: `advance` is one step of every market. The same instruments,
    seed, clock and calls give the same events. An unknown account or instrument raises `Refused`
    everywhere.
    """

    def __init__(self, instruments: Iterable[Instrument], *, clock: Clock, seed: int = 0) -> None:
        listed, now = list(instruments), clock.now()
        self._clock = clock
        self._open = True
        self._blotter = Blotter()
        self._ledger = Ledger()
        self._announcer = Announcer()
        self._matching = Matching(self._blotter, self._ledger, self._announcer, clock)
        self._markets = {each.id: Market(each, seed=seed, now=now) for each in listed}
        if len(self._markets) < len(listed):
            raise ValueError("two instruments have the same id")
        self.instruments: Mapping[str, Instrument] = MappingProxyType(
            {each.id: each for each in listed}
        )

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
    ) -> ExchangeAccount:
        return self._ledger.open_account(
            name, exact(balance), can_trade=can_trade, simulated=simulated, auto_oco=auto_oco
        )

    def set_can_trade(self, account_id: int, can_trade: bool) -> ExchangeAccount:
        raise NotImplementedError

    def set_auto_oco(self, account_id: int, auto_oco: bool) -> ExchangeAccount:
        """Take orders with a stop loss or a take profit, or refuse them from now on."""
        raise NotImplementedError

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
        return self._blotter.order(self.account(account_id).id, order_id)

    def place(self, ticket: Ticket) -> ExchangeOrder:
        """The order as it stands when all that it set off has happened.

        A ticket with a fault becomes an order that is REJECTED, with the `reject`.
        """
        situation = self._situation(ticket)
        fault = find_fault(situation)
        order = self._blotter.create(ticket, self._clock.now())
        if fault is not None:
            return self._reject(order, fault)
        if order.type is OrderType.MARKET:
            self._announcer.tell(OrderChanged(order))
        else:
            order = self._matching.change(evolve(order, status=OrderStatus.WORKING))
        self._matching.put_to_work(self._market(order.instrument_id), order)
        return self._blotter.current(order.id)

    def _situation(self, ticket: Ticket) -> Situation:
        account, market = self.account(ticket.account_id), self._market(ticket.instrument_id)
        return Situation(
            ticket=ticket,
            account=account,
            instrument=market.instrument,
            market_open=self._open,
            tag_is_known=self._blotter.knows_tag(account.id, ticket.tag),
            position_size=self._ledger.position_size(account.id, market.instrument.id),
            last_ticks=market.tape.last,
        )

    def _reject(self, order: ExchangeOrder, fault: Reject) -> ExchangeOrder:
        self._announcer.tell(OrderChanged(order))
        order = self._matching.change(evolve(order, status=OrderStatus.REJECTED, reject=fault))
        self._announcer.flush()
        return order

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

        A smaller size keeps the place in the queue; a larger one or another price does not.
        """
        if trail_price is not None:
            raise NotImplementedError
        order = self.order(account_id, order_id)
        market = self._market(order.instrument_id)
        amendment = Amendment(
            order=order,
            instrument=market.instrument,
            rests=market.rests(order_id),
            market_open=self._open,
            last_ticks=market.tape.last,
            size=size,
            limit_price=limit_price,
            stop_price=stop_price,
        )
        if (fault := find_amendment_fault(amendment)) is not None:
            raise Refused(fault)
        self._matching.amend(market, amendment)
        return self._blotter.current(order_id)

    def cancel(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, CANCELLED; also while the market is closed."""
        order = self.order(account_id, order_id)
        if not self._matching.withdraw(self._market(order.instrument_id), order_id):
            raise Refused(Reject.ORDER_NOT_WORKING)
        order = self._matching.change(evolve(order, status=OrderStatus.CANCELLED))
        self._matching.settle(self._market(order.instrument_id))
        return order

    def close_position(
        self, account_id: int, instrument_id: str, size: int | None = None
    ) -> ExchangeOrder:
        """The untagged market order that closes the position or `size` contracts of it.

        Like any placed order it comes back REJECTED where `place` would reject it.
        """
        account, market = self.account(account_id), self._market(instrument_id)
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

    # What a script does to an order

    def fill_order(
        self,
        account_id: int,
        order_id: int,
        size: int | None = None,
        price: Decimal | None = None,
    ) -> ExchangeOrder:
        """Fill the order or `size` contracts of it, by default at its own price.

        Nothing is printed, and the market does not notice.
        """
        raise NotImplementedError

    def reject_order(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, REJECTED, though it was taken; one that has fills is refused."""
        raise NotImplementedError

    def expire_order(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, EXPIRED."""
        raise NotImplementedError

    def void_fill(self, account_id: int, fill_id: int) -> Fill:
        """The fill, voided: position, profits and balance are as if it had not been.

        The order keeps what it was filled, and no other order changes.
        """
        raise NotImplementedError

    # Market data

    def quote(self, instrument_id: str) -> Quote:
        return self._market(instrument_id).quote

    def depth(self, instrument_id: str) -> tuple[list[Level], list[Level]]:
        """Bids and asks, the best of each first."""
        return self._market(instrument_id).depth()

    def bars(
        self, instrument_id: str, *, start: datetime, end: datetime, seconds: int, limit: int
    ) -> list[Bar]:
        """The newest `limit` bars that open from `start` up to, not including, `end`, ascending.

        They open at multiples of `seconds` since the epoch; the last may still be forming. A year
        before the exchange was made is there; a span without a trade has no bar.
        """
        if seconds < 1 or limit < 1:
            raise ValueError(f"seconds and limit must be above zero: {seconds}, {limit}")
        return self._market(instrument_id).bars(
            _next_second(start), _next_second(end), seconds, limit
        )

    def _market(self, instrument_id: str) -> Market:
        try:
            return self._markets[instrument_id]
        except KeyError:
            raise Refused(Reject.UNKNOWN_INSTRUMENT) from None

    # What moves the market

    @property
    def market_open(self) -> bool:
        """Whether orders are taken and the market moves; it is open at first."""
        return self._open

    def open_market(self) -> None:
        self._open = True

    def close_market(self) -> None:
        """Halt everything; orders keep resting and can be cancelled."""
        self._open = False

    def halt(self, instrument_id: str) -> None:
        """Close the market of one instrument."""
        raise NotImplementedError

    def resume(self, instrument_id: str) -> None:
        """End the halt; a market that is closed as a whole stays closed."""
        raise NotImplementedError

    def is_halted(self, instrument_id: str) -> bool:
        raise NotImplementedError

    def add_instrument(self, instrument: Instrument) -> None:
        """List another instrument, which trades from its start price."""
        raise NotImplementedError

    def expire_contract(self, instrument_id: str) -> None:
        """End trading for good: its orders expire, positions in it stay as they are."""
        raise NotImplementedError

    def roll(self, instrument_id: str, to: Instrument) -> None:
        """Expire the contract and list the one that follows it."""
        raise NotImplementedError

    def snapshot(self) -> dict[str, object]:
        """All there is to know, in values that JSON has; decimals and times are texts."""
        raise NotImplementedError

    def advance(self) -> None:
        """One step of every active market; nothing while the market is closed."""
        for market in self._markets.values():
            if self._open and market.instrument.active:
                self._step(market)

    def _step(self, market: Market) -> None:
        market.crowd.wander(market.tape.last)
        self._matching.settle(market)
        impulse = market.crowd.impulse()
        if impulse is None:
            return
        best = market.book.best(impulse.side.opposite)
        if best is not None:
            self._matching.trade(market, impulse.side, best, impulse.size)

    def move_to(self, instrument_id: str, price: Decimal) -> None:
        """Trade up or down to the price, filling and triggering all that lies on the way.

        Orders that rest at the price itself are filled too. Ends with a print at the price.
        """
        market = self._market(instrument_id)
        target = market.instrument.to_ticks(exact(price))
        if not market.instrument.active:
            raise Refused(Reject.INACTIVE_INSTRUMENT)
        if not self._open:
            raise Refused(Reject.MARKET_CLOSED)
        while self._move_on(market, target) != target:
            pass

    def _move_on(self, market: Market, target: int) -> int:
        """Trade at the next price on the way where something happens; the last price then."""
        side = market.heading(target)
        station = market.next_station(side, target)
        market.crowd.stand(side, station)
        self._matching.settle(market)
        waiting = market.book.users_size(side.opposite, station)
        self._matching.trade(market, side, station, waiting + 1)
        return market.tape.last


def _next_second(time: datetime) -> int:
    """The first full second since the epoch that is not before `time`."""
    return -((EPOCH - time) // timedelta(seconds=1))
