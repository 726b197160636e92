"""The last words of the demo, and where to go from here."""

from collections.abc import Iterator

from rich.text import Text

from tradeforge_cli.demo.outcome import missing
from tradeforge_cli.demo.record import DemoRecord
from tradeforge_cli.demo.wording import order_text, position_text
from tradeforge_cli.figures import gain_style, gain_text, money_text
from tradeforge_core import DepthEvent, MarketTradeEvent, QuoteEvent


def summary(record: DemoRecord) -> Text:
    """What was traded and seen, as a few lines."""
    rows = [
        Text.assemble((f"  {label:<10}", "dim"), (value, style))
        for label, value, style in _rows(record)
    ]
    return Text("\n").join([Text(), _headline(record), *rows, _next_steps(record)])


def _headline(record: DemoRecord) -> Text:
    if missing(record):
        return Text("The demo is not complete.", "bold yellow")
    return Text("The whole job is done.", "bold green")


def _rows(record: DemoRecord) -> Iterator[tuple[str, str, str]]:
    """Label, value and style."""
    account, contract = record.account, record.contract
    if account and contract:
        yield "traded", f"{contract.symbol} on {account.name}", ""
    yield "seen", _counts(record), ""
    for life in record.orders.values():
        path = " → ".join(status.replace("_", " ") for status in life.statuses)
        yield "order", f"{order_text(life.order, contract)}: {path}", ""
    yield "position", position_text(record.position, contract), ""
    pnl = record.realized_pnl
    yield (
        "realized",
        f"{gain_text(pnl)} before costs of {money_text(record.costs)}",
        gain_style(pnl),
    )
    if account:
        yield "balance", money_text(account.balance), ""


def _counts(record: DemoRecord) -> str:
    seen = record.seen
    return (
        f"{len(record.bars)} bars, {seen[QuoteEvent]} quotes, {seen[DepthEvent]} depth updates,"
        f" {seen[MarketTradeEvent]} market trades in {record.streamed_seconds:.1f} s"
    )


def _next_steps(record: DemoRecord) -> Text:
    return Text.assemble(
        ("Next: ", "dim"), (f"tradeforge sandbox {record.provider}", "bold"),
        (" serves this venue for your own bot.", "dim"),
    )  # fmt: skip
