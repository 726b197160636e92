"""Orders meet the book: every trade there is happens here."""

from attrs import frozen

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange.amendments import Amendment
from tradeforge_testing.exchange.announcer import Announcer
from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.book import Offer
from tradeforge_testing.exchange.events import MarketTrade, OrderChanged
from tradeforge_testing.exchange.ledger import Ledger
from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.records import ExchangeOrder
from tradeforge_testing.exchange.rows import to_second


@frozen
class Matching:
    """Puts orders to work and lets takers trade.

    Listeners are told between two takers, never while one trades; what they do then (cancel the
    other leg, place the next order) is in force before the next taker.
    """

    blotter: Blotter
    ledger: Ledger
    announcer: Announcer
    clock: Clock

    def put_to_work(self, market: Market, order: ExchangeOrder) -> None:
        """Let the order trade, wait in the book, or wait for its trigger."""
        if order.type is OrderType.STOP:
            assert order.stop_price is not None  # checked when it was placed
            ticks = market.instrument.to_ticks(order.stop_price)
            market.stops.add(order.side, ticks, order.id)
        else:
            self._take(market, order)
        self.settle(market)

    def withdraw(self, market: Market, order_id: int) -> bool:
        """Take the order out of the market; False if it is not in it."""
        if order_id in market.takers:
            market.takers.remove(order_id)
            return True
        return market.book.withdraw(order_id) or market.stops.withdraw(order_id)

    def trade(self, market: Market, side: OrderSide, limit: int, size: int) -> None:
        """Let the crowd take up to `size` at `limit` or better."""
        while size and (offer := market.book.offer(side.opposite, limit)):
            taken = min(size, offer.size)
            self._trade(market, side, offer, taken, None)
            size -= taken
        self.settle(market)

    def settle(self, market: Market) -> None:
        """Show what happened, and let the takers that wait trade as long as they can."""
        self._publish(market)
        while (order_id := self._pop_taker(market)) is not None:
            self._take(market, self.blotter.current(order_id))
            self._publish(market)

    def _publish(self, market: Market) -> None:
        for event in market.publish(self.clock.now()):
            self.announcer.tell(event)
        self.announcer.flush()

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
        while order.remaining_size and (offer := market.book.offer(order.side.opposite, limit)):
            size = min(order.remaining_size, offer.size)
            self._trade(market, order.side, offer, size, order.id)
            order = self.blotter.current(order.id)
        if not order.remaining_size:
            return
        if limit is None:
            market.takers.append(order.id)
        else:
            market.book.rest(order.side, limit, order.id, order.remaining_size)

    def _limit(self, market: Market, order: ExchangeOrder) -> int | None:
        if order.type is not OrderType.LIMIT or order.limit_price is None:
            return None
        return market.instrument.to_ticks(order.limit_price)

    def _trade(
        self, market: Market, side: OrderSide, offer: Offer, size: int, taker: int | None
    ) -> None:
        """One match: a fill for each user in it, a print, and the stops that it sets off."""
        market.book.take(side.opposite, offer, size)
        for order_id in (taker, offer.order_id):
            if order_id is not None:
                self._fill(market, order_id, offer.ticks, size)
        self._print(market, side, offer.ticks, size)
        market.takers.extend(market.stops.pop_triggered(offer.ticks))

    def _fill(self, market: Market, order_id: int, ticks: int, size: int) -> None:
        order = self.blotter.fill(order_id, market.instrument, ticks, size)
        posting = self.ledger.post(order, market.instrument, ticks, size, self.clock.now())
        self.announcer.tell(posting.fill)
        self.announcer.tell(OrderChanged(order))
        self.announcer.tell(posting.position)
        self.announcer.tell(posting.account)

    def _print(self, market: Market, side: OrderSide, ticks: int, size: int) -> None:
        now, instrument = self.clock.now(), market.instrument
        market.tape.record(to_second(now), ticks, size)
        price = instrument.to_price(ticks)
        self.announcer.tell(MarketTrade(instrument.id, price, size, side, now))

    def amend(self, market: Market, amendment: Amendment) -> None:
        """Write the new values down and let the order find its place again."""
        amended = amendment.amended()
        if amended == amendment.order:
            return
        if amendment.keeps_place:
            market.book.shrink(amended.id, amended.remaining_size)
            self.change(amended)
            self.settle(market)
        else:
            self.withdraw(market, amended.id)
            self.put_to_work(market, self.change(amended))

    def change(self, order: ExchangeOrder) -> ExchangeOrder:
        """Write down how the order is now and tell of it."""
        changed = self.blotter.change(order, self.clock.now())
        self.announcer.tell(OrderChanged(changed))
        return changed
