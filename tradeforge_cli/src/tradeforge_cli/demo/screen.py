"""The demo as a picture that changes in place, in two sizes of terminal."""

from contextlib import ExitStack
from datetime import UTC, datetime

from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tradeforge_cli.demo import market_panels, trading_panels
from tradeforge_cli.demo.record import DemoRecord
from tradeforge_cli.terminal import warnings_to
from tradeforge_core import StreamConnectionStatus

_HEADER_ROWS = 2
_TALL = 32
"""Rows from which on there is room for a chart, a deeper book and the fills."""
_WIDE = 110

_STATUS_STYLES = {
    StreamConnectionStatus.LIVE: "green",
    StreamConnectionStatus.RECONNECTING: "bold red",
    StreamConnectionStatus.CLOSED: "dim",
}


class DemoScreen:
    """Fills the terminal while the demo runs, and leaves it as it was."""

    def __init__(self, record: DemoRecord, console: Console) -> None:
        self._record = record
        self._console = console
        # painted by the demo's own loop: no thread, and nothing is drawn halfway through a change
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._shown = ExitStack()

    def __enter__(self) -> None:
        self._shown.enter_context(warnings_to(self._record.tell))
        self._shown.enter_context(self._live)

    def __exit__(self, *exc_info: object) -> None:
        self._shown.close()

    def paint(self) -> None:
        width, height = self._console.size
        self._live.update(demo_layout(self._record, width, height), refresh=True)


def demo_layout(record: DemoRecord, width: int, height: int) -> Layout:
    """The whole picture for a terminal of this size."""
    is_tall = height >= _TALL
    market_rows = 15 if is_tall else 9
    layout = Layout()
    layout.split_column(
        Layout(_header(record), size=_HEADER_ROWS),
        _market(record, market_rows, is_wide=width >= _WIDE),
        _trading(record, 9 if is_tall else 7, is_wide=width >= _WIDE),
        Layout(trading_panels.story(record, rows=height)),
    )
    return layout


def _header(record: DemoRecord) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(justify="right")
    grid.add_row(_title(record), _streams(record))
    grid.add_row(_progress(record), Text("Ctrl-C ends it", "dim"))
    return grid


def _title(record: DemoRecord) -> Text:
    symbol = record.contract.symbol if record.contract else ""
    venue = f"{record.provider} sandbox, seed {record.seed}"
    text = Text(no_wrap=True, overflow="ellipsis")
    return text.append_tokens(
        [("TradeForge demo  ", "bold"), (f"{symbol}  ", "bold cyan"), (venue, "dim")]
    )


def _streams(record: DemoRecord) -> Text:
    text = Text(no_wrap=True)
    for stream, status in record.streams.items():
        text.append(f"  {stream} ", "dim")
        text.append(f"● {status}", _STATUS_STYLES.get(status, "yellow"))
    return text


def _progress(record: DemoRecord) -> ProgressBar:
    began = record.streaming_since
    passed = (datetime.now(UTC) - began).total_seconds() if began else 0.0
    return ProgressBar(total=record.planned_seconds, completed=min(passed, record.planned_seconds))


def _market(record: DemoRecord, rows: int, *, is_wide: bool) -> Layout:
    inner = rows - 2
    panels = [
        Layout(market_panels.quote(record, chart_rows=inner - 5), ratio=5),
        Layout(market_panels.book(record, levels=inner // 2), ratio=4),
    ]
    if is_wide:
        panels.append(Layout(market_panels.tape(record, rows=inner), ratio=3))
    layout = Layout(size=rows)
    layout.split_row(*panels)
    return layout


def _trading(record: DemoRecord, rows: int, *, is_wide: bool) -> Layout:
    panels = [
        Layout(trading_panels.orders(record), ratio=6),
        Layout(trading_panels.account(record), ratio=4),
    ]
    if is_wide:
        panels.append(Layout(trading_panels.fills(record), ratio=3))
    layout = Layout(size=rows)
    layout.split_row(*panels)
    return layout
