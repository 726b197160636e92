"""Writes the pages of the documentation that come from the conformance kit."""

import sys
from pathlib import Path

from tradeforge_core.registry import installed_providers
from tradeforge_testing.conformance import specification
from tradeforge_testing.conformance.handbook import handbook
from tradeforge_testing.conformance.matrix import matrix
from tradeforge_testing.conformance.run import run_conformance

DOCS = Path(__file__).parents[1] / "docs"


def main() -> int:
    """The exit code is 1 if a provider is not conformant; its page says so all the same."""
    (DOCS / "conformance").mkdir(exist_ok=True)
    (DOCS / "conformance" / "requirements.md").write_text(handbook(specification()))
    names = [one.name for one in installed_providers() if one.has_sandbox]
    reports = [run_conformance(name) for name in names]
    (DOCS / "providers.md").write_text(matrix(reports))
    return 0 if all(one.is_conformant for one in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
