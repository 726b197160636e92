"""The board as a table: live prices in colour, stale ones grey, and below it what happened."""

from collections.abc import Iterator
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tradeforge_cli.figures import price_text, size_text
from tradeforge_cli.quotes.board import QuoteBoard, QuoteRow, StreamState, Trust
from tradeforge_core import Gap

_COLUMNS = ("Contract", "Bid", "Ask", "Last", "Volume", "Age", "State")

_TRUST_STYLES = {Trust.WAITING: "dim", Trust.LIVE: "green", Trust.STALE: "yellow"}
_STALE = "dim"


def quote_table(board: QuoteBoard, now: datetime) -> RenderableType:
    """The picture of the board at the time `now`."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in _COLUMNS:
        left = column in ("Contract", "State")
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    for row in board.rows.values():
        table.add_row(*_cells(row, now))
    return Group(table, *_footer(board))


def _cells(row: QuoteRow, now: datetime) -> Iterator[Text]:
    is_stale = row.trust is Trust.STALE
    yield Text(row.contract.symbol, "bold")
    for text, style in _quote_cells(row):
        yield Text(text, _STALE if is_stale else style)
    is_old = is_stale or row.is_quiet(now)
    yield Text(_age_text(row.age(now)), "bold yellow" if is_old else "dim")
    yield _state(row, now)


def _quote_cells(row: QuoteRow) -> list[tuple[str, str]]:
    quote, tick = row.quote, row.contract.tick_size
    if quote is None:
        return [("–", "dim")] * 4
    return [
        (price_text(quote.bid, tick), "green"),
        (price_text(quote.ask, tick), "red"),
        (price_text(quote.last, tick), "bold"),
        (size_text(quote.volume), ""),
    ]


def _state(row: QuoteRow, now: datetime) -> Text:
    gaps = f", {row.gaps} gap{'s' if row.gaps > 1 else ''}" if row.gaps else ""
    opens = row.opens_at(now)
    if opens is not None:
        return Text(f"market closed, opens {opens.astimezone():%a %H:%M}{gaps}", "dim")
    if row.is_quiet(now):
        return Text(f"live, but quiet{gaps}", "yellow")
    return Text(f"{row.trust.value}{gaps}", _TRUST_STYLES[row.trust])


def _age_text(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def _footer(board: QuoteBoard) -> Iterator[Text]:
    for name, state in board.streams.items():
        yield _stream_line(name, state)
    if board.last_gap is not None:
        yield Text(_gap_text(board.last_gap), "yellow")
    if board.last_note is not None:
        yield Text(board.last_note, "red")


def _stream_line(name: str, state: StreamState) -> Text:
    reason = f": {state.reason}" if state.reason else ""
    word = "since" if state.is_live else "- not live since"
    return Text.assemble(
        (f"{name} stream ", "dim"),
        (f"● {state.status}", "green" if state.is_live else "bold red"),
        (f" {word} {state.since.astimezone():%H:%M:%S}{reason}", "dim"),
    )


def _gap_text(gap: Gap) -> str:
    if gap.since is None:
        return f"last gap: {gap.cause}, {gap.dropped or 'some'} events are missing"
    if gap.until is None:
        return f"gap: nothing is known since {gap.since.astimezone():%H:%M:%S}"
    lasted = (gap.until - gap.since).total_seconds()
    since, until = gap.since.astimezone(), gap.until.astimezone()
    return f"last gap: nothing is known from {since:%H:%M:%S} to {until:%H:%M:%S} ({lasted:.1f} s)"
