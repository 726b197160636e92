"""Where the command line writes: standard output for data, standard error for all else."""

import sys

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


def forgive_characters() -> None:
    """Write a question mark, not an error, where the terminal's encoding lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream put in place may lack it
        if reconfigure is not None:
            reconfigure(errors="replace")
