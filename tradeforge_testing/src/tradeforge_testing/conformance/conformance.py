"""The kit as a class: three lines in a provider's own tests run all of it."""

from collections.abc import Mapping
from typing import Any

from tradeforge_testing.conformance.proving import PROVES
from tradeforge_testing.conformance.specification import specification
from tradeforge_testing.conformance.suite import AREAS


class ProviderConformance(*AREAS):  # type: ignore[misc]
    """Every test of the kit, for the provider of this name.

        class TestConformance(ProviderConformance):
            provider = "mine"

    `known` has the requirements that fail for a reason, by id. Tests cannot be replaced or taken
    away: a class that tries is a `TypeError`.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if replaced := [name for name in vars(cls) if name in STANDARD]:
            raise TypeError(f"standard tests stay as they are: {', '.join(replaced)}")
        if unknown := set(cls.known) - set(specification().requirements):
            raise TypeError(f"there are no such requirements: {', '.join(sorted(unknown))}")


STANDARD: Mapping[str, tuple[str, ...]] = {
    name: getattr(test, PROVES)
    for area in AREAS
    for name, test in vars(area).items()
    if hasattr(test, PROVES)
}
"""The tests of the kit by name, with what each proves."""
