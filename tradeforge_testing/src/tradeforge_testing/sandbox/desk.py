"""What a JSON venue does with a request when the words are those of the exchange itself.

Ids come as text, `account` and `contract` name what it is about, numbers may be text, and every
list of the answer is in `rows`. A skin with other words translates, or answers by itself.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tradeforge_core import OrderSide, OrderType
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange import (
    AccountChanged,
    Exchange,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
    Refused,
    Reject,
    Ticket,
)
from tradeforge_testing.sandbox.books import Books

Said = dict[str, Any]
Rows = dict[str, list[Any]]
"""The records of the exchange, in `rows`."""


class Desk:
    """Each method takes the object of a request and makes that of the answer.

    They raise `Refused`, and `LookupError`, `TypeError` or `ValueError` for what is malformed.
    """

    def __init__(
        self, exchange: Exchange, clock: Clock, books: Callable[[], Books], *, most_bars: int
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._books = books
        self._most_bars = most_bars

    # Reads

    def accounts(self, said: Said) -> Rows:
        return _rows(one for one in self._exchange.accounts() if one.can_trade)

    def contracts(self, said: Said) -> Rows:
        """The one of an `id`, or those that have a `text` in their symbol."""
        wanted, text = said.get("id"), said.get("text", "").upper()
        listed = self._exchange.instruments.values()
        if wanted is not None:
            return _rows(one for one in listed if one.id == wanted)
        return _rows(one for one in listed if text in one.symbol)

    def bars(self, said: Said) -> Rows:
        """The newest `limit` bars of `seconds` from `start` to `end`; `partial` adds the last."""
        seconds = said["seconds"]
        found = self._exchange.bars(
            said["contract"],
            start=_time(said["start"]),
            end=_time(said["end"]),
            seconds=seconds,
            limit=min(said["limit"], self._most_bars),
        )
        complete = self._clock.now() - timedelta(seconds=seconds)
        return _rows(one for one in found if said["partial"] or one.time <= complete)

    def orders(self, said: Said) -> Rows:
        """Those of an `id` or a `tag`, those that are `open`, from `start` to `end`."""
        fits = _fitting(said)
        return _rows(one for one in self._books().orders(_account(said)) if fits(one))

    def positions(self, said: Said) -> Rows:
        return _rows(self._books().positions(_account(said)))

    def fills(self, said: Said) -> Rows:
        start, end = _span(said)
        return _rows(one for one in self._books().fills(_account(said)) if start <= one.time <= end)

    # Writes

    def place(self, said: Said) -> ExchangeOrder:
        return _taken(
            self._exchange.place(
                Ticket(
                    account_id=_account(said),
                    instrument_id=said["contract"],
                    side=OrderSide(said["side"]),
                    type=OrderType(said["type"]),
                    size=int(said["size"]),
                    limit_price=said.get("limit_price"),
                    stop_price=said.get("stop_price"),
                    tag=said.get("tag"),
                )
            )
        )

    def modify(self, said: Said) -> ExchangeOrder:
        """A member that is missing, or null, stays as it is."""
        prices = {
            name: Decimal(said[name])
            for name in ("limit_price", "stop_price")
            if said.get(name) is not None
        }
        return self._exchange.modify(_account(said), _id(said), size=_size(said), **prices)

    def cancel(self, said: Said) -> ExchangeOrder:
        return self._exchange.cancel(_account(said), _id(said))

    def close(self, said: Said) -> ExchangeOrder:
        """Close the position, or `size` of it."""
        order = self._exchange.close_position(_account(said), said["contract"], _size(said))
        return _taken(order)

    # The stream

    def check_topic(self, topic: str) -> None:
        """Raises `Refused` for a topic that there is not, such as `quote:XYZ` or `user_trade:1`."""
        kind, _, key = topic.partition(":")
        if kind == "quote":
            self._exchange.quote(key)
        else:
            self._exchange.account(_account({"account": key}))


def told(event: ExchangeEvent) -> Iterator[tuple[str, object]]:
    """The topics of an event, and what is said there."""
    match event:
        case QuoteChanged(quote):
            yield f"quote:{quote.instrument_id}", quote
        case OrderChanged(order):
            yield f"order_update:{order.account_id}", order
        case FillMade(fill):
            yield f"user_trade:{fill.account_id}", fill
        case PositionChanged(position):
            yield f"position_update:{position.account_id}", position
        case AccountChanged(account):
            yield f"account_update:{account.id}", account


def _rows(records: Iterable[object]) -> Rows:
    return {"rows": list(records)}


def _account(said: Said) -> int:
    return _whole(said["account"], Reject.UNKNOWN_ACCOUNT)


def _id(said: Said) -> int:
    return _whole(said["id"], Reject.UNKNOWN_ORDER)


def _whole(text: str, otherwise: Reject) -> int:
    if not text.isascii() or not text.isdigit():
        raise Refused(otherwise)
    return int(text)


def _size(said: Said) -> int | None:
    return None if said.get("size") is None else int(said["size"])


def _taken(order: ExchangeOrder) -> ExchangeOrder:
    if order.reject is not None:
        raise Refused(order.reject)
    return order


def _fitting(said: Said) -> Callable[[ExchangeOrder], bool]:
    start, end = _span(said)

    def fits(order: ExchangeOrder) -> bool:
        return (
            said.get("id", str(order.id)) == str(order.id)
            and said.get("tag", order.tag) == order.tag
            and not (said.get("open") and order.status.is_final)
            and start <= order.created_at <= end
        )

    return fits


_EVER = ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00")


def _span(said: Said) -> tuple[datetime, datetime]:
    start, end = (said.get(name, ever) for name, ever in zip(("start", "end"), _EVER, strict=True))
    return _time(start), _time(end)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} does not say its time zone")
    return time
