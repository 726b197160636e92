"""The book that keeps itself, over real sockets, while the venue loses and spoils its changes."""

import asyncio
from collections.abc import Callable

import pytest

from tradeforge_core import (
    BookNotLive,
    BookState,
    Contract,
    LiveOrderBook,
    NotFound,
    StreamConnectionStatus,
)
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import EventFault, TopStepXSandbox


async def _until(book: LiveOrderBook, reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            await book.changed()


def _is_whole(book: LiveOrderBook) -> bool:
    bids, asks = book.bids(5), book.asks(5)
    return len(bids) == len(asks) == 5 and bids[0].price < asks[0].price


async def test_it_is_there_after_the_first_message_and_follows(
    broker: TopStepXProvider, contract: Contract
) -> None:
    async with broker.order_book(contract.id) as book:
        await _until(book, lambda: book.state is BookState.LIVE)
        for _ in range(20):
            await book.changed()
            assert _is_whole(book)
    with pytest.raises(BookNotLive):
        book.best_bid()


async def test_it_is_whole_again_after_a_record_that_was_not_understood(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.order_book(contract.id) as book:
        await _until(book, lambda: book.state is BookState.LIVE)
        sandbox.fail_events("GatewayDepth", EventFault.MALFORMED)
        await _until(book, lambda: book.state is not BookState.LIVE)
        await _until(book, lambda: book.state is BookState.LIVE)
        assert _is_whole(book)
        assert broker.status is StreamConnectionStatus.LIVE


@pytest.mark.parametrize("fault", [EventFault.DUPLICATED, EventFault.PADDED])
async def test_what_comes_twice_or_padded_is_the_same_book(
    fault: EventFault, broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.order_book(contract.id) as book:
        await _until(book, lambda: book.state is BookState.LIVE)
        sandbox.fail_events("GatewayDepth", fault, count=20)
        for _ in range(20):
            await book.changed()
            assert _is_whole(book)


@pytest.mark.parametrize("fault", [EventFault.LOST, EventFault.REORDERED])
async def test_whatever_is_lost_it_is_never_read_crossed(
    fault: EventFault, broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    """Without numbers a loss shows only where it makes the book cross; then it is not served."""
    async with broker.order_book(contract.id) as book:
        await _until(book, lambda: book.state is BookState.LIVE)
        sandbox.fail_events("GatewayDepth", fault, count=10)
        for _ in range(30):
            await book.changed()
            if book.state is BookState.LIVE:
                spread = book.spread()
                assert spread is None or spread > 0


async def test_a_lost_connection_is_stale_at_once_and_whole_afterwards(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.order_book(contract.id) as book:
        await _until(book, lambda: book.state is BookState.LIVE)
        sandbox.reset_hubs()
        await _until(book, lambda: book.state is BookState.STALE)
        await _until(book, lambda: book.state is BookState.LIVE)
        assert _is_whole(book)


async def test_a_contract_that_is_not_there_has_no_book(broker: TopStepXProvider) -> None:
    with pytest.raises(NotFound):
        async with broker.order_book("CON.F.US.NOPE.Z99"):
            pass
