"""`tradeforge conformance`: a verdict for people, for programs, and for a CI."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tradeforge_cli.main import main
from tradeforge_testing.conformance.summary import check_summary

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.timeout(120)


def test_an_area_of_topstepx_is_kept(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page, junit = tmp_path / "report.html", tmp_path / "junit.xml"
    arguments = ["topstepx", "--only", "ACC", "--html", str(page), "--junit", str(junit)]
    assert main(["conformance", *arguments]) == 0
    assert "topstepx is conformant: 2 kept" in capfd.readouterr().out
    assert "TF-ACC-020" in page.read_text()
    cases = ElementTree.parse(junit).findall(".//testcase")  # it is our own
    assert len(cases) == 2


def test_a_line_for_a_badge_is_of_the_report(tmp_path: Path) -> None:
    line, told = tmp_path / "badge.json", tmp_path / "report.json"
    files = ["--json", str(told), "--summary", str(line)]
    assert main(["conformance", "topstepx", "--only", "TF-CON-040", *files]) == 0
    check_summary(json.loads(line.read_text()), json.loads(told.read_text()))


def test_a_program_gets_json_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", "topstepx", "--only", "TF-CON-040", "--json", "-"]) == 0
    data = json.loads(capfd.readouterr().out)
    assert [row["id"] for row in data["requirements"]] == ["TF-CON-040"]
    assert data["totals"]["kept"] == 1


def test_one_run_is_run_again_by_its_fault_and_seed(capfd: Capture) -> None:
    chosen = ["--only", "TF-SAF-010", "--fault", "net.half_answer", "--seed", "2"]
    assert main(["conformance", "topstepx", *chosen, "--json", "-"]) == 0
    data = json.loads(capfd.readouterr().out)
    (counted,) = data["faults"]
    assert (counted["fault"], counted["seeds"]) == ("net.half_answer", [2])
    assert counted["fired"] >= counted["runs"] >= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["topstepx", "--fault", "net.gremlins"], "net.gremlins is no fault here: net.refused,"),
        (["topstepx", "--only", "TF-NOT-010"], "is no requirement and no area"),
        (["nosuch"], "There is no sandbox 'nosuch'"),
        (["topstepx", "--spend", "50"], "--spend needs --live"),
        (["topstepx", "--account", "1001"], "--account needs --live"),
        (["topstepx", "--live", "MNQ", "--only", "ORD"], "--only is for a run against the sandbox"),
        (["topstepx", "--live", "MNQ", "--seed", "2"], "--seed is for a run against the sandbox"),
    ],
)
def test_what_cannot_be_run_is_said(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", *arguments]) == 2
    assert said in capfd.readouterr().err


def test_pytest_runs_the_kit_without_a_test_file(tmp_path: Path) -> None:
    done = subprocess.run(  # our own interpreter
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tradeforge-provider",
            "topstepx",
            "-k",
            "account",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert " passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
