"""Every order there ever was, as it stands."""

from datetime import datetime
from fractions import Fraction
from itertools import count

from attrs import evolve

from tradeforge_core.enums import OrderStatus
from tradeforge_testing.exchange.records import ExchangeOrder, Instrument, Leg, Ticket
from tradeforge_testing.exchange.refusal import Refused, Reject

_FIRST_ORDER_ID = 3_400_000_000  # beyond int32, as order ids are at real venues


class Blotter:
    def __init__(self) -> None:
        self._orders: dict[int, ExchangeOrder] = {}
        self._of_account: dict[int, list[int]] = {}
        self._tags: set[tuple[int, str]] = set()
        self._paid: dict[int, int] = {}  # order id: ticks times size of its fills
        self._reducing: list[int] = []
        self._ids = count(_FIRST_ORDER_ID)

    def knows_tag(self, account_id: int, tag: str | None) -> bool:
        return tag is not None and (account_id, tag) in self._tags

    def create(self, ticket: Ticket, now: datetime) -> ExchangeOrder:
        """A new order, PENDING, whatever may be wrong with it."""
        order = ExchangeOrder(
            id=next(self._ids),
            account_id=ticket.account_id,
            instrument_id=ticket.instrument_id,
            side=ticket.side,
            type=ticket.type,
            status=OrderStatus.PENDING,
            size=ticket.size,
            filled_size=0,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            average_fill_price=None,
            tag=ticket.tag,
            created_at=now,
            updated_at=now,
            reject=None,
            rising=ticket.rising,
            time_in_force=ticket.time_in_force,
            post_only=ticket.post_only,
            reduce_only=ticket.reduce_only,
            hedge_side=ticket.hedge_side,
        )
        return self._enter(order)

    def create_leg(
        self, entry: ExchangeOrder, leg: Leg, *, tag: str | None, linked_id: int | None
    ) -> ExchangeOrder:
        """An exit of the entry's size and time, SUSPENDED, with no price but its own."""
        order = ExchangeOrder(
            id=next(self._ids),
            account_id=entry.account_id,
            instrument_id=entry.instrument_id,
            side=entry.side.opposite,
            type=leg.type,
            status=OrderStatus.SUSPENDED,
            size=entry.size,
            filled_size=0,
            limit_price=leg.limit_price,
            stop_price=leg.price,
            average_fill_price=None,
            tag=tag,
            created_at=entry.created_at,
            updated_at=entry.updated_at,
            reject=None,
            leg_ticks=leg.ticks,
            parent_id=entry.id,
            linked_id=linked_id,
            rising=leg.rising,
            reduce_only=leg.reduce_only,
            hedge_side=entry.hedge_side,
        )
        return self._enter(order)

    def _enter(self, order: ExchangeOrder) -> ExchangeOrder:
        if order.tag is not None:
            self._tags.add((order.account_id, order.tag))
        if order.reduce_only:
            self._reducing.append(order.id)
        self._of_account.setdefault(order.account_id, []).append(order.id)
        return self.keep(order)

    def change(self, order: ExchangeOrder, now: datetime) -> ExchangeOrder:
        """Keep the order as it is given, with a new `updated_at`."""
        return self.keep(evolve(order, updated_at=now))

    def fill(self, order_id: int, instrument: Instrument, ticks: int, size: int) -> ExchangeOrder:
        """Count a fill into the order."""
        order = self._orders[order_id]
        filled = order.filled_size + size
        paid = self._paid[order_id] = self._paid.get(order_id, 0) + ticks * size
        done = filled == order.size
        return self.keep(
            evolve(
                order,
                status=OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED,
                filled_size=filled,
                average_fill_price=instrument.to_average(Fraction(paid, filled)),
            )
        )

    def average_ticks(self, order_id: int) -> Fraction:
        """What the order's fills cost on average, exactly."""
        return Fraction(self._paid[order_id], self._orders[order_id].filled_size)

    def keep(self, order: ExchangeOrder) -> ExchangeOrder:
        """Keep the order exactly as it is given."""
        self._orders[order.id] = order
        return order

    def current(self, order_id: int) -> ExchangeOrder:
        return self._orders[order_id]

    def order(self, account_id: int, order_id: int) -> ExchangeOrder:
        """The account's order; `Refused(UNKNOWN_ORDER)` also for one of another account."""
        order = self._orders.get(order_id)
        if order is None or order.account_id != account_id:
            raise Refused(Reject.UNKNOWN_ORDER)
        return order

    def orders(self, account_id: int) -> list[ExchangeOrder]:
        """In ascending order of id."""
        return [self._orders[order_id] for order_id in self._of_account.get(account_id, [])]

    def reducing(self, instrument_id: str, account_ids: set[int]) -> list[ExchangeOrder]:
        """Those of the accounts that are not final and only reduce, in ascending order of id."""
        return [
            one
            for one in map(self.current, self._reducing)
            if one.instrument_id == instrument_id
            and one.account_id in account_ids
            and not one.status.is_final
        ]

    def unfinished(self, instrument_id: str) -> list[ExchangeOrder]:
        """Everybody's orders for the instrument that are not final, in ascending order of id."""
        return [
            order
            for order in self._orders.values()
            if order.instrument_id == instrument_id and not order.status.is_final
        ]
