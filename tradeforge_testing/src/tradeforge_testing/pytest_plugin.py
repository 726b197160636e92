"""`pytest --tradeforge-provider NAME`: run the conformance kit, with no test file at all."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "tradeforge_testing.conformance.suite", "tradeforge_testing.conformance.trial"
)

_CASES = Path(__file__).with_name("conformance") / "cases.py"
_OPTION = "--tradeforge-provider"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tradeforge", "the conformance kit of TradeForge")
    group.addoption(
        _OPTION,
        metavar="NAME",
        help="run the conformance kit against the installed provider of this name",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Without any path the kit is all that is run; beside paths it has to be named by them."""
    name: str | None = config.getoption(_OPTION)
    if name is None:
        return
    from tradeforge_testing.conformance.chosen import Choice, choose

    choose(Choice(provider=name))
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(_CASES)]
