"""The trader's side of the demo's picture: orders, account, fills and the story."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tradeforge_cli.demo.lines import story_line
from tradeforge_cli.demo.record import DemoRecord, OrderLife
from tradeforge_cli.demo.wording import order_text, position_text, trade_text
from tradeforge_cli.figures import gain_style, gain_text, money_text
from tradeforge_core import OrderStatus

_STATUS_STYLES = {
    OrderStatus.FILLED: "green",
    OrderStatus.CANCELLED: "yellow",
    OrderStatus.REJECTED: "bold red",
}


def orders(record: DemoRecord) -> Panel:
    """Every order with its latest two statuses."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for life in record.orders.values():
        table.add_row(Text(order_text(life.order, record.contract)), _life(life))
    return _panel("orders", table if record.orders else Text("none yet", "dim"))


def account(record: DemoRecord) -> Panel:
    """Position, profit and balance."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    for label, value in _account_rows(record):
        table.add_row(label, value)
    name = record.account.name if record.account else "account"
    return _panel(name, table)


def fills(record: DemoRecord) -> Panel:
    """Your own trades, the oldest first."""
    lines = [trade_text(trade, record.contract) for trade in record.fills]
    return _panel("fills", Text("\n".join(lines)) if lines else Text("none yet", "dim"))


def story(record: DemoRecord, *, rows: int) -> Panel:
    """What happened, the newest at the top: in a small terminal only the oldest is cut off."""
    lines = [story_line(moment, record) for moment in record.story[::-1][:rows]]
    return _panel("story", Text("\n").join(lines))


def _life(life: OrderLife) -> Text:
    text = Text()
    for number, status in enumerate(life.statuses[-2:]):  # all of them are in the summary
        text.append(" → " if number else "", "dim")
        text.append(status.replace("_", " "), _STATUS_STYLES.get(status, ""))
    return text


def _account_rows(record: DemoRecord) -> Iterator[tuple[str, RenderableType]]:
    yield "position", Text(position_text(record.position, record.contract), "bold")
    yield "open", Text(gain_text(record.open_pnl), gain_style(record.open_pnl))
    yield "realized", Text(gain_text(record.realized_pnl), gain_style(record.realized_pnl))
    yield "costs", money_text(record.costs)
    yield "balance", money_text(record.account.balance) if record.account else "–"


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="blue")
