"""Orders meet the book: every trade there is happens here."""

from collections.abc import Sequence

from attrs import evolve, frozen

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType, TimeInForce
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange.amendments import Amendment
from tradeforge_testing.exchange.announcer import Announcer
from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.book import Offer
from tradeforge_testing.exchange.brackets import Brackets
from tradeforge_testing.exchange.checks import closable
from tradeforge_testing.exchange.events import MarketTrade, OrderChanged
from tradeforge_testing.exchange.floor import Floor
from tradeforge_testing.exchange.ledger import Ledger
from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.order_types import LIMITS, STOPS
from tradeforge_testing.exchange.records import ExchangeOrder
from tradeforge_testing.exchange.refusal import Reject
from tradeforge_testing.exchange.rows import to_second

_LIMITED = LIMITS | {OrderType.STOP_LIMIT}
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


@frozen
class Matching:
    """Puts orders to work and lets takers trade.

    Listeners are told between two takers, never while one trades; what they do then (cancel the
    other leg, place the next order) is in force before the next taker.
    """

    blotter: Blotter
    brackets: Brackets
    ledger: Ledger
    floor: Floor
    announcer: Announcer
    clock: Clock

    def put_to_work(self, market: Market, order: ExchangeOrder) -> None:
        """Let the order trade, wait in the book, or wait for its trigger."""
        self._enter(market, order)
        self.settle(market)

    def _enter(self, market: Market, order: ExchangeOrder) -> None:
        if order.type in STOPS and not order.triggered:
            self._arm(market, order)
        else:
            self._take(market, order)

    def _arm(self, market: Market, order: ExchangeOrder) -> None:
        assert order.stop_price is not None  # checked when it was placed
        ticks = market.instrument.to_ticks(order.stop_price)
        market.stops.add(order.direction, ticks, order.id, order.trail_ticks)
        # The leg of an entry may find the market beyond its trigger already.
        self._trigger(market)

    def _trigger(self, market: Market) -> None:
        """Have the stops that the last trade reached take what the book offers."""
        for order_id in market.stops.pop_triggered(market.tape.last):
            order = self.blotter.current(order_id)
            if order.rising is not None:
                self.change(evolve(order, triggered=True))
            market.takers.append(order_id)

    def withdraw(self, market: Market, order_id: int) -> None:
        """Take the order out of the market, if it is in it."""
        if order_id in market.takers:
            market.takers.remove(order_id)
        elif not market.book.withdraw(order_id):
            market.stops.withdraw(order_id)

    def trade(self, market: Market, side: OrderSide, limit: int, size: int) -> None:
        """Let the crowd take up to `size` at `limit` or better."""
        while size and (offer := market.book.offer(side.opposite, limit)):
            taken = min(size, offer.size)
            self._trade(market, side, offer, taken, None)
            size -= taken
        self.settle(market)

    def settle(self, market: Market) -> None:
        """Show what happened, and let legs and takers that wait go to work as long as they can."""
        self._publish(market)
        while self.floor.is_open(market) and self._work_next(market):
            self._publish(market)

    def _publish(self, market: Market) -> None:
        for event in market.publish(self.clock.now()):
            self.announcer.tell(event)
        self.announcer.flush()

    def _work_next(self, market: Market) -> bool:
        """Let the next one trade that can; False if there is none."""
        if market.due:
            self._cover(market, market.due.pop(0))
            return True
        order_id = self._pop_taker(market)
        if order_id is not None:
            self._take(market, self.blotter.current(order_id))
        return order_id is not None

    def _pop_taker(self, market: Market) -> int | None:
        """The oldest waiting taker for which the book has something."""
        for order_id in market.takers:
            side = self.blotter.current(order_id).side
            if market.book.best(side.opposite) is not None:
                market.takers.remove(order_id)
                return order_id
        return None

    def _take(self, market: Market, order: ExchangeOrder) -> None:
        """Trade what the book offers within the order's limit; the rest of it waits."""
        limit = self._limit(market, order)
        order = self._qualify(market, order, limit)
        while not order.status.is_final and (
            offer := market.book.offer(order.side.opposite, limit)
        ):
            size = min(order.remaining_size, offer.size)
            self._trade(market, order.side, offer, size, order.id)
            order = self.blotter.current(order.id)
        if order.status.is_final:
            return
        if order.time_in_force in _AT_ONCE:
            self._give_up(market, order, Reject.NOT_FILLED_AT_ONCE)
        elif limit is None:
            market.takers.append(order.id)
        else:
            market.book.rest(order.side, limit, order.id, order.remaining_size)

    def _qualify(self, market: Market, order: ExchangeOrder, limit: int | None) -> ExchangeOrder:
        """The order, cancelled if it may not trade as it would, no larger than what it reduces."""
        offer = market.book.offer(order.side.opposite, limit)
        if order.post_only and offer is not None:
            return self._give_up(market, order, Reject.POST_ONLY_CROSSES)
        if order.time_in_force is TimeInForce.FOK:
            offered = market.book.size_within(order.side.opposite, limit)
            if offered < order.remaining_size:
                return self._give_up(market, order, Reject.NOT_FILLED_AT_ONCE)
        return self._reduced(market, order) if order.reduce_only else order

    def _give_up(self, market: Market, order: ExchangeOrder, reason: Reject) -> ExchangeOrder:
        return self.end(market, evolve(order, reject=reason), OrderStatus.CANCELLED)

    def _reduced(self, market: Market, order: ExchangeOrder) -> ExchangeOrder:
        """The order as large as the position at most; cancelled if there is none."""
        held = self.ledger.position_size(order.account_id, order.instrument_id, order.hedge_side)
        most = closable(order.side, held)
        if not most:
            return self._give_up(market, order, Reject.REDUCE_ONLY)
        if order.remaining_size <= most:
            return order
        return self.change(evolve(order, size=order.filled_size + most))

    def _reduce_others(self, market: Market, filled: Sequence[int]) -> None:
        """Keep what rests, and only reduces, within the positions that the fills have left."""
        accounts = {self.blotter.current(each).account_id for each in filled}
        for order in self.blotter.reducing(market.instrument.id, accounts):
            if order.id in market.book:
                reduced = self._reduced(market, order)
                if not reduced.status.is_final:
                    market.book.shrink(order.id, reduced.remaining_size)

    def _limit(self, market: Market, order: ExchangeOrder) -> int | None:
        if order.type not in _LIMITED or order.limit_price is None:
            return None
        return market.instrument.to_ticks(order.limit_price)

    def _trade(
        self, market: Market, side: OrderSide, offer: Offer, size: int, taker: int | None
    ) -> None:
        """One match: a fill for each user in it, a print, and the stops that it sets off."""
        market.book.take(side.opposite, offer, size)
        filled = [each for each in (taker, offer.order_id) if each is not None]
        for order_id in filled:
            self._fill(market, order_id, offer.ticks, size, maker=order_id != taker)
        self._print(market, side, offer.ticks, size)
        self._trigger(market)
        self._trail(market)
        self._reduce_others(market, filled)
        # Only now: the two may be of one family, and both have traded.
        for order_id in filled:
            self._tell_family(market, order_id, size)

    def fill_apart(self, market: Market, order: ExchangeOrder, ticks: int, size: int) -> None:
        """Fill the order from outside: the market does not see the trade."""
        if size == order.remaining_size:
            self.withdraw(market, order.id)
        elif order.id in market.book:
            market.book.shrink(order.id, order.remaining_size - size)
        self._fill(market, order.id, ticks, size, maker=order.type in LIMITS)
        self._reduce_others(market, [order.id])
        self._tell_family(market, order.id, size)
        self.settle(market)

    def _fill(self, market: Market, order_id: int, ticks: int, size: int, *, maker: bool) -> None:
        order = self.blotter.fill(order_id, market.instrument, ticks, size)
        now = self.clock.now()
        posting = self.ledger.post(order, market.instrument, ticks, size, now, maker=maker)
        self.announcer.tell(posting.fill)
        self.announcer.tell(OrderChanged(order))
        if posting.position is not None:
            self.announcer.tell(posting.position)
        self.announcer.tell(posting.account)

    def _print(self, market: Market, side: OrderSide, ticks: int, size: int) -> None:
        now, instrument = self.clock.now(), market.instrument
        market.tape.record(to_second(now), ticks, size)
        price = instrument.to_price(ticks)
        self.announcer.tell(MarketTrade(instrument.id, price, size, side, now))

    def _trail(self, market: Market) -> None:
        """Have the trailing stops follow the last trade; that is no change of the user's."""
        for order_id, ticks in market.stops.follow(market.tape.last).items():
            order = self.blotter.current(order_id)
            moved = evolve(order, stop_price=market.instrument.to_price(ticks))
            self.announcer.tell(OrderChanged(self.blotter.keep(moved)))

    # Families

    def _tell_family(self, market: Market, order_id: int, size: int) -> None:
        """Have the legs follow the fill of their entry, and the others that of a leg."""
        if self.brackets.has_legs(order_id) and order_id not in market.due:
            market.due.append(order_id)
        for other in self.brackets.after_exit(self.blotter.current(order_id), size):
            self._narrow(market, other)

    def _cover(self, market: Market, entry_id: int) -> None:
        """Let the legs work for all that the entry has filled, told the take profit first."""
        legs = [self.change(leg) for leg in self.brackets.cover(entry_id, market.instrument)[::-1]]
        # Stops first: they only wait, and are there to be cancelled if the limit fills at once.
        for leg in sorted(legs, key=lambda leg: leg.type in LIMITS):
            if leg.id not in market.takers:
                self.withdraw(market, leg.id)
                self._enter(market, leg)

    def _narrow(self, market: Market, order: ExchangeOrder) -> None:
        """Give the order the smaller size or the end that the fill of another leaves it."""
        if order.status is OrderStatus.CANCELLED:
            self.end(market, order, OrderStatus.CANCELLED)
            return
        self.change(order)
        if order.id in market.book:
            market.book.shrink(order.id, order.remaining_size)

    def end(self, market: Market, order: ExchangeOrder, status: OrderStatus) -> ExchangeOrder:
        """Take the order out of the market for good, and with it what only waited for it."""
        self.withdraw(market, order.id)
        ended = self.change(evolve(order, status=status))
        for leg in self.brackets.held_back(ended):
            self.end(market, leg, OrderStatus.CANCELLED)
        return ended

    def amend(self, market: Market, amendment: Amendment) -> None:
        """Write the new values down and let the order find its place again."""
        amended = amendment.amended()
        if amended == amendment.order:
            return
        if amendment.keeps_place:
            market.book.shrink(amended.id, amended.remaining_size)
            self._change_with_legs(amended)
            self.settle(market)
        else:
            self.withdraw(market, amended.id)
            self.put_to_work(market, self._change_with_legs(amended))

    def _change_with_legs(self, order: ExchangeOrder) -> ExchangeOrder:
        """Write the order down; legs that wait for it are as large as it is."""
        changed = self.change(order)
        for leg in self.brackets.held_back(changed):
            if leg.size != changed.size:
                self.change(evolve(leg, size=changed.size))
        return changed

    def change(self, order: ExchangeOrder) -> ExchangeOrder:
        """Write down how the order is now and tell of it."""
        changed = self.blotter.change(order, self.clock.now())
        self.announcer.tell(OrderChanged(changed))
        return changed
