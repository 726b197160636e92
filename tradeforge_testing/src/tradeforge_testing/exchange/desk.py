"""Where orders are handed in, changed and taken back."""

from decimal import Decimal

from attrs import evolve, frozen

from tradeforge_core.enums import OrderStatus, OrderType
from tradeforge_testing.exchange.amendments import Amendment, find_amendment_fault
from tradeforge_testing.exchange.brackets import tags
from tradeforge_testing.exchange.checks import Situation, find_fault, is_size
from tradeforge_testing.exchange.events import OrderChanged
from tradeforge_testing.exchange.margins import Margins
from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.matching import Matching
from tradeforge_testing.exchange.records import ExchangeOrder, Ticket
from tradeforge_testing.exchange.refusal import Refused, Reject
from tradeforge_testing.exchange.trailing import trailing


@frozen
class Desk:
    """Asks what is wrong with a request, and hands what is good to the matching."""

    matching: Matching
    margins: Margins

    def order(self, account_id: int, order_id: int) -> ExchangeOrder:
        account = self.matching.ledger.account(account_id)
        return self.matching.blotter.order(account.id, order_id)

    def unfinished(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The order, if anything can still become of it."""
        order = self.order(account_id, order_id)
        if order.status.is_final:
            raise Refused(Reject.ORDER_NOT_WORKING)
        return order

    def market_of(self, order: ExchangeOrder) -> Market:
        return self.matching.floor.market(order.instrument_id)

    # Place

    def place(self, ticket: Ticket) -> ExchangeOrder:
        """The order as it stands when all that it set off has happened."""
        fault = self.fault(ticket)
        order = self.matching.blotter.create(ticket, self.matching.clock.now())
        if fault is not None:
            return self._reject(order, fault)
        market = self.market_of(order)
        order = self.matching.blotter.keep(_accepted(order, ticket, market))
        stop_loss, take_profit = self.matching.brackets.create(order, ticket)
        for each in (stop_loss, order, take_profit):
            if each is not None:
                self.matching.announcer.tell(OrderChanged(each))
        self.matching.put_to_work(market, order)
        return self.matching.blotter.current(order.id)

    def fault(self, ticket: Ticket) -> Reject | None:
        """Why the ticket would be rejected now, None if it would not."""
        return find_fault(self._situation(ticket))

    def _situation(self, ticket: Ticket) -> Situation:
        floor, ledger = self.matching.floor, self.matching.ledger
        account, market = ledger.account(ticket.account_id), floor.market(ticket.instrument_id)
        knows = self.matching.blotter.knows_tag
        held = ledger.position_size(account.id, market.instrument.id, ticket.hedge_side)
        coin, need = self.margins.need(ticket, held) if is_size(ticket.size) else ("", Decimal(0))
        return Situation(
            ticket=ticket,
            account=account,
            instrument=market.instrument,
            market_open=floor.is_open(market),
            tag_is_known=any(knows(account.id, tag) for tag in tags(ticket)),
            position_size=held,
            has_last=market.has_last,
            last_ticks=market.tape.last,
            available=self.margins.available(account.id, coin) if need else Decimal(0),
            need=need,
        )

    def _reject(self, order: ExchangeOrder, fault: Reject) -> ExchangeOrder:
        self.matching.announcer.tell(OrderChanged(order))
        rejected = evolve(order, status=OrderStatus.REJECTED, reject=fault)
        order = self.matching.change(rejected)
        self.matching.announcer.flush()
        return order

    # Modify and end

    def modify(
        self,
        account_id: int,
        order_id: int,
        *,
        size: int | None,
        limit_price: Decimal | None,
        stop_price: Decimal | None,
        trail_price: Decimal | None,
    ) -> ExchangeOrder:
        order = self.order(account_id, order_id)
        market = self.market_of(order)
        amendment = Amendment(
            order=order,
            instrument=market.instrument,
            rests=market.rests(order_id),
            market_open=self.matching.floor.is_open(market),
            last_ticks=market.tape.last,
            size=size,
            limit_price=limit_price,
            stop_price=stop_price,
            trail_price=trail_price,
        )
        if (fault := find_amendment_fault(amendment)) is not None:
            raise Refused(fault)
        self.matching.amend(market, amendment)
        return self.matching.blotter.current(order_id)

    def end(self, order: ExchangeOrder, status: OrderStatus) -> ExchangeOrder:
        """The order with that last status, out of the market."""
        market = self.market_of(order)
        order = self.matching.end(market, order, status)
        self.matching.settle(market)
        return order


def _accepted(order: ExchangeOrder, ticket: Ticket, market: Market) -> ExchangeOrder:
    """The order that a good ticket becomes: a market order is PENDING until it trades."""
    if order.type is OrderType.MARKET:
        return order
    order = evolve(order, status=OrderStatus.WORKING)
    if order.type is OrderType.TRAILING_STOP and ticket.trail_price is not None:
        return trailing(order, market.instrument, ticket.trail_price, market.tape.last)
    if order.type in _JOINS:
        price = market.instrument.to_price(max(1, _JOINS[order.type](market)))
        return evolve(order, limit_price=price)
    return order


_JOINS = {OrderType.JOIN_BID: Market.bid, OrderType.JOIN_ASK: Market.ask}
