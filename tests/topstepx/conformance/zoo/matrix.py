"""The table of the zoo: each defect, and what catches it."""

from collections.abc import Iterable

from tests.topstepx.conformance.zoo.defects import Defect


def matrix(defects: Iterable[Defect]) -> str:
    """In Markdown, by name."""
    rows = [_row(one) for one in sorted(defects, key=lambda one: one.name)]
    return "\n".join(("| Defect | What is wrong | Caught by |", "|---|---|---|", *rows))


def _row(defect: Defect) -> str:
    return f"| {defect.name} | {defect.sentence} | {', '.join(defect.caught_by)} |"
