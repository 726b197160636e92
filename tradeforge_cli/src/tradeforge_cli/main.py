"""The `tradeforge` command: its commands, and the one place where errors become exit codes."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TypeGuard

from cyclopts import App, CycloptsError, Parameter

from tradeforge_cli import failures, listings
from tradeforge_cli import orders as order_commands
from tradeforge_cli.chaos import chaos
from tradeforge_cli.conformance import conformance
from tradeforge_cli.demo.command import demo
from tradeforge_cli.interruption import Terminated
from tradeforge_cli.new_provider import new_provider
from tradeforge_cli.quotes.command import quotes
from tradeforge_cli.recording.record import record
from tradeforge_cli.recording.replay import replay
from tradeforge_cli.sandbox import sandbox
from tradeforge_cli.terminal import forgive_characters, output


def _example(line: str) -> str:
    return f"Example: `tradeforge {line}`"


app = App(
    name="tradeforge",
    help="Trade through any broker with one interface: a demo first, then your own account.",
    help_epilogue=(
        "Start with `tradeforge demo`: it needs no account. For your broker put its settings into"
        " the environment or into a file named .env in this folder."
    ),
    version=lambda: f"tradeforge {version('tradeforge-cli')}",
    default_parameter=Parameter(negative=""),
    suppress_keyboard_interrupt=False,
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
)
contracts = App(
    name="contracts",
    help="Find contracts at your broker.",
    help_epilogue=_example("contracts search NQ"),
)
contracts.command(listings.search)

app.command(demo, help_epilogue=_example("demo --seconds 20 --seed 7"))
app.command(quotes, help_epilogue=_example("quotes MNQ ES --seconds 30"))
app.command(listings.accounts, help_epilogue=_example("accounts --json"))
app.command(contracts)
orders = App(
    name="orders",
    help="What was sent to your broker, and what became of it.",
    help_epilogue=_example("orders journal --unsettled"),
)
orders.command(order_commands.journal)
orders.command(order_commands.resolve)
orders.command(order_commands.acknowledge)
app.command(orders)
app.command(order_commands.halt, help_epilogue=_example('halt "news at 14:30"'))
app.command(order_commands.resume, help_epilogue=_example("resume"))
app.command(listings.providers, help_epilogue=_example("providers"))
app.command(record, help_epilogue=_example("record topstepx -o session.jsonl --symbol MNQ"))
app.command(replay, help_epilogue=_example("replay session.jsonl"))
app.command(chaos, help_epilogue=_example("chaos topstepx --seeds 100"))
app.command(conformance, help_epilogue=_example("conformance topstepx --html report.html"))
app.command(new_provider, help_epilogue=_example("new-provider acme"))
app.command(sandbox, help_epilogue=_example("sandbox topstepx --port 8765"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the answer."""
    if sys.stdout is None:  # closed by whoever started this: there is nobody to answer to
        return failures.FAILED
    forgive_characters()
    try:
        code = app(sys.argv[1:] if arguments is None else arguments, console=output())
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
        return failures.BROKEN_PIPE
    except KeyboardInterrupt:
        failures.say("interrupted")
        return failures.INTERRUPTED
    except Terminated:
        return failures.TERMINATED
    except CycloptsError as error:
        return failures.tell(error)
    except Exception as error:  # a person gets a line that says what to do
        if _is_of_output(error):
            _let_go_of_output()
            failures.say(f"the output cannot be written: {os.strerror(error.errno or 0)}")
            return failures.FAILED
        if os.environ.get("TRADEFORGE_DEBUG"):
            raise
        return failures.tell(error)
    return code or 0


_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a full disk says, and a terminal that is gone."""


def _is_of_output(error: Exception) -> TypeGuard[OSError]:
    """Whether the output is what failed: nothing else is written without the name of a file."""
    if not isinstance(error, OSError):
        return False
    return error.filename is None and error.errno in _UNWRITABLE


def _let_go_of_output() -> None:
    """Let the flush at the exit of Python find a place to write to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
