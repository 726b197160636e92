"""Every defect of the zoo is caught by each requirement that it names."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.topstepx.conformance.zoo import answers, finding, living, reading, sending, streaming
from tests.topstepx.conformance.zoo.defects import ZOO, Defect, suite_of
from tests.topstepx.conformance.zoo.finding import Found, install
from tests.topstepx.conformance.zoo.matrix import matrix

from tradeforge_testing.conformance import STANDARD
from tradeforge_testing.conformance.specification import specification

HOUSES = (answers, finding, living, reading, sending, streaming)
"""What enters its defects into the zoo when it is imported."""

PAGE = Path(__file__).parents[4] / "docs" / "conformance" / "zoo.md"


@pytest.mark.parametrize("name", ZOO)
def test_the_defect_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defect = ZOO[name]
    if issubclass(defect.provider, Found):
        install(defect.provider, tmp_path)
        monkeypatch.syspath_prepend(tmp_path)

    @cache
    def catches(test: str) -> bool:
        return _fails(defect, test)

    missed = [one for one in defect.caught_by if not any(map(catches, _tests_of(one)))]
    assert not missed, f"{defect.sentence} That is not caught by {', '.join(missed)}"


def test_a_sound_provider_of_that_distribution_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(Found, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    suite = suite_of(Found)()
    for test in ("DIS-010", "DIS-030", "DIS-040"):
        for name in _tests_of(f"TF-{test}"):
            getattr(suite, name)()


def test_an_error_of_the_defects_own_code_is_no_proof() -> None:
    defect = next(iter(ZOO.values()))
    try:
        ZOO["a slip"]
    except KeyError as error:
        assert not defect.is_caught_as(error)


def test_every_requirement_catches_a_defect_or_says_why_none_can_exist() -> None:
    caught = {one for defect in ZOO.values() for one in defect.caught_by}
    unprovable = {one.id for one in specification().requirements.values() if one.unprovable}
    assert caught | unprovable == set(specification().requirements)
    assert not caught & unprovable
    assert len(ZOO) >= 40


def test_the_page_has_the_matrix() -> None:
    table = matrix(ZOO.values())
    print(table)  # noqa: T201  # `make zoo` shows it
    assert table in PAGE.read_text("utf-8"), f"put this into {PAGE.name}:\n{table}"


def _tests_of(requirement: str) -> Iterator[str]:
    return (name for name, proves in STANDARD.items() if requirement in proves)


def _fails(defect: Defect, test: str) -> bool:
    try:
        getattr(suite_of(defect.provider)(), test)()
    except Exception as error:  # whatever it is, it is judged
        if not defect.is_caught_as(error):
            raise
        return True
    return False
