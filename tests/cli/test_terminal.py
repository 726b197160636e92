"""On a real terminal: pictures that change in place, and a terminal left as it was found."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator

import pytest

Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.timeout(30)

COLOURS = re.compile(rb"\x1b\[[0-9;]*(?:3[0-9]|9[0-7])[0-9;]*m")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """The two ends of a terminal of 80 by 24: what a person sees, and what a program gets."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("LINES", raising=False)
    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    yield person, program
    os.close(person)


def seen(person: int, until: bytes = b"") -> bytes:
    """What is shown up to this word, or to the end."""
    picture = b""
    while not until or until not in picture:
        try:
            picture += os.read(person, 65536)
        except OSError:  # the program has closed its end
            break
    return picture


def test_the_demo_draws_and_cleans_up(start: Start, terminal: tuple[int, int]) -> None:
    person, program = terminal
    process = start("demo", "--seconds", "0.5", stdout=program)
    os.close(program)
    picture = seen(person)
    assert process.wait() == 0
    drawn, cleaned, after = picture.partition(b"\x1b[?1049l")
    assert b"\x1b[?1049h" in drawn
    assert b"TradeForge demo" in drawn
    assert COLOURS.search(drawn)
    assert cleaned
    assert b"\x1b[?25h" in picture  # the cursor is back
    assert b"The whole job is done." in after


def test_no_color_means_no_colour(
    start: Start, terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    person, program = terminal
    process = start("demo", "--seconds", "0.5", stdout=program)
    os.close(program)
    picture = seen(person)
    assert process.wait() == 0
    assert b"TradeForge demo" in picture
    assert not COLOURS.search(picture)


def test_ctrl_c_gives_the_terminal_back(start: Start, terminal: tuple[int, int]) -> None:
    person, program = terminal
    process = start("demo", "--seconds", "5", stdout=program)
    os.close(program)
    seen(person, until=b"long 2")
    process.send_signal(signal.SIGINT)
    picture = seen(person)
    assert process.wait() == 130
    assert b"\x1b[?1049l" in picture
    assert b"\x1b[?25h" in picture
    assert process.stderr
    assert process.stderr.read() == "tradeforge: interrupted\n"


@pytest.mark.usefixtures("venue")
def test_the_table_of_quotes(start: Start, terminal: tuple[int, int]) -> None:
    person, program = terminal
    process = start("quotes", "MNQ", stdout=program)
    os.close(program)
    picture = seen(person, until=b" live")
    assert b"MNQ" in picture
    process.send_signal(signal.SIGINT)
    assert b"these prices are no longer live" in seen(person)
    assert process.wait() == 0
