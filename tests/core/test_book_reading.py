"""What a book tells: prices, sizes and sums, in decimals, from decimals or from digits."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeforge_core import (
    BookNotLive,
    BookState,
    DepthEvent,
    DepthLevel,
    Gap,
    GapCause,
    OrderBook,
    OrderSide,
)
from tradeforge_core.kit.constructors import Levels, new_depth

if TYPE_CHECKING:
    from tests.core.conftest import Make

BUY, SELL = OrderSide.BUY, OrderSide.SELL
Pairs = tuple[list[tuple[str, str]], list[tuple[str, str]]]


def _levels_of(raw: Pairs) -> Levels:
    bids, asks = (
        tuple(DepthLevel(Decimal(price), Decimal(size)) for price, size in side) for side in raw
    )
    return bids, asks, None, None


def _digits(raw: Pairs) -> Pairs:
    return raw


def _event(make: "Make", raw: Pairs, *, reset: bool = False, digits: bool = True) -> DepthEvent:
    received = make.quote().received
    return new_depth(
        "ABC", reset, _levels_of, None, received, raw, None, _digits if digits else None
    )


@pytest.fixture
def book(make: "Make") -> OrderBook:
    book = OrderBook("ABC")
    book.apply(make.depth({"99": 1, "100": 2, "98": 3}, {"103": 4, "101": 5}, reset=True))
    return book


READS: list[Callable[..., Any]] = [
    lambda book, **how: book.bids(5, **how),
    lambda book, **how: book.asks(5, **how),
    lambda book, **how: list(book.iter_bids(**how)),
    lambda book, **how: list(book.iter_asks(**how)),
    OrderBook.best_bid,
    OrderBook.best_ask,
    OrderBook.mid,
    OrderBook.spread,
    lambda book, **how: book.size_at(BUY, Decimal(100), **how),
    lambda book, **how: book.size_to(SELL, Decimal(102), **how),
]


@pytest.mark.parametrize("read", READS)
def test_what_is_not_live_is_read_only_when_asked_for(
    read: Callable[..., Any], book: OrderBook, make: "Make"
) -> None:
    before = read(book)
    book.apply(make.depth({"500": 1}))
    with pytest.raises(BookNotLive, match=r"ABC is stale \(it is crossed: bid 500, ask 101\)"):
        read(book)
    book.apply(make.depth({"500": 0}))  # it may look right again, and still lack something
    with pytest.raises(BookNotLive):
        read(book)
    assert type(read(book, stale_ok=True)) is type(before)


def test_the_best_and_what_lies_between(book: OrderBook) -> None:
    assert book.best_bid() == DepthLevel(Decimal(100), Decimal(2))
    assert book.best_ask() == DepthLevel(Decimal(101), Decimal(5))
    assert (book.mid(), book.spread()) == (Decimal("100.5"), Decimal(1))


def test_an_empty_side_has_no_best(book: OrderBook, make: "Make") -> None:
    book.apply(make.depth({"5": 1}, reset=True))
    assert book.best_bid() is not None
    assert book.best_ask() is None
    assert (book.mid(), book.spread()) == (None, None)


@pytest.mark.parametrize(
    ("side", "price", "there", "up_to"),
    [
        (BUY, "100", 2, 2),
        (BUY, "99.0", 1, 3),
        (BUY, "98.5", 0, 3),
        (BUY, "1", 0, 6),
        (BUY, "101", 0, 0),
        (SELL, "101", 5, 5),
        (SELL, "102", 0, 5),
        (SELL, "103", 4, 9),
        (SELL, "100", 0, 0),
    ],
)
def test_the_size_at_a_price_and_up_to_it(
    book: OrderBook, side: OrderSide, price: str, there: int, up_to: int
) -> None:
    assert book.size_at(side, Decimal(price)) == there
    assert book.size_to(side, Decimal(price)) == up_to


def test_a_walk_over_a_book_that_changes_ends_with_an_error(book: OrderBook, make: "Make") -> None:
    walk = book.iter_bids()
    next(walk)
    book.apply(make.depth({"97": 1}))
    with pytest.raises(RuntimeError, match="changed during iteration"):
        next(walk)


def test_digits_of_one_price_are_one_level(make: "Make") -> None:
    book = OrderBook("ABC")
    book.apply(_event(make, ([("100.0", "1"), ("99", "2")], []), reset=True))
    book.apply(_event(make, ([("100.00", "3.50")], [])))
    book.apply(_event(make, ([("99.0", "7")], []), digits=False))
    assert book.bids(9) == [
        DepthLevel(Decimal(100), Decimal("3.5")),
        DepthLevel(Decimal(99), Decimal(7)),
    ]
    book.apply(_event(make, ([("100", "0.000"), ("99.000", "0")], [])))
    assert book.bids(9) == []


def test_no_decimal_is_made_of_the_events_levels_when_there_are_digits(make: "Make") -> None:
    def never(raw: object) -> Levels:
        raise AssertionError("nobody looked")

    raw: Pairs = ([("1", "0.5")], [])
    book = OrderBook("ABC")
    book.apply(new_depth("ABC", True, never, None, make.quote().received, raw, None, _digits))
    assert book.best_bid() == DepthLevel(Decimal(1), Decimal("0.5"))


spelled = st.tuples(
    st.sampled_from(["1", "1.0", "1.50", "2", "2.000", "10", "10.5"]),
    st.sampled_from(["0", "0.00", "0.01", "1", "10"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(spelled, max_size=5), st.booleans()), max_size=20))
def test_digits_and_decimals_make_the_same_book(
    make: "Make", steps: list[tuple[list[tuple[str, str]], bool]]
) -> None:
    one, other, mixed = OrderBook("ABC"), OrderBook("ABC"), OrderBook("ABC")
    for number, (bids, digits) in enumerate(steps):
        one.apply(_event(make, (bids, []), reset=not number))
        other.apply(_event(make, (bids, []), reset=not number, digits=False))
        mixed.apply(_event(make, (bids, []), reset=not number, digits=digits))
        assert one.bids(99) == other.bids(99) == mixed.bids(99)


def _numbered(make: "Make", sequence: int | None, *, reset: bool = False) -> DepthEvent:
    levels = (DepthLevel(Decimal(1), Decimal(sequence or 0) + 1),)
    received = make.quote().received
    return DepthEvent("ABC", reset, levels, (), None, None, None, received, None, sequence)


def test_a_change_that_is_missing_is_noticed(make: "Make") -> None:
    book = OrderBook("ABC")
    for number in (7, 8, 9):
        book.apply(_numbered(make, number, reset=number == 7))
    book.apply(_numbered(make, 11))
    with pytest.raises(BookNotLive, match="change 11 came after 9"):
        book.bids(1)
    assert book.best_bid(stale_ok=True) == DepthLevel(Decimal(1), Decimal(10))
    book.apply(_numbered(make, 1, reset=True))
    book.apply(_numbered(make, 2))
    assert (book.state, book.sequence) == (BookState.LIVE, 2)


def test_the_same_change_again_changes_nothing(make: "Make") -> None:
    book = OrderBook("ABC")
    book.apply(_numbered(make, 7, reset=True))
    book.apply(make.depth({"1": 99}))
    assert book.state is BookState.STALE  # one without a number among those that have one
    book.apply(_numbered(make, 7, reset=True))
    book.apply(_numbered(make, 7))
    assert (book.state, book.sequence) == (BookState.LIVE, 7)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=30))
def test_it_is_live_only_as_long_as_the_numbers_follow(
    make: "Make", steps: list[tuple[int, bool]]
) -> None:
    book, last = OrderBook("ABC"), None
    for number, reset in steps:
        book.apply(_numbered(make, number, reset=reset))
        if reset:
            last = number
        elif last is not None and number != last:
            last = number if number == last + 1 else None
        assert (book.state is BookState.LIVE) is (last is not None)
        if last is not None:
            assert book.best_bid() == DepthLevel(Decimal(1), Decimal(last + 1))


@pytest.mark.parametrize("stale_ok", [False, True])
def test_a_book_that_ceases_to_be_right_is_not_walked_any_further(
    make: "Make", stale_ok: bool
) -> None:
    """Nothing in it changes by that, and it must not be read all the same."""
    book = OrderBook("ABC")
    book.apply(make.depth({"1": 1, "2": 1}, {"3": 1, "4": 1}, reset=True))
    walks = [book.iter_bids(stale_ok=stale_ok), book.iter_asks(stale_ok=stale_ok)]
    for walk in walks:
        next(walk)
    gap = Gap(
        stream="depth",
        cause=GapCause.DISCONNECTED,
        topics=(make.DEPTH,),
        received=make.quote().received,
    )
    book.apply(gap)
    for walk in walks:
        if stale_ok:
            assert len(list(walk)) == 1
        else:
            with pytest.raises(BookNotLive):
                next(walk)
