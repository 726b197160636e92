"""What each provider can do and what it has proven, as a page in Markdown.

A cell says yes only where the requirement that proves it was kept in the run that made the column.
A page can be read again, so a column of it can be held to a report, or be replaced by another one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from attrs import frozen

from tradeforge_core import BarUnit, Capabilities, MarketDataType, OrderType, UserDataType
from tradeforge_testing.conformance.report import Report, Verdict

_HEAD = """# Providers

What each provider can do, and what it has proven. This page is made by `make conformance`, which
runs the conformance kit against every provider; `make test` holds it to what its own run has shown.
**yes** is proven by a test; **no** is not declared, and refused before anything leaves; **not
proven** is declared, and no test has shown it.
"""
_ABLE = "What they can do"
_PROVEN = "What they have proven"
_NOTES: Mapping[str, str] = {
    _ABLE: "",
    _PROVEN: "Requirements that are kept, of those that bind it."
    " [Every requirement](conformance/requirements.md).\n\n",
}
_NOT_THERE = "–"
_NOT_TYPES = (OrderType.UNKNOWN,)

_PROOFS: Mapping[str, tuple[str, Iterable[str]]] = {
    "order": ("TF-CAP-040", [one.value for one in OrderType if one not in _NOT_TYPES]),
    "market data": ("TF-CAP-050", [one.value for one in MarketDataType]),
    "user data": ("TF-CAP-050", [one.value for one in UserDataType]),
    "bars": ("TF-CAP-060", [one.value for one in BarUnit]),
}
"""The requirement that proves each kind of capability."""
_SWITCHES = {
    "orders that only reduce": "reduce_only",
    "orders that only rest": "post_only",
    "sizes in quote": "quote_size",
}


@frozen(order=True)
class Row:
    """One line of the page: its table, and what it is about."""

    table: str
    name: str


Column = Mapping[Row, str]
"""What the page says of one provider."""


def column(report: Report) -> Column:
    """What the page has to say of the provider of this report."""
    able = {Row(_ABLE, name): cell for name, cell in _abilities(report)}
    return able | {
        Row(_PROVEN, name): _of_area(report, area)
        for area, name in report.specification.areas.items()
    }


def read_columns(text: str) -> dict[str, Column]:
    """What a page says, by provider."""
    columns: dict[str, dict[Row, str]] = {}
    table, names = "", list[str]()
    for line in text.splitlines():
        first, *cells = [one.strip() for one in line.strip("|").split("|")]
        if line.startswith("## "):
            table, names = line.removeprefix("## "), []
        elif line.startswith("|") and not names:
            names = cells
        elif line.startswith("| "):
            for name, cell in zip(names, cells, strict=True):
                columns.setdefault(name, {})[Row(table, first)] = cell
    return dict(columns)


def matrix(columns: Mapping[str, Column]) -> str:
    """The whole page, with a column for each provider, by name."""
    names = sorted(columns)
    rows = list(dict.fromkeys(row for name in names for row in columns[name]))
    tables = groupby(sorted(rows, key=lambda row: row.table != _ABLE), attrgetter("table"))
    return _HEAD + "".join(_section(table, list(some), names, columns) for table, some in tables)


def _section(
    table: str, rows: Sequence[Row], names: Sequence[str], columns: Mapping[str, Column]
) -> str:
    lines = (
        f"| {row.name} | "
        + " | ".join(columns[name].get(row, _NOT_THERE) for name in names)
        + " |\n"
        for row in rows
    )
    head = f"| | {' | '.join(names)} |\n{'|---' * (len(names) + 1)}|\n"
    return f"\n## {table}\n\n{_NOTES[table]}{head}{''.join(lines)}"


def _abilities(report: Report) -> Iterator[tuple[str, str]]:
    for kind, (proof, names) in _PROOFS.items():
        for name in names:
            declared = name in _has(report.capabilities, kind)
            yield f"{kind}: {name.replace('_', ' ')}", _yes(report, proof) if declared else "no"
    yield "brackets", _yes(report, "TF-BRA-010") if report.capabilities.brackets else "no"
    for name, flag in _SWITCHES.items():
        declared = getattr(report.capabilities, flag)
        yield name, _yes(report, "TF-CAP-070") if declared else "no"
    yield "venue class", report.capabilities.venue_class.value.upper()


def _has(has: Capabilities, kind: str) -> frozenset[str]:
    found: Mapping[str, Iterable[str]] = {
        "order": has.order_types,
        "market data": has.market_data,
        "user data": has.user_data,
        "bars": has.bar_units,
    }
    return frozenset(found[kind])


def _yes(report: Report, proof: str) -> str:
    kept = any(
        one.requirement.id == proof and one.verdict is Verdict.KEPT for one in report.results
    )
    return "**yes**" if kept else "not proven"


def _of_area(report: Report, area: str) -> str:
    results = [one for one in report.results if one.requirement.area == area]
    bound = [one for one in results if one.verdict is not Verdict.NOT_DECLARED]
    kept = sum(one.verdict is Verdict.KEPT for one in bound)
    return f"{kept} of {len(bound)}" if bound else _NOT_THERE
