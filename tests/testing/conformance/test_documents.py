"""The documents of the kit are made of what it is."""

from pathlib import Path

from tradeforge_testing.conformance import specification
from tradeforge_testing.conformance.handbook import handbook

PAGE = Path(__file__).parents[3] / "docs" / "conformance" / "requirements.md"


def test_the_page_of_requirements_is_the_specification() -> None:
    assert PAGE.read_text() == handbook(specification()), "make conformance writes it anew"
