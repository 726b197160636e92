"""One order, eight faults after the venue has booked it: what was booked, and who hears what.

    python -m benchmarks.scoreboard --write

runs it against a sandbox and writes the table into `docs/order-safety.md`. The figures of the other
clients were measured once, against a venue that books every order it is sent; see there.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

import attrs
from attrs import frozen

from tradeforge_core import (
    LookUps,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Settings,
    TradeForgeError,
    outcomes,
)
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

GUIDE = Path(__file__).parents[1] / "docs" / "order-safety.md"
BEGIN, END = "<!-- scoreboard: begin -->", "<!-- scoreboard: end -->"
PLACE = "/api/Order/place"


@frozen
class Row:
    """A fault, and what other clients made of it: orders booked, and what was said."""

    name: str
    fault: Fault | int
    tradeforgepy: str
    alpaca: str
    project_x: str


ROWS = (
    Row("HTTP 500", 500, "**3**, ConnectionError", "1, APIError", "1, uncertain"),
    Row("HTTP 504", 504, "**3**", "**4**, APIError", "1, uncertain"),
    Row("no answer in time", Fault.HANG, "**3**", "waits for ever", "1, uncertain"),
    Row("the connection is reset", Fault.RESET, "**3**", "1, ConnectionError", "1, uncertain"),
    Row(
        "half of the JSON",
        Fault.TRUNCATED,
        "1, ConnectionError",
        "1, JSONDecodeError",
        "1, data error",
    ),
    Row("a page of HTML", Fault.HTML, "1, ConnectionError", "not measured", "1, data error"),
    Row("HTTP 401", 401, "**2**, as if all were well", "not measured", "1, uncertain"),
    Row("HTTP 429", 429, "1, ConnectionError", "**4**", "1, uncertain"),
)


async def measure(row: Row) -> str:
    """Orders at the venue after one call, and what the caller was told."""
    async with TopStepXSandbox(seed=7) as sandbox:
        settings = Settings("topstepx", sandbox.settings)
        patience = HttpTimeouts(answer=0.5)
        config = attrs.evolve(TopStepXConfig.from_settings(settings), timeouts=patience)
        safety = OrderSafety(look_ups=LookUps(deadline=10.0))
        async with TopStepXProvider(config, safety=safety) as broker:
            account, *_ = await broker.get_accounts()
            contract = await broker.get_contract_by_symbol("MNQ")
            sandbox.fail_next(PLACE, row.fault)
            order = OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
            said = await _told(broker, order)
        booked = len(sandbox.exchange.orders(int(account.id)))
    return f"{booked}, {said}"


async def _told(broker: TopStepXProvider, order: OrderRequest) -> str:
    try:
        placed = await broker.place_order(order)
    except TradeForgeError as error:
        return type(error).__name__
    assert placed.client_order_id is not None
    outcome = await broker.outcome(placed.client_order_id)
    assert isinstance(outcome, outcomes.Accepted)
    return f"accepted ({outcome.evidence.replace('_', ' ')})"


async def table() -> str:
    """The table in Markdown."""
    ours = [await measure(row) for row in ROWS]
    names = "TradeForge", "TradeForgePy 0.1.7", "alpaca-py 0.44.0", "project-x-py 4.4.1"
    lines = [f"| after the venue has booked the order | {' | '.join(names)} |", "|---" * 5 + "|"]
    for row, found in zip(ROWS, ours, strict=True):
        lines.append(
            f"| {row.name} | {found} | {row.tradeforgepy} | {row.alpaca} | {row.project_x} |"
        )
    return "\n".join(lines)


def with_table(text: str, found: str) -> str:
    """The guide with this table."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{found}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write it into the guide")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRADEFORGE_STATE_DIR"] = folder  # the journal of these orders is nobody's
        found = asyncio.run(table())
    if arguments.write:
        GUIDE.write_text(with_table(GUIDE.read_text(), found))
    print(found)


if __name__ == "__main__":
    main()
