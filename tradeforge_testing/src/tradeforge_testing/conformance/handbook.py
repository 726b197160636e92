"""The specification as a document, in Markdown."""

from collections.abc import Iterator

from tradeforge_testing.conformance.specification import FIRST, Requirement, Specification

_HEAD = """# What the contract demands

Version {version} of the contract, {number} requirements. They are read from one file,
`requirements.toml` of `tradeforge-testing`, and this page is made of it by `make conformance`. A
requirement binds the providers that declare what it needs. Tests of the kit try each of them, and
each test names what it proves: `tradeforge conformance NAME --only ID` runs them.
"""


def handbook(spec: Specification) -> str:
    """The whole page."""
    head = _HEAD.format(version=spec.version, number=len(spec.requirements))
    return head + "".join(_areas(spec))


def _areas(spec: Specification) -> Iterator[str]:
    for area, name in spec.areas.items():
        yield f"\n## {name}\n\n| id | | what it demands | why |\n|---|---|---|---|\n"
        yield from map(_row, spec.of_area(area))


def _row(one: Requirement) -> str:
    needs = f" (needs `{one.needs.rstrip(':')}`)" if one.needs else ""
    needs += f" (since {one.since})" if one.since != FIRST else ""
    return f"| {one.id} | {one.level.value} | {one.text}{needs} | {one.why} |\n"
