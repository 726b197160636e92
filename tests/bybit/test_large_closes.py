"""Positions of Bybit that are larger than one market order may be."""

from decimal import Decimal

import pytest
from tests.bybit.small_venue import ACCOUNT, Answer, Row, SmallVenue, fill, position

from tradeforge_bybit._pieces import close_all_of
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import Disconnected, NotSent, OrderRejected, RequestTimeout

LINEAR, CREATE = "linear:BTCUSDT", "/v5/order/create"
INSTRUMENTS = "/v5/market/instruments-info"


def sizes(venue: SmallVenue) -> list[str]:
    return [one["qty"] for one in venue.asked(CREATE)]


async def test_a_position_is_closed_in_as_many_pieces_as_it_takes(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.positions, venue.on_create, venue.largest = [position("25")], fill, 10.0
    await broker.close_position(ACCOUNT, LINEAR)
    assert sizes(venue) == ["25", "10", "10", "5"]
    assert [one["qty"] for one in venue.orders.values()] == ["10", "10", "5"]
    assert all(one["reduceOnly"] for one in venue.orders.values())


async def test_of_a_part_that_is_small_enough_there_is_one_piece(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.positions, venue.on_create, venue.largest = [position("25")], fill, 10.0
    await broker.close_position(ACCOUNT, LINEAR, size=7)
    assert sizes(venue) == ["7"]


async def test_a_piece_that_does_not_fill_ends_it(venue: SmallVenue, broker: BybitProvider) -> None:
    def once(order: Row) -> None:
        fill(order)
        venue.on_create = lambda later: later.update(orderStatus="Cancelled")

    venue.positions, venue.on_create, venue.largest = [position("25")], once, 10.0
    with pytest.raises(OrderRejected, match="10 of 25 are closed, .* 0 of 10 filled"):
        await broker.close_position(ACCOUNT, LINEAR)
    assert sizes(venue) == ["25", "10", "10"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotSent("no room"), OrderRejected),
        (Disconnected("refused", sent=False), OrderRejected),
        (Disconnected("lost"), Disconnected),
        (RequestTimeout("not shown"), RequestTimeout),
    ],
    ids=str,
)
async def test_what_has_gone_is_never_called_not_sent(
    error: Exception, told: type[Exception]
) -> None:
    gone: list[Decimal] = []

    async def send(size: Decimal) -> None:
        if size > 10:
            raise OrderRejected("The number of contracts exceeds maximum limit allowed")
        if gone:
            raise error
        gone.append(size)

    async def largest() -> Decimal:
        return Decimal(10)

    with pytest.raises(told) as caught:
        await close_all_of(Decimal(25), send, largest)
    assert type(caught.value) is told
    assert gone == [10]


@pytest.mark.parametrize(
    "answer", [Answer(status=503, body=b""), Answer(result={"list": []})], ids=["failed", "nothing"]
)
async def test_what_is_too_large_and_nobody_says_how_much_is_refused(
    venue: SmallVenue, broker: BybitProvider, answer: Answer
) -> None:
    venue.positions, venue.on_create, venue.largest = [position("25")], fill, 10.0
    venue.tell(INSTRUMENTS, *[answer] * 4)
    with pytest.raises(OrderRejected, match="too large"):
        await broker.close_position(ACCOUNT, LINEAR)
    assert venue.orders == {}
