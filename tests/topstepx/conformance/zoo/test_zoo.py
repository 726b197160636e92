"""Every defect of the zoo is caught by each requirement that it names."""

from functools import cache

import pytest
from tests.topstepx.conformance.zoo import living, reading, sending, streaming
from tests.topstepx.conformance.zoo.defects import ZOO, Defect

from tradeforge_testing.conformance import STANDARD

HOUSES = (living, reading, sending, streaming)
"""What enters its defects into the zoo when it is imported."""


@pytest.mark.parametrize("name", ZOO)
def test_the_defect_is_caught(name: str) -> None:
    defect = ZOO[name]

    @cache
    def catches(test: str) -> bool:
        return _fails(defect, test)

    missed = [one for one in defect.caught_by if not any(map(catches, _tests_of(one)))]
    assert not missed, f"{defect.sentence} That is not caught by {', '.join(missed)}"


def _tests_of(requirement: str) -> list[str]:
    return [name for name, proves in STANDARD.items() if requirement in proves]


def _fails(defect: Defect, test: str) -> bool:
    try:
        getattr(defect.suite(), test)()
    except Exception as error:
        if not defect.is_caught_as(error):
            raise
        return True
    return False
