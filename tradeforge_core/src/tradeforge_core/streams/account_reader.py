"""Reads an account at the venue, and takes in of what it says no more than can be so."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tradeforge_core.errors import NotFound
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Order, Position
from tradeforge_core.requests import Period, earliest, latest
from tradeforge_core.state.changes import Key, key_of
from tradeforge_core.state.ledger import Ledger
from tradeforge_core.state.told import essence

if TYPE_CHECKING:
    from tradeforge_core.adapter import VenueAdapter

_OVERLAP = timedelta(minutes=1)
"""How far the reading of fills reaches back behind the last one: clocks differ, venues lag."""
_MOST_READINGS = 3
"""Of positions once more, where the venue and the stream do not agree."""
_MOST_LOOKS = 20
"""Orders that are looked up one by one in a round."""
_MOST_LOOKS_AGAIN = 3
"""The same of orders that the venue did not find before."""


class AccountReader:
    """`settle` are the seconds that a message may be on its way, and an answer behind."""

    def __init__(
        self, venue: "VenueAdapter", ledger: Ledger, *, clock: Clock, settle: float
    ) -> None:
        self._venue = venue
        self._ledger = ledger
        self._clock = clock
        self._settle = settle
        self._not_found: dict[str, dict[str, int]] = {}
        """How often the venue did not find an order, by account."""

    async def read(self, account_id: str, since: datetime) -> None:
        """Take in what the venue says of the account; a reading that fails changes nothing."""
        began = self._clock.now()
        # a clock can be set back, and the venue's own may say something else
        start = earliest(min(since, began), self._venue._clock_ahead()) - _OVERLAP
        period = Period(start=start, end=latest(began, self._venue._clock_ahead()) + _OVERLAP)
        orders = await self._venue._fetch_open_orders(account_id)
        ended = await self._venue._fetch_order_history(account_id, period)
        trades = await self._venue._fetch_trades(account_id, period)
        positions = await self._positions(account_id)
        for order in ended:
            self._ledger.saw_order(order, began)
        self._ledger.saw_open_orders(account_id, orders, began)
        for trade in trades:
            self._ledger.saw_trade(trade)
        self._ledger.saw_positions(account_id, *positions)
        await self._look_up(account_id)

    # --- positions ---

    async def _positions(self, account_id: str) -> tuple[list[Position], datetime]:
        """The positions, and when they were true.

        A venue may show them as they were a while ago. So what differs from what is known here is
        only believed if two readings in a row say it, and no message came for as long as an answer
        may be behind; everything else stays as it is known.
        """
        began = self._clock.now()
        read = await self._venue._fetch_positions(account_id)
        doubted = self._contradicted(account_id, read)
        for _ in range(_MOST_READINGS):
            if not doubted:
                break
            await self._clock.sleep(self._settle / 2)
            began, before = self._clock.now(), read
            read = await self._venue._fetch_positions(account_id)
            doubted = self._contradicted(account_id, read)
            doubted &= _differing(before, read) | self._heard_lately(doubted, began)
        return self._without(account_id, read, doubted), began

    def _contradicted(self, account_id: str, read: list[Position]) -> set[Key]:
        return _differing(self._known(account_id), read)

    def _heard_lately(self, positions: set[Key], began: datetime) -> set[Key]:
        """Of which the answer to a question of then may be older than the latest message."""
        horizon = began - timedelta(seconds=self._settle)
        heard = {one: self._ledger.position_heard_at(one) for one in positions}
        return {one for one, at in heard.items() if at is not None and at > horizon}

    def _without(self, account_id: str, read: list[Position], doubted: set[Key]) -> list[Position]:
        known = self._known(account_id)
        return [
            *(one for one in read if key_of(one) not in doubted),
            *(one for one in known if key_of(one) in doubted),
        ]

    def _known(self, account_id: str) -> list[Position]:
        return [one for one in self._ledger.positions if one.account_id == account_id]

    # --- orders that are in no list ---

    async def _look_up(self, account_id: str) -> None:
        """Find out how orders have ended that the venue does not list any more."""
        missing = self._ledger.questionable(account_id)
        before = self._not_found.get(account_id, {})
        times = {one.id: before[one.id] for one in missing if one.id in before}
        self._not_found[account_id] = times
        for order in _next_looks(missing, times):
            began = self._clock.now()
            try:
                found = await self._venue._fetch_order(account_id, order.id)
            except NotFound:  # a venue that is behind; the next audit asks again
                times[order.id] = times.get(order.id, 0) + 1
            else:
                self._ledger.saw_order(found, began)


def _next_looks(missing: list[Order], times: dict[str, int]) -> list[Order]:
    """Those that the venue did not find before must not keep others from being looked up."""
    again = sorted((one for one in missing if one.id in times), key=lambda one: times[one.id])
    new = [one for one in missing if one.id not in times]
    return [*new[:_MOST_LOOKS], *again[:_MOST_LOOKS_AGAIN]]


def _differing(a: Iterable[Position], b: Iterable[Position]) -> set[Key]:
    """The positions of which the two do not say the same."""
    one, other = _essences(a), _essences(b)
    return {each for each in {*one, *other} if one.get(each) != other.get(each)}


def _essences(positions: Iterable[Position]) -> dict[Key, object]:
    return {key_of(one): essence(one) for one in positions if not one.is_flat}
