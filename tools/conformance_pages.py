"""Writes the pages of the documentation that come from the conformance kit.

`python -m tools.conformance_pages NAME...` runs it for these providers only, and leaves the other
columns of the page as they are.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tradeforge_core.registry import installed_providers
from tradeforge_testing.conformance import specification
from tradeforge_testing.conformance.handbook import handbook
from tradeforge_testing.conformance.matrix import column, matrix, read_columns
from tradeforge_testing.conformance.report import Report
from tradeforge_testing.conformance.run import run_conformance

DOCS = Path(__file__).parents[1] / "docs"


def main(names: Sequence[str] = tuple(sys.argv[1:])) -> int:
    """The exit code is 1 if a provider is not conformant; its column says so all the same."""
    (DOCS / "conformance" / "requirements.md").write_text(handbook(specification()), "utf-8")
    page = DOCS / "providers.md"
    with_sandbox = [one.name for one in installed_providers() if one.has_sandbox]
    before = read_columns(page.read_text("utf-8")) if names else {}
    reports = list(_reports(names or with_sandbox))
    after = {one.provider: column(one) for one in reports}
    page.write_text(matrix(before | after), "utf-8")
    return 0 if all(one.is_conformant for one in reports) else 1


def _reports(names: Sequence[str]) -> Iterator[Report]:
    """One for each that can be run: a provider in the works may have no venue for the kit yet."""
    for name in names:
        try:
            report = run_conformance(name)
        except LookupError as error:
            print(f"{name} is left out: {error.args[0]}")  # noqa: T201  # whoever made it reads it
        else:
            print(f"{name}: {'' if report.is_conformant else 'not '}conformant")  # noqa: T201
            yield report


if __name__ == "__main__":
    sys.exit(main())
