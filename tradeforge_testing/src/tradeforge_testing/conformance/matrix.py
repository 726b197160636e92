"""What each provider can do and what it has proven, as a page in Markdown.

A cell says yes only where the requirement that proves it was kept in the run that made the page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tradeforge_core import BarUnit, Capabilities, MarketDataType, OrderType, UserDataType
from tradeforge_testing.conformance.report import Report, Verdict

_HEAD = """# Providers

What each provider can do, and what it has proven. This page is made by `make conformance`, which
runs the conformance kit against every provider; `make test` holds it to what its own run has shown.
**yes** is proven by a test; **no** is not declared, and refused before anything leaves.
"""
_NOT_TYPES = (OrderType.UNKNOWN,)

_PROOFS: Mapping[str, tuple[str, Iterable[str]]] = {
    "order": ("TF-CAP-040", [one.value for one in OrderType if one not in _NOT_TYPES]),
    "market data": ("TF-CAP-050", [one.value for one in MarketDataType]),
    "user data": ("TF-CAP-050", [one.value for one in UserDataType]),
    "bars": ("TF-CAP-060", [one.value for one in BarUnit]),
}
"""The requirement that proves each kind of capability."""


def matrix(reports: Sequence[Report]) -> str:
    """The whole page, with a column for each report."""
    return (
        _HEAD
        + "\n## What they can do\n\n"
        + _table(reports, _abilities(reports))
        + "\n## What they have proven\n\nRequirements that are kept, of those that bind it."
        " [Every requirement](conformance/requirements.md).\n\n" + _table(reports, _areas(reports))
    )


def _table(reports: Sequence[Report], rows: Iterable[tuple[str, list[str]]]) -> str:
    head = "| | " + " | ".join(one.provider for one in reports) + " |\n"
    line = "|---" * (len(reports) + 1) + "|\n"
    return head + line + "".join(f"| {name} | {' | '.join(cells)} |\n" for name, cells in rows)


def _abilities(reports: Sequence[Report]) -> Iterator[tuple[str, list[str]]]:
    for kind, (proof, names) in _PROOFS.items():
        for name in names:
            word = f"{kind}: {name.replace('_', ' ')}"
            yield (
                word,
                [_yes(one, proof) if name in _has(one, kind) else "no" for one in reports],
            )
    yield (
        "brackets",
        [_yes(one, "TF-BRA-010") if one.capabilities.brackets else "no" for one in reports],
    )
    yield "venue class", [_class_of(one) for one in reports]


def _has(report: Report, kind: str) -> frozenset[str]:
    has: Capabilities = report.capabilities
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


def _class_of(report: Report) -> str:
    return report.capabilities.venue_class.value.upper()


def _areas(reports: Sequence[Report]) -> Iterator[tuple[str, list[str]]]:
    for area, name in reports[0].specification.areas.items():
        yield name, [_of_area(one, area) for one in reports]


def _of_area(report: Report, area: str) -> str:
    results = [one for one in report.results if one.requirement.area == area]
    bound = [one for one in results if one.verdict is not Verdict.NOT_DECLARED]
    kept = sum(one.verdict is Verdict.KEPT for one in bound)
    return f"{kept} of {len(bound)}" if bound else "–"
