"""What is heard in one run of pytest is kept apart by provider."""

import os
from pathlib import Path

import pytest

from tradeforge_testing.conformance.report import Verdict
from tradeforge_testing.conformance.run import Ear, run_conformance

CASES = """
from tradeforge_testing.chaos.campaign import load_chaos_venue
from tradeforge_testing.conformance import ProviderConformance

class TestOne(ProviderConformance):
    provider = "topstepx"

class TestOther(ProviderConformance):
    provider = "other"

    def make_venue(self):
        return load_chaos_venue("topstepx")
"""
ENTRY_POINTS = "[tradeforge.providers]\nother = other\n"
CHOSEN = "test_accounts_are_the_venues"


def test_each_report_has_the_tests_of_its_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution = tmp_path / "other-3.2.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 3.2\n")
    (distribution / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    cases, ear = tmp_path / "test_cases.py", Ear()
    cases.write_text(CASES)
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    where = ["-c", os.devnull, f"--rootdir={tmp_path}", str(cases)]
    assert pytest.main([*quiet, *where, "-k", CHOSEN], plugins=[ear]) == 0
    for provider, version in (("topstepx", None), ("other", "3.2")):
        report = ear.report(provider)
        assert [one.verdict for one in report.tests] == [Verdict.KEPT], provider
        assert report.capabilities.order_types
        assert version in (None, report.versions[report.distribution])


def test_one_process_runs_the_kit_for_one_choice_after_another() -> None:
    name = "topstepx"
    first = run_conformance(name, only=["TF-SAF-010"], fault="net.half_answer", seed=2)
    then = run_conformance(name, only=["TF-SAF-010"], fault="net.half_request")
    assert [[one.fault for one in report.faults] for report in (first, then)] == [
        ["net.half_answer"],
        ["net.half_request"],
    ]
