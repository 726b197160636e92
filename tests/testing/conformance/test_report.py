"""A report says of each requirement the worst that its tests say, and the page says the same."""

from datetime import UTC, datetime

import pytest
from attrs import evolve

from tradeforge_core import Capabilities, OrderType
from tradeforge_testing.conformance import specification
from tradeforge_testing.conformance.handbook import handbook
from tradeforge_testing.conformance.matrix import column, matrix, read_columns
from tradeforge_testing.conformance.met import FaultRun
from tradeforge_testing.conformance.page import page
from tradeforge_testing.conformance.report import Report, TestResult, Verdict

KEPT, BROKEN, KNOWN, UNDECLARED = (
    Verdict.KEPT,
    Verdict.BROKEN,
    Verdict.KNOWN,
    Verdict.NOT_DECLARED,
)


def result(verdict: Verdict, *ids: str, detail: str = "", runs: int = 0) -> TestResult:
    return TestResult(
        name="test_it_holds",
        requirements=ids,
        verdict=verdict,
        seconds=0.1,
        detail=detail,
        runs=tuple(
            FaultRun(fault="net.refused", rows=("F01",), seed=seed, fired=seed % 2)
            for seed in range(1, runs + 1)
        ),
    )


def report(*tests: TestResult) -> Report:
    return Report(
        provider="mine",
        distribution="tradeforge-mine",
        versions={"tradeforge-testing": "1.2.3", "tradeforge-mine": "4.5"},
        capabilities=Capabilities(order_types=frozenset({OrderType.LIMIT})),
        specification=specification(),
        began=datetime(2026, 1, 2, tzinfo=UTC),
        seconds=1.0,
        tests=tests,
    )


@pytest.mark.parametrize(
    ("verdicts", "whole", "conformant"),
    [
        ([KEPT], KEPT, True),
        ([KEPT, BROKEN], BROKEN, False),
        ([BROKEN, KNOWN], BROKEN, False),
        ([KEPT, KNOWN], KNOWN, True),
        ([UNDECLARED, KEPT], KEPT, True),
        ([UNDECLARED], UNDECLARED, True),
    ],
)
def test_the_worst_test_decides(verdicts: list[Verdict], whole: Verdict, conformant: bool) -> None:
    told = report(*(result(one, "TF-ORD-010") for one in verdicts))
    (only,) = told.results
    assert only.verdict is whole
    assert told.is_conformant is conformant
    assert told.as_data()["totals"][whole.value] == 1


def test_what_is_only_wished_for_does_not_decide() -> None:
    assert report(result(KEPT, "TF-ORD-010"), result(BROKEN, "TF-FIL-040")).is_conformant


def test_what_is_new_in_the_contract_does_not_decide_before_the_next() -> None:
    spec = specification()
    new = evolve(spec.requirements["TF-ORD-020"], since="1.1")
    requirements = dict(spec.requirements) | {new.id: new}
    told = report(result(KEPT, "TF-ORD-010"), result(BROKEN, "TF-ORD-020"))
    assert not told.is_conformant
    for version, conformant in (("1.1", True), ("1.2", False)):
        later = evolve(spec, version=version, requirements=requirements)
        assert evolve(told, specification=later).is_conformant is conformant
    assert "(since 1.1)" in handbook(evolve(spec, requirements=requirements))


def test_nothing_tried_is_nothing_proven() -> None:
    assert not report().is_conformant


def test_the_page_shows_what_is_broken_and_runs_no_text() -> None:
    told = page(report(result(BROKEN, "TF-ORD-010", detail="<script>alert(1)</script>")))
    assert "not conformant" in told
    assert "&lt;script&gt;alert(1)" in told
    assert "<script" not in told
    assert 'id="TF-ORD-010"' in told
    assert "TF-ORD-020" not in told  # it was not tried
    assert "http" not in told  # it needs no other file


def test_data_has_all_that_the_page_has() -> None:
    data = report(result(KEPT, "TF-ORD-010", "TF-ORD-020")).as_data()
    assert [row["id"] for row in data["requirements"]] == ["TF-ORD-010", "TF-ORD-020"]
    assert data["conformant"] is True
    assert (data["kit_version"], data["provider_version"]) == ("1.2.3", "4.5")


def test_a_requirement_has_the_faults_that_it_was_tried_under() -> None:
    told = report(result(KEPT, "TF-SAF-010", runs=3), result(KEPT, "TF-SAF-010", runs=1))
    faults = [{"fault": "net.refused", "rows": ["F01"], "runs": 4, "fired": 3, "seeds": [1, 2, 3]}]
    (row,) = told.as_data()["requirements"]
    assert row["faults"] == faults == told.as_data()["faults"]
    assert "4 runs under 1 fault, which happened 3 times" in page(told)


def test_what_is_broken_says_how_to_run_it_again() -> None:
    told = report(result(BROKEN, "TF-SAF-010", runs=2), result(BROKEN, "TF-ORD-010"))
    lines = [row["tests"][0]["reproduce"] for row in told.as_data()["requirements"]]
    assert lines == [
        "tradeforge conformance mine --only TF-ORD-010",
        "tradeforge conformance mine --only TF-SAF-010 --fault net.refused --seed 2",
    ]
    assert all(line in page(told) for line in lines)


def test_a_cell_without_a_passing_test_cannot_say_yes() -> None:
    rows = matrix({"mine": column(report(result(BROKEN, "TF-CAP-040")))}).splitlines()
    assert "| order: limit | not proven |" in rows
    assert "| order: market | no |" in rows
    assert "| Capabilities | 0 of 1 |" in rows
    for verdict in (KNOWN, UNDECLARED):
        told = column(report(result(verdict, "TF-CAP-040")))
        assert "**yes**" not in told.values()
    kept = matrix({"mine": column(report(result(KEPT, "TF-CAP-040")))})
    assert "| order: limit | **yes** |" in kept


def test_the_columns_of_a_page_can_be_read_again() -> None:
    columns = {
        "mine": column(report(result(KEPT, "TF-CAP-040"))),
        "another": column(report(result(BROKEN, "TF-CAP-040"))),
    }
    page_of_two = matrix(columns)
    assert "| | another | mine |" in page_of_two
    assert "| order: limit | not proven | **yes** |" in page_of_two
    assert read_columns(page_of_two) == columns
    assert matrix(read_columns(page_of_two)) == page_of_two


def test_a_column_that_is_older_has_gaps_and_no_wrong_cells() -> None:
    new = column(report(result(KEPT, "TF-CAP-040")))
    old = {row: cell for row, cell in new.items() if row.name != "order: limit"}
    assert "| order: limit | **yes** | – |" in matrix({"new": new, "old": old})
