"""What a provider knows to be broken is said by the module of its sandbox, to every kind of run."""

import sys
from pathlib import Path

import pytest

from tradeforge_testing.conformance.report import Report, Verdict
from tradeforge_testing.conformance.run import run_conformance

MODULE = """
from hello_provider.provider import HelloProvider
from hello_provider.sandbox import HelloSandbox
from tradeforge_testing.sandbox import JsonChaos

create = HelloSandbox

class Deaf(HelloProvider):
    async def _fetch_accounts(self):
        return []

def chaos_venue(seed):
    return JsonChaos(HelloSandbox, Deaf, seed)
"""
KNOWN = """
def conformance_known():
    from tradeforge_testing.conformance import Known, Why
    return {"TF-ACC-010": Known(Why.BUG, "nobody looked", "https://example.org/1")}
"""
ENTRY_POINTS = "[tradeforge.providers]\ndeaf = deaf\n[tradeforge.sandboxes]\ndeaf = deaf\n"


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, only: str) -> Report:
    distribution = folder / "deaf-1.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: deaf\nVersion: 1\n")
    (distribution / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "deaf.py").write_text(module)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "deaf", raising=False)
    return run_conformance("deaf", only=[only])


def test_a_failure_that_nobody_knows_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = run(tmp_path, monkeypatch, MODULE, "TF-ACC-010").results
    assert found.verdict is Verdict.BROKEN
    assert "tradeforge conformance deaf --only TF-ACC-010" in found.tests[0].detail


def test_one_that_is_known_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = run(tmp_path, monkeypatch, MODULE + KNOWN, "TF-ACC-010")
    (found,) = report.results
    assert (found.verdict, report.is_conformant) == (Verdict.KNOWN, True)
    assert found.tests[0].detail == "known bug: nobody looked (https://example.org/1)"


def test_one_that_passes_again_has_to_be_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healed = (MODULE + KNOWN).replace("return []", "return await super()._fetch_accounts()")
    (found,) = run(tmp_path, monkeypatch, healed, "TF-ACC-010").results
    assert found.verdict is Verdict.BROKEN
    assert "it passes now" in found.tests[0].detail
