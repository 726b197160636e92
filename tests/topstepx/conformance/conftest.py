"""Hears what the tests of the kit show, for the page of the providers."""

import pytest

from tradeforge_testing.conformance.run import Ear

_EAR = pytest.StashKey[Ear]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_EAR] = Ear()
    config.pluginmanager.register(config.stash[_EAR])


@pytest.fixture
def ear(request: pytest.FixtureRequest) -> Ear:
    """All that was heard in this run of pytest so far."""
    return request.config.stash[_EAR]
