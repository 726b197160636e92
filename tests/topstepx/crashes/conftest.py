"""How many crashes: one of each kind of a few in every test run, all of them with `make crash`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crash-seeds", type=int, help="crashes at every point; 0 is a few of them")
