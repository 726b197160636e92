"""Where the command line writes: standard output for data, standard error for all else."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


class PipeConsole(Console):
    """Leaves a reader that went away to the caller, instead of ending the process at once."""

    def on_broken_pipe(self) -> None:
        raise  # rich calls this where the BrokenPipeError is being handled


def output() -> Console:
    """The console of standard output; it writes no control codes unless that is a terminal."""
    return PipeConsole(highlight=False, emoji=False)


def messages() -> Console:
    """The console of standard error."""
    return PipeConsole(stderr=True, highlight=False, emoji=False)


def has_room(console: Console) -> bool:
    """Whether a person watches and a picture that changes in place fits."""
    if not (sys.stdout.isatty() and console.is_interactive):
        return False
    return console.width >= _LEAST_COLUMNS and console.height >= _LEAST_ROWS


_LEAST_COLUMNS, _LEAST_ROWS = 80, 22


@contextmanager
def warnings_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand what the log warns of to `tell`: printed, it would tear a picture on the screen."""
    handler = _Teller(tell)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _Teller(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(f"{record.levelname.lower()}: {record.getMessage()}")


def forgive_characters() -> None:
    """Write a question mark, not an error, where the terminal's encoding lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream put in place may lack it
        if reconfigure is not None:
            reconfigure(errors="replace")
