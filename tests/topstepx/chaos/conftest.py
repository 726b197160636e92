"""How long the flood of fills is: a few cuts in every test run, a thousand with `make fills`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--days", type=int, default=1, help="floods of fills")
    parser.addoption("--cuts", type=int, default=8, help="cuts of the connection in each")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "day" in metafunc.fixturenames:
        metafunc.parametrize("day", range(1, metafunc.config.getoption("--days") + 1))
