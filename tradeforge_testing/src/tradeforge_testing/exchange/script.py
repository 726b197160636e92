"""What a script does to orders and accounts that nobody at a market could."""

from collections.abc import Iterable
from decimal import Decimal

from attrs import evolve, frozen

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_core.models import exact
from tradeforge_testing.exchange.checks import is_size
from tradeforge_testing.exchange.desk import Desk
from tradeforge_testing.exchange.events import AccountChanged
from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.order_types import STOPS
from tradeforge_testing.exchange.records import ExchangeAccount, ExchangeOrder, Instrument
from tradeforge_testing.exchange.refusal import Refused, Reject


@frozen
class Script:
    desk: Desk

    def fill(
        self, account_id: int, order_id: int, size: int | None, price: Decimal | None
    ) -> ExchangeOrder:
        matching, order = self.desk.matching, self.desk.unfinished(account_id, order_id)
        if order.status is OrderStatus.SUSPENDED:
            raise Refused(Reject.ORDER_NOT_WORKING)
        size = order.remaining_size if size is None else size
        if not is_size(size) or size > order.remaining_size:
            raise Refused(Reject.BAD_SIZE)
        market = self.desk.market_of(order)
        price = _own_price(order, market) if price is None else exact(price)
        matching.fill_apart(market, order, market.instrument.to_ticks(price), size)
        return matching.blotter.current(order_id)

    def reject(self, account_id: int, order_id: int) -> ExchangeOrder:
        order = self.desk.unfinished(account_id, order_id)
        if order.filled_size:
            raise Refused(Reject.ORDER_NOT_WORKING)
        rejected = evolve(order, reject=Reject.REJECTED_BY_VENUE)
        return self.desk.end(rejected, OrderStatus.REJECTED)

    def expire(self, account_id: int, order_id: int) -> ExchangeOrder:
        return self.desk.end(self.desk.unfinished(account_id, order_id), OrderStatus.EXPIRED)

    def lose_legs(self, account_id: int, legs: Iterable[str], count: int) -> None:
        account = self.desk.matching.ledger.account(account_id)
        self.desk.matching.brackets.lose(account.id, legs, count)

    def expire_contract(self, market: Market) -> None:
        """The instrument becomes inactive, and all its orders end."""
        matching = self.desk.matching
        matching.floor.retire(market)
        for order in matching.blotter.unfinished(market.instrument.id):
            current = matching.blotter.current(order.id)
            if not current.status.is_final:  # as a leg may be when its entry has just ended
                matching.end(market, current, OrderStatus.EXPIRED)
        matching.settle(market)

    def roll(self, market: Market, to: Instrument) -> None:
        matching = self.desk.matching
        matching.floor.add(to, matching.clock.now())
        self.expire_contract(market)

    def change_account(self, account: ExchangeAccount) -> ExchangeAccount:
        """Keep the account as it is given, and tell of it if that is news."""
        matching = self.desk.matching
        if account != matching.ledger.account(account.id):
            matching.announcer.tell(AccountChanged(matching.ledger.change(account)))
            matching.announcer.flush()
        return account

    def void(self, account_id: int, fill_id: int) -> None:
        matching = self.desk.matching
        for event in matching.ledger.void(account_id, fill_id, matching.floor.instruments):
            matching.announcer.tell(event)
        matching.announcer.flush()


def _own_price(order: ExchangeOrder, market: Market) -> Decimal:
    """Its limit, its trigger or, if it has neither, the best price of the other side."""
    given = order.stop_price if order.type in STOPS else order.limit_price
    if order.type is not OrderType.MARKET and given is not None:
        return given
    ticks = market.ask() if order.side is OrderSide.BUY else market.bid()
    return market.instrument.to_price(max(1, ticks))
