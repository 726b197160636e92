"""Where the output cannot go: said in a line, or nobody is there to be told."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import TRADEFORGE

Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.timeout(30)
COMMANDS = ["providers", "providers --json", "--version", "--help", "demo --json --seconds 0.3"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_output_ends_it_quietly(command: str) -> None:
    closing = ["sh", "-c", f'exec "$0" {command} >&-', str(TRADEFORGE)]
    ended = subprocess.run(closing, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_output_is_said_in_a_line(
    start: Start, command: str, debug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEFORGE_DEBUG", debug)
    full = os.open("/dev/full", os.O_WRONLY)
    process = start(*command.split(), stdout=full)
    os.close(full)
    assert process.stderr
    said = process.stderr.read()
    assert said == "tradeforge: the output cannot be written: No space left on device\n"
    assert process.wait() == 1
