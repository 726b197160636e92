"""A gap says what is missing, of what, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from tradeforge_cli.gaps import gap_text
from tradeforge_core import Gap, GapCause, MarketDataType, Topic, UserDataType

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
QUOTE, DEPTH = (Topic(kind, "CON.MNQ") for kind in (MarketDataType.QUOTE, MarketDataType.DEPTH))
ORDERS = Topic(UserDataType.ORDER_UPDATE, "1001")


def _gap(cause: GapCause, *topics: Topic, seconds: float | None = None, dropped: int = 0) -> Gap:
    return Gap(
        stream="market",
        cause=cause,
        topics=topics,
        since=None if seconds is None else NOON,
        until=NOON + timedelta(seconds=seconds) if seconds else None,
        dropped=dropped,
        received=NOON,
    )


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (_gap(GapCause.DISCONNECTED, QUOTE, seconds=0.64), "quote of MNQ missing for 0.6 s (disc"),
        (_gap(GapCause.DISCONNECTED, ORDERS, seconds=2), "order update missing for 2.0 s (discon"),
        (_gap(GapCause.DECODE_ERROR, QUOTE, DEPTH), "depth of MNQ, quote of MNQ missing (decode e"),
        (
            _gap(GapCause.OVERFLOW, DEPTH, dropped=12),
            "depth of MNQ missing (12 of them) (overflow)",
        ),
        (_gap(GapCause.DISCONNECTED, QUOTE, seconds=0), "quote of MNQ missing since "),
    ],
)
def test_it_reads_well(gap: Gap, text: str) -> None:
    assert gap_text(gap, {"CON.MNQ": "MNQ"}).startswith(f"market stream: {text}")
