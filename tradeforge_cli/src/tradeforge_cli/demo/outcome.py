"""Whether the demo did all it had to do, and the answer for a program."""

import json
from decimal import Decimal

from tradeforge_cli.demo.record import WANTED, DemoRecord
from tradeforge_core import DepthEvent, MarketTradeEvent, OrderStatus, OrderUpdateEvent, QuoteEvent


def missing(record: DemoRecord) -> list[str]:
    """What did not happen, in words; empty after a complete demo."""
    found = [f"no {word} arrived" for kind, word in WANTED.items() if not record.seen[kind]]
    if record.status_of(record.entry_id) is not OrderStatus.FILLED:
        found.append("the market order was not filled")
    if record.status_of(record.resting_id) is not OrderStatus.CANCELLED:
        found.append("the limit order was not cancelled")
    if record.position_after != 0:
        found.append(f"the position is not flat ({record.position_after})")
    return found + [f"an error was reported: {error}" for error in record.errors]


def as_json(record: DemoRecord) -> str:
    """One JSON object; the profit is exact, as text."""
    return json.dumps(
        {
            "provider": record.provider,
            "account": record.account.name if record.account else None,
            "contract": record.contract.symbol if record.contract else None,
            "bars": len(record.bars),
            "quotes": record.seen[QuoteEvent],
            "depth_updates": record.seen[DepthEvent],
            "market_trades": record.seen[MarketTradeEvent],
            "order_events": record.seen[OrderUpdateEvent],
            "fills": len(record.fills),
            "position_after": _number(record.position_after),
            "realized_pnl": format(record.realized_pnl, "f"),
            "seconds": round(record.streamed_seconds, 1),
        }
    )


def _number(size: Decimal | None) -> int | float | None:
    if size is None:
        return None
    return int(size) if size == size.to_integral_value() else float(size)
