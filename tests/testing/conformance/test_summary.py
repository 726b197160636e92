"""The line that sums a report up is of that report alone."""

import json
from typing import Any

import pytest
from tests.testing.conformance.test_report import BROKEN, KEPT, UNDECLARED, report, result

from tradeforge_testing.conformance.summary import SummaryMismatch, check_summary, summary_line


def of(*verdicts: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The line as it is read again, and the report as it is read again."""
    ids = ("TF-ORD-010", "TF-ORD-020", "TF-ORD-030")
    told = report(*(result(one, name) for one, name in zip(verdicts, ids, strict=False)))
    return json.loads(summary_line(told)), json.loads(json.dumps(told.as_data()))


def test_it_is_one_line_and_checks() -> None:
    line, data = of(KEPT, KEPT, UNDECLARED)
    assert summary_line(report()).count("\n") == 1
    assert (line["message"], line["color"], line["conformant"]) == (
        "2 of 2 kept",
        "brightgreen",
        True,
    )
    check_summary(line, data)
    check_summary(line, dict(reversed(data.items())))


def test_a_broken_report_is_red() -> None:
    line, data = of(KEPT, BROKEN)
    assert (line["message"], line["color"]) == ("1 of 2 kept", "red")
    check_summary(line, data)


@pytest.mark.parametrize(
    ("name", "value"), [("message", "2 of 2 kept"), ("conformant", True), ("provider_version", "9")]
)
def test_a_line_that_was_changed_is_found(name: str, value: object) -> None:
    line, data = of(KEPT, BROKEN)
    with pytest.raises(SummaryMismatch, match=name):
        check_summary(line | {name: value}, data)


def test_a_report_that_was_changed_is_found() -> None:
    line, data = of(KEPT, BROKEN)
    data["requirements"][1]["tests"][0]["detail"] = "it is nothing"
    with pytest.raises(SummaryMismatch, match="digest"):
        check_summary(line, data)
