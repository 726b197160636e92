"""The tables of hours that are shipped with this package, read when they are first asked for."""

from collections.abc import Mapping
from datetime import date, time
from functools import cache
from typing import Any

from tradeforge_core.errors import NotFound
from tradeforge_core.hours.market_hours import MarketHours, MarketState, Span
from tradeforge_core.orders.limits import TradingDay

_EVE = "-1d "


@cache
def cme_globex(group: str) -> MarketHours:
    """The hours of a group of futures of CME Group on Globex, such as `equity-index`.

    They are by rule: a notice of the exchange wins. Raises `NotFound` for another group, and
    `ConfigError` where the machine does not know the time zone of Chicago.
    """
    table = _table("cme_globex.json")
    if group not in table["groups"]:
        raise NotFound(f"there is no group {group!r}; there are {', '.join(table['groups'])}")
    hours = _hours(table, table["groups"][group])
    _ = hours.day.tzinfo  # whoever has the hours can ask for them
    return hours


@cache
def _table(file: str) -> Any:
    import json  # only here: importing is cheap
    from importlib.resources import files

    return json.loads((files("tradeforge_core.hours") / file).read_text("utf-8"))


def _hours(table: Mapping[str, Any], group: Mapping[str, Any]) -> MarketHours:
    return MarketHours(
        name=group["name"],
        day=TradingDay(starts=time.fromisoformat(table["day_starts"]), zone=table["zone"]),
        first=date.fromisoformat(table["first"]),
        last=date.fromisoformat(table["last"]),
        ordinary=_spans(group),
        between=MarketState(group["between"]),
        special={date.fromisoformat(day): _spans(one) for day, one in group["days"].items()},
    )


def _spans(row: Mapping[str, Any]) -> tuple[Span, ...]:
    found = (
        _span(opens, closes, state) for state in MarketState for opens, closes in row.get(state, ())
    )
    return tuple(sorted(found, key=lambda span: (not span.eve, span.opens)))


def _span(opens: str, closes: str, state: MarketState) -> Span:
    return Span(
        opens=time.fromisoformat(opens.removeprefix(_EVE)),
        closes=time.fromisoformat(closes),
        eve=opens.startswith(_EVE),
        state=state,
    )
