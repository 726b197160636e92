"""What went wrong, as one line on standard error and an exit code."""

from cyclopts import CycloptsError
from rich.text import Text

from tradeforge_cli.terminal import messages
from tradeforge_core import ConfigError, ProviderNotFound, TradeForgeError

FAILED, USAGE, INTERRUPTED, BROKEN_PIPE, TERMINATED = 1, 2, 130, 141, 143
"""Exit codes; above 128 it is the number of the signal, as shells have it."""


class UsageError(Exception):
    """The command line asks for what cannot be done; the message says what to write instead."""


_USAGE_ERRORS = (UsageError, CycloptsError, ConfigError, ProviderNotFound)


def tell(error: BaseException) -> int:
    """Write the line for `error`; the exit code that goes with it."""
    first = _first(error)
    say(_message(first))
    return USAGE if isinstance(first, _USAGE_ERRORS) else FAILED


def say(message: str) -> None:
    """Write one line to standard error, with whatever brackets and line breaks are in it."""
    line = Text.assemble(("tradeforge: ", "bold red"), " ".join(message.split()))
    messages().print(line, soft_wrap=True)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _message(error: BaseException) -> str:
    if isinstance(error, CycloptsError):
        command = " ".join(["tradeforge", *(error.command_chain or ())])
        return f"{error} Try: {command} --help"
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, TradeForgeError):
        return str(error) or type(error).__name__
    return f"unexpected {type(error).__name__}: {error} (TRADEFORGE_DEBUG=1 shows where)"
