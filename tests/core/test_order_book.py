"""The local order book: what it shows, and when it must not be read."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeforge_core import (
    BookNotLive,
    BookState,
    DepthEvent,
    DepthLevel,
    Event,
    Gap,
    GapCause,
    MarketDataType,
    OrderBook,
    StatusChanged,
    StreamConnectionStatus,
    Topic,
)

if TYPE_CHECKING:
    from tests.core.conftest import Make


def _levels(**sizes: int) -> list[DepthLevel]:
    return [DepthLevel(Decimal(price[1:]), Decimal(size)) for price, size in sizes.items()]


def _gap(make: "Make", *topics: Topic, cause: GapCause = GapCause.DISCONNECTED) -> Gap:
    return Gap(stream="depth", cause=cause, topics=topics, received=make.quote().received)


@pytest.fixture
def book(make: "Make") -> OrderBook:
    book = OrderBook("ABC")
    book.apply(make.depth({"99": 1, "100": 2, "98": 3}, {"102": 4, "101": 5}, reset=True))
    return book


def test_the_best_comes_first(book: OrderBook) -> None:
    assert book.bids(2) == _levels(p100=2, p99=1)
    assert book.asks(10) == _levels(p101=5, p102=4)
    assert book.bids(0) == []


def test_a_level_is_set_and_removed(book: OrderBook, make: "Make") -> None:
    book.apply(make.depth({"100": 0, "99": 7}, {"100.5": 1}))
    assert book.bids(1) == _levels(p99=7)
    assert book.asks(1) == [DepthLevel(Decimal("100.5"), Decimal(1))]


def test_the_same_price_in_other_digits_is_the_same_level(book: OrderBook, make: "Make") -> None:
    book.apply(make.depth({"100.00": 9}))
    assert len(book.bids(10)) == 3
    book.apply(make.depth({"1E+2": 0}))
    assert len(book.bids(10)) == 2


def test_removing_what_is_not_there_is_harmless(book: OrderBook, make: "Make") -> None:
    book.apply(make.depth({"1": 0}, {"1000": 0}))
    assert len(book.bids(10)) == 3


def test_a_reset_begins_anew(book: OrderBook, make: "Make") -> None:
    book.apply(make.depth({"50": 1}, reset=True))
    assert book.bids(10) == _levels(p50=1)
    assert book.asks(10) == []


def test_a_book_that_has_seen_nothing_is_not_read(make: "Make") -> None:
    book = OrderBook("ABC")
    assert book.state is BookState.STALE
    for _ in range(2):
        with pytest.raises(BookNotLive, match="the book of ABC is stale"):
            book.bids(1)
        with pytest.raises(BookNotLive):
            book.asks(1)
        book.apply(make.depth({"100": 1}))  # no reset: it is not known what else there is


@pytest.mark.parametrize("cause", GapCause)
def test_after_a_hole_only_a_reset_helps(book: OrderBook, make: "Make", cause: GapCause) -> None:
    book.apply(_gap(make, make.QUOTE, make.DEPTH, cause=cause))
    with pytest.raises(BookNotLive):
        book.bids(1)
    book.apply(make.depth({"100": 1}))
    asked = cause is GapCause.RENEWED
    assert book.state is (BookState.RESYNCING if asked else BookState.STALE)
    book.apply(make.depth({"100": 1}, reset=True))
    assert book.bids(10) == _levels(p100=1)


def test_what_is_none_of_its_business_changes_nothing(book: OrderBook, make: "Make") -> None:
    before = book.bids(10), book.asks(10)
    others: list[Event] = [
        make.depth({"1": 1}, reset=True, contract_id="DEF"),
        _gap(make, make.QUOTE, make.TRADE),
        _gap(make, Topic(make.DEPTH.kind, "DEF")),
        make.quote(),
        make.trade(),
        make.order_update(),
    ]
    for event in others:
        book.apply(event)
    assert (book.bids(10), book.asks(10)) == before


def _prices(first: int, last: int) -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(st.integers(first, last).map(str), st.integers(0, 3), max_size=4)


changes = st.tuples(_prices(1, 6), _prices(6, 11), st.booleans())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(changes | st.none(), max_size=30))
def test_it_equals_a_naive_book(
    make: "Make", steps: list[tuple[dict[str, int], dict[str, int], bool] | None]
) -> None:
    """The reference replays everything since the last reset, for every look."""
    book, since_reset = OrderBook("ABC"), None
    for step in steps:
        event: Event = (
            _gap(make, make.DEPTH) if step is None else make.depth(step[0], step[1], reset=step[2])
        )
        book.apply(event)
        if isinstance(event, Gap):
            since_reset = None
        elif isinstance(event, DepthEvent):
            if event.reset:
                since_reset = [event]
            elif since_reset is not None:
                since_reset.append(event)
        if since_reset is None:
            assert book.state is BookState.STALE
            continue
        bids = _naive(level for one in since_reset for level in one.bids)[::-1]
        asks = _naive(level for one in since_reset for level in one.asks)
        if bids and asks and bids[0].price >= asks[0].price:
            since_reset = None  # crossed: something is missing, so only a reset helps
            with pytest.raises(BookNotLive, match="it is crossed"):
                book.best_bid()
            continue
        assert (book.bids(99), book.asks(99)) == (bids, asks)
        assert (list(book.iter_bids()), list(book.iter_asks())) == (bids, asks)


def _naive(levels: Iterable[DepthLevel]) -> list[DepthLevel]:
    newest = {level.price: level for level in levels}
    return sorted(level for level in newest.values() if level.size)


@pytest.mark.parametrize("status", sorted(set(StreamConnectionStatus) - {"subscribing", "live"}))
def test_an_interrupted_stream_makes_the_book_stale_at_once(
    status: StreamConnectionStatus, book: OrderBook, make: "Make"
) -> None:
    """The gap is told when it is over, and the book must not be served until then."""
    topic = Topic(MarketDataType.DEPTH, "ABC")
    for topics, state in (((), BookState.LIVE), ((topic,), BookState.STALE)):
        book.apply(
            StatusChanged(
                stream="depth",
                topics=topics,
                status=status,
                previous=StreamConnectionStatus.LIVE,
                generation=1,
                received=make.quote().received,
            )
        )
        assert book.state is state


def test_a_book_is_kept_while_another_topic_is_subscribed(book: OrderBook, make: "Make") -> None:
    change = StatusChanged(
        stream="depth",
        topics=(make.DEPTH,),
        status=StreamConnectionStatus.SUBSCRIBING,
        previous=StreamConnectionStatus.LIVE,
        generation=1,
        received=make.quote().received,
    )
    book.apply(change)
    assert book.state is BookState.LIVE
