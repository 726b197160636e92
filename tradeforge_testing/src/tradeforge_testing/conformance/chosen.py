"""What the command line has named: the class of the kit is made when pytest looks."""

import sys

from attrs import frozen


@frozen(kw_only=True)
class Choice:
    """A provider; with `fault` or `seed`, only runs under that fault or by that seed."""

    provider: str
    fault: str | None = None
    seed: int | None = None


_chosen: list[Choice] = []
_CASES = "tradeforge_testing.conformance.cases"


def choose(choice: Choice) -> None:
    """Let the kit that pytest collects next be about this."""
    _chosen[:] = [choice]
    sys.modules.pop(_CASES, None)  # or the next run in this process would be about the last choice


def chosen() -> Choice:
    """What was chosen last. Raises `LookupError` if nothing was."""
    if not _chosen:
        raise LookupError("name a provider: pytest --tradeforge-provider NAME")
    return _chosen[0]
