"""How long the flood of fills is: a few cuts in every test run, a thousand with `make fills`."""

from multiprocessing import resource_tracker

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--days", type=int, default=1, help="floods of fills")
    parser.addoption("--cuts", type=int, default=8, help="cuts of the connection in each")


@pytest.fixture(scope="session", autouse=True)
def tracker_of_processes() -> None:
    """Begin Python's own helper of all pools, which lives as long as the process that has them."""
    resource_tracker.ensure_running()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "day" in metafunc.fixturenames:
        metafunc.parametrize("day", range(1, metafunc.config.getoption("--days") + 1))
