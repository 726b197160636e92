"""docs/providers.md says of Bybit what the tests of the kit have just shown, and no more.

What it says of other providers is for their own tests to hold.
"""

from pathlib import Path

import pytest

from tradeforge_testing.conformance import STANDARD
from tradeforge_testing.conformance.matrix import column, read_columns
from tradeforge_testing.conformance.run import Ear

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"


def test_the_page_says_what_was_proven(ear: Ear) -> None:
    report = ear.report("bybit")
    if len(report.tests) < len(STANDARD):
        pytest.skip("only some tests of the kit were run before this one")
    assert read_columns(PAGE.read_text())["bybit"] == column(report), (
        "make conformance writes it anew"
    )
