"""The market's side of the demo's picture: quote, book and tape."""

from collections.abc import Iterator
from decimal import Decimal

from attrs import frozen
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tradeforge_cli.demo.record import DemoRecord
from tradeforge_cli.figures import chart, price_text, size_text
from tradeforge_core import (
    BookState,
    Contract,
    DepthEvent,
    DepthLevel,
    MarketTradeEvent,
    OrderBook,
    OrderSide,
    QuoteEvent,
)

_BAR_COLUMNS = 12
_WAITING = Text("waiting for the market", "dim")


def quote(record: DemoRecord, *, chart_rows: int) -> Panel:
    """Bid, ask and last, and the two hours before."""
    if record.contract is None or record.quote is None:
        return _panel("quote", _WAITING)
    prices = _prices(record.quote, record.contract, record.previous_last)
    session = _session(record.quote, record.contract)
    history = _History([bar.close for bar in record.bars], chart_rows)
    return _panel("quote", Group(prices, session, _counts(record), history))


def book(record: DemoRecord, *, levels: int) -> Panel:
    """The best levels of both sides, asks over bids, with a bar for the size."""
    if record.contract is None or record.book is None:
        return _panel("book", _WAITING)
    if record.book.state is not BookState.LIVE:
        return _panel("book", Text(f"the book is {record.book.state}", "dim"))
    return _panel("book", _levels(record.book, record.contract, levels))


def tape(record: DemoRecord, *, rows: int) -> Panel:
    """The newest trades of the market, the newest at the top."""
    table = Table.grid(padding=(0, 1))
    for justify in ("left", "right", "right"):
        table.add_column(justify=justify)
    for trade in list(record.tape)[::-1][:rows]:
        table.add_row(*_trade_cells(trade, record.contract))
    return _panel("market trades", table)


def _prices(event: QuoteEvent, contract: Contract, previous_last: Decimal | None) -> Table:
    tick = contract.tick_size
    table = Table.grid(expand=True)
    for _ in range(3):
        table.add_column(justify="center", ratio=1)
    table.add_row(*(Text(word, "dim") for word in ("bid", "last", "ask")))
    table.add_row(
        Text(price_text(event.bid, tick), "bold green"),
        _last(event, previous_last, tick),
        Text(price_text(event.ask, tick), "bold red"),
    )
    return table


def _last(event: QuoteEvent, previous: Decimal | None, tick: Decimal) -> Text:
    text = price_text(event.last, tick)
    if previous is None or event.last is None or event.last == previous:
        return Text(text, "bold")
    is_up = event.last > previous
    return Text(f"{text} {'▲' if is_up else '▼'}", "bold green" if is_up else "bold red")


def _session(event: QuoteEvent, contract: Contract) -> Text:
    low, high = (
        price_text(event.low, contract.tick_size),
        price_text(event.high, contract.tick_size),
    )
    words = f"from {low} to {high}, volume {size_text(event.volume)}"
    return Text(words, "dim", no_wrap=True, overflow="ellipsis")


def _counts(record: DemoRecord) -> Text:
    seen = record.seen
    words = f"{seen[QuoteEvent]} quotes, {seen[DepthEvent]} depth, {seen[MarketTradeEvent]} trades"
    return Text(words, "dim", no_wrap=True, overflow="ellipsis")


@frozen
class _History:
    """The closes of the bars, as many of the newest as there are columns."""

    closes: list[Decimal]
    rows: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in chart(self.closes, width=options.max_width, height=self.rows):
            yield Text(line, "cyan", no_wrap=True)
        shown = min(len(self.closes), options.max_width)
        yield Text(f"closes of the last {shown} minutes", "dim", no_wrap=True)


def _levels(live: OrderBook, contract: Contract, levels: int) -> Table:
    asks, bids = live.asks(levels)[::-1], live.bids(levels)
    largest = max((level.size for level in [*asks, *bids]), default=Decimal(1))
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    for level in asks:
        table.add_row(*_level_cells(level, contract, largest, "red"))
    table.add_row("", "", Text(_spread(asks, bids, contract), "dim"))
    for level in bids:
        table.add_row(*_level_cells(level, contract, largest, "green"))
    return table


def _level_cells(
    level: DepthLevel, contract: Contract, largest: Decimal, style: str
) -> Iterator[Text]:
    yield Text(price_text(level.price, contract.tick_size), style)
    yield Text(size_text(level.size))
    yield Text("█" * max(1, int(_BAR_COLUMNS * level.size / largest)), style)


def _spread(asks: list[DepthLevel], bids: list[DepthLevel], contract: Contract) -> str:
    if not asks or not bids:
        return "one side is empty"
    ticks = (asks[-1].price - bids[0].price) / contract.tick_size
    return f"spread {size_text(ticks)} {'tick' if ticks == 1 else 'ticks'}"


def _trade_cells(trade: MarketTradeEvent, contract: Contract | None) -> Iterator[Text]:
    when = (trade.time or trade.received).astimezone()
    style = "green" if trade.aggressor is OrderSide.BUY else "red"
    yield Text(f"{when:%H:%M:%S}", "dim")
    yield Text(size_text(trade.size))
    yield Text(price_text(trade.price, contract.tick_size if contract else Decimal(1)), style)


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="blue")
