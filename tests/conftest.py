"""What holds for every test."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tradeforge_testing.conformance.run import Ear

# a busy machine is no failure
settings.register_profile("tradeforge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tradeforge")

_EAR = pytest.StashKey[Ear]()


def pytest_configure(config: pytest.Config) -> None:
    """Let programs that tests start be interrupted, also where this process was told not to be.

    A shell that runs the tests in the background ignores SIGINT, and so would all its children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource_tracker.ensure_running()  # once begun it stays, whoever needs it first
    gc.set_threshold(50_000, 20, 100)  # as Python has it, a tenth of the time goes into looking
    if sys.dont_write_bytecode and config.pluginmanager.has_plugin("cacheprovider"):
        _compile_once(config)
    config.stash[_EAR] = Ear()
    config.pluginmanager.register(config.stash[_EAR])


def _compile_once(config: pytest.Config) -> None:
    """Keep what Python compiles, though not beside the modules, where it was told to keep nothing.

    Tests start the command a hundred times; half of what each costs would be to compile it again.
    """
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(config.cache.mkdir("compiled"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


@pytest.fixture
def ear(request: pytest.FixtureRequest) -> Ear:
    """What the tests of the conformance kit have shown so far, of every provider."""
    return request.config.stash[_EAR]


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the journals of a test are: never those of whoever runs it."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(folder))
    return folder


_OPEN_FILES = "/proc/self/fd"  # no Path: this is asked for twice in every test
_ROUNDS = 20
"""Turns of the event loop that what is closing may take to be closed."""


@pytest.fixture(autouse=True)
def leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves a socket or file behind, where the system lists those, nor a task."""
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("leaves_loop_idle")
        yield  # files too are asked for there: closing the loop would end what holds them
        return
    files = _open_files()
    yield
    assert not (left := _open_files() - files), f"left behind: {left}"


@pytest.fixture
async def leaves_loop_idle() -> AsyncIterator[None]:
    """Neither task nor file outlives the test and its fixtures by more than a few turns."""
    tasks, files = asyncio.all_tasks(), _open_files()
    yield
    mine = tasks | {asyncio.current_task()}
    for _ in range(_ROUNDS):
        if not (left := (asyncio.all_tasks() - mine) or (_open_files() - files)):
            return
        await asyncio.sleep(0)
    raise AssertionError(f"left behind: {left}")


def _open_files() -> set[str]:
    """What is open, each by its number and what it is."""
    found = set[str]()
    for number in os.listdir(_OPEN_FILES) if os.path.exists(_OPEN_FILES) else ():
        with suppress(OSError):  # the one that the listing itself needed is gone
            found.add(f"{number}: {os.readlink(f'{_OPEN_FILES}/{number}')}")
    return found


@pytest.fixture(params=["websockets", "picows"])
def websocket_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The library under the WebSocket: what uses this runs once over each."""
    from tradeforge_core.kit import _websockets, websocket

    chosen: type[websocket.WebSocket] = _websockets.WebsocketsSocket
    if request.param == "picows":
        pytest.importorskip("picows", reason="the extra [fast] is not installed")
        from tradeforge_core.kit import _picows

        chosen = _picows.PicowsSocket
    monkeypatch.setattr(websocket, "library", lambda: chosen)
    return str(request.param)
