"""`tradeforge sandbox`: a venue on this machine, for a bot in another window."""

import asyncio
import json
import shlex
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from tradeforge_cli.failures import UsageError
from tradeforge_cli.interruption import Terminated, run
from tradeforge_cli.options import PROVIDER, Json, Seed
from tradeforge_core import Sandbox, load_sandbox


def sandbox(
    name: Annotated[str, Parameter(help="The provider whose venue to serve, such as topstepx.")],
    /,
    *,
    port: Annotated[
        int,
        Parameter(help="Where to listen; 0 takes a free port.", validator=Number(gte=0, lt=65536)),
    ] = 0,
    seed: Seed = 0,
    control: Annotated[
        bool, Parameter(help="Let anybody on this machine script the venue: faults, fills, prices.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Serve a local venue for your bot, and print the settings to reach it.

    Nothing leaves this machine and no account is needed. It runs until Ctrl-C or SIGTERM.
    """
    venue = load_sandbox(name, port=port, seed=seed, control=control)
    try:
        run(_serve(venue, name, seed, as_json=as_json))
    except (KeyboardInterrupt, Terminated):
        pass  # the way it is meant to end
    return 0


async def _serve(venue: Sandbox, name: str, seed: int, *, as_json: bool) -> None:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(venue)
        except OSError as error:
            raise UsageError(f"the sandbox cannot listen there: {error.strerror}") from error
        settings = {**venue.settings, PROVIDER: name}
        sys.stdout.write(_as_json(settings) if as_json else _as_text(settings, name, seed))
        sys.stdout.flush()
        await asyncio.Event().wait()


def _as_json(settings: Mapping[str, str]) -> str:
    return json.dumps(settings) + "\n"


def _as_text(settings: Mapping[str, str], name: str, seed: int) -> str:
    exports = [f"export {key}={shlex.quote(value)}" for key, value in settings.items()]
    return "\n".join(
        [
            f"# The {name} sandbox is serving (seed {seed}); Ctrl-C ends it.",
            "# Copy these lines into the shell of your bot, or, without the word `export`,",
            "# into a file named .env in the folder where your bot starts.",
            *exports,
            "",
        ]
    )
