"""What the contract demands of a provider: numbered requirements, read from one file."""

import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

from attrs import frozen

from tradeforge_core import BarUnit, Capabilities, MarketDataType, OrderType, UserDataType

FIRST = "1.0"
"""The version of the contract that began it."""


class Level(StrEnum):
    """As in RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"


@frozen(kw_only=True)
class Requirement:
    """One sentence that a provider keeps or does not keep.

    `needs` is the capability that it is about, such as `order:limit`: it binds the providers that
    declare it. None binds everybody. `unprovable` says why no broken provider can show that the
    tests of it find anything.
    """

    id: str
    level: Level
    area: str
    text: str
    why: str
    needs: str | None = None
    unprovable: str | None = None
    since: str = FIRST
    """The version of the contract that it came with."""


@frozen(kw_only=True)
class Specification:
    """All requirements, by id, in the order of the file; `areas` are their headings."""

    version: str
    areas: Mapping[str, str]
    requirements: Mapping[str, Requirement]

    def decides(self, requirement: Requirement) -> bool:
        """Whether it has to be kept: one that is new in this version is only told until the next.

        So a new version of the kit breaks no provider that was conformant.
        """
        is_new = requirement.since != FIRST and requirement.since == self.version
        return requirement.level is Level.MUST and not is_new

    def of_area(self, area: str) -> list[Requirement]:
        return [one for one in self.requirements.values() if one.area == area]


@cache
def specification() -> Specification:
    """That of this version of the kit. Raises `ValueError` for a file that contradicts itself."""
    text = files("tradeforge_testing.conformance").joinpath("requirements.toml").read_text("utf-8")
    data = tomllib.loads(text)
    areas: dict[str, str] = data["areas"]
    found = [_requirement(one, areas) for one in data["requirement"]]
    requirements = {one.id: one for one in found}
    if len(requirements) < len(found):
        raise ValueError("two requirements have the same id")
    return Specification(version=data["version"], areas=areas, requirements=requirements)


def _requirement(row: Mapping[str, str], areas: Mapping[str, str]) -> Requirement:
    area = row["id"].split("-")[1]
    if area not in areas:
        raise ValueError(f"{row['id']} is of an area that there is not")
    return Requirement(**{**row, "level": Level(row["level"])}, area=area)  # type: ignore[arg-type]


def declares(capabilities: Capabilities, need: str | None) -> bool:
    """Whether a provider of these capabilities is bound by a requirement that needs this."""
    if need is None:
        return True
    kind, _, name = need.partition(":")
    return _DECLARED[kind](capabilities, name)


_DECLARED: Mapping[str, Callable[[Capabilities, str], bool]] = {
    "brackets": lambda has, name: has.brackets,
    "order": lambda has, name: OrderType(name) in has.order_types,
    "market": lambda has, name: MarketDataType(name) in has.market_data,
    "user": lambda has, name: UserDataType(name) in has.user_data,
    "bars": lambda has, name: BarUnit(name) in has.bar_units if name else bool(has.bar_units),
    "class": lambda has, name: has.venue_class == name,
}
