"""What holds for every test."""

import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, also where this process was told not to be.

    A shell that runs the tests in the background ignores SIGINT, and so would all its children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the journals of a test are: never those of whoever runs it."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(folder))
    return folder


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
