"""The board tells the truth: what is old looks old, and what is missing is said."""

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from attrs import evolve
from rich.console import Console

from tradeforge_cli.quotes.board import QuoteBoard, Trust
from tradeforge_cli.quotes.screens import LiveTable
from tradeforge_cli.quotes.table import quote_table
from tradeforge_core import (
    Contract,
    Gap,
    GapCause,
    MarketDataType,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    Topic,
    cme_globex,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MNQ = Contract(
    id="mnq",
    symbol="MNQH6",
    root="MNQ",
    description="",
    tick_size=Decimal("0.25"),
    tick_value=Decimal("0.5"),
    active=True,
)
LIVE, RECONNECTING, CONNECTING = (
    StreamConnectionStatus.LIVE,
    StreamConnectionStatus.RECONNECTING,
    StreamConnectionStatus.CONNECTING,
)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def quote(second: float) -> QuoteEvent:
    price = Decimal(25_000)
    return QuoteEvent(
        contract_id="mnq",
        bid=price,
        ask=price + 1,
        last=None,
        volume=Decimal(12),
        open=None,
        high=None,
        low=None,
        change=None,
        change_percent=None,
        time=None,
        received=at(second),
    )


def status(to: StreamConnectionStatus, second: float, reason: str | None = None) -> StatusChanged:
    return StatusChanged(
        stream="market",
        status=to,
        previous=StreamConnectionStatus.IDLE,
        reason=reason,
        generation=1,
        received=at(second),
    )


def gap(since: float, until: float) -> Gap:
    return Gap(
        stream="market",
        cause=GapCause.DISCONNECTED,
        topics=(Topic(MarketDataType.QUOTE, "mnq"),),
        since=at(since),
        until=at(until),
        received=at(until),
    )


@pytest.fixture
def board() -> QuoteBoard:
    return QuoteBoard.of([MNQ])


def shown(board: QuoteBoard, second: float, *, colours: bool = False) -> str:
    out = StringIO()
    console = Console(file=out, width=100, color_system="standard" if colours else None)
    console.print(quote_table(board, at(second)))
    return out.getvalue()


def trust(board: QuoteBoard) -> Trust:
    return board.rows["mnq"].trust


def test_before_the_first_quote_it_waits(board: QuoteBoard) -> None:
    board.take(status(CONNECTING, 0))
    assert trust(board) is Trust.WAITING
    assert "waiting" in shown(board, 1)


def test_a_live_quote_has_an_age(board: QuoteBoard) -> None:
    board.take(status(LIVE, 0))
    board.take(quote(1))
    picture = shown(board, 3.5)
    assert "25,000.00" in picture
    assert "2.5 s" in picture
    assert " live" in picture


def test_a_lost_connection_makes_every_price_stale_and_grey(board: QuoteBoard) -> None:
    board.take(status(LIVE, 0))
    board.take(quote(1))
    board.take(status(RECONNECTING, 2, "the venue [hung] up"))
    picture = shown(board, 90)
    assert "stale" in picture
    assert "1 min 29 s" in picture
    assert "reconnecting - not live since" in picture
    assert "the venue [hung] up" in picture
    assert "\x1b[2m25,000.00\x1b[0m" in shown(board, 90, colours=True)


def test_attempts_keep_the_time_and_the_reason_of_the_loss(board: QuoteBoard) -> None:
    board.take(status(LIVE, 0))
    board.take(status(RECONNECTING, 2, "the first reason"))
    board.take(status(CONNECTING, 3))
    state = board.streams["market"]
    assert (state.status, state.since, state.reason) == (CONNECTING, at(2), "the first reason")


def test_being_live_again_does_not_make_an_old_price_live(board: QuoteBoard) -> None:
    board.take(quote(1))
    board.take(status(RECONNECTING, 2))
    board.take(gap(2, 9))
    board.take(status(LIVE, 9))
    assert trust(board) is Trust.STALE
    board.take(quote(10))
    assert trust(board) is Trust.LIVE
    picture = shown(board, 10)
    assert "live, 1 gap" in picture
    assert "(7.0 s)" in picture


def test_an_error_of_the_stream_is_on_the_board(board: QuoteBoard) -> None:
    board.note("error: MNQ was refused [8]")
    assert "error: MNQ was refused [8]" in shown(board, 1)


SATURDAY = datetime(2026, 1, 10, 12, tzinfo=UTC)


def _closed_board(received: datetime) -> QuoteBoard:
    board = QuoteBoard.of([MNQ], lambda contract: cme_globex("equity-index"))
    board.take(evolve(quote(0), received=received))
    return board


def _picture(board: QuoteBoard, now: datetime) -> str:
    console = Console(file=StringIO(), width=160)
    console.print(quote_table(board, now))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_closed_market_says_when_it_opens() -> None:
    opens = datetime(2026, 1, 11, 23, tzinfo=UTC).astimezone()
    board = _closed_board(SATURDAY - timedelta(hours=14))
    assert f"market closed, opens {opens:%a %H:%M}" in _picture(board, SATURDAY)
    assert "closed" in _picture(QuoteBoard.of([MNQ], lambda one: cme_globex("fx")), SATURDAY)


@pytest.mark.parametrize(
    ("received", "now"),
    [
        (SATURDAY - timedelta(seconds=5), SATURDAY),  # somebody trades all the same
        (NOON, NOON + timedelta(hours=1)),
        (datetime(2026, 11, 26, 17, tzinfo=UTC), datetime(2026, 11, 26, 20, tzinfo=UTC)),
        (datetime(2030, 12, 31, 17, tzinfo=UTC), datetime(2030, 12, 31, 22, 30, tzinfo=UTC)),
        (SATURDAY, datetime(2036, 1, 10, tzinfo=UTC)),
    ],
)
def test_what_is_not_closed_for_certain_is_not_called_closed(
    received: datetime, now: datetime
) -> None:
    assert "closed" not in _picture(_closed_board(received), now)


def test_a_price_that_is_live_and_old_is_called_quiet(board: QuoteBoard) -> None:
    board.take(status(LIVE, 0))
    board.take(quote(1))
    assert "quiet" not in shown(board, 15.9)
    assert "live, but quiet" in shown(board, 16.1)
    board.take(quote(17))
    assert "quiet" not in shown(board, 17)


def test_a_warning_of_the_log_is_on_the_board_while_the_table_is_shown(board: QuoteBoard) -> None:
    log = logging.getLogger("tradeforge_core")
    console = Console(file=StringIO(), width=100, force_terminal=True)
    with LiveTable(board, console):
        log.warning("the event loop was blocked for %s s", 8)
        log.info("nothing that anybody must know")
    log.warning("this one is not for the table any more")
    assert board.last_note == "warning: the event loop was blocked for 8 s"
