"""`tradeforge record`: a bug report, as one file."""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.live import Live
from rich.text import Text

from tradeforge_cli.failures import UsageError, say
from tradeforge_cli.interruption import Terminated, run, while_painting
from tradeforge_cli.options import found_contract, looking
from tradeforge_cli.terminal import messages, output
from tradeforge_core import Provider, RecordTo, load_sandbox

_MEGABYTE = 1024 * 1024


def record(
    name: Annotated[str, Parameter(help="The provider to record, such as topstepx.")],
    /,
    *,
    to: Annotated[Path, Parameter(name=["--output", "-o"], help="The file; it must be a new one.")],
    symbol: Annotated[
        list[str] | None,
        Parameter(help="A root, symbol or contract id to watch; can be given several times."),
    ] = None,
    account: Annotated[
        list[str] | None,
        Parameter(help="An account id to watch; without it all that may trade are watched."),
    ] = None,
    seconds: Annotated[
        float | None,
        Parameter(
            help="End after this many seconds; without it, Ctrl-C ends.", validator=Number(gt=0)
        ),
    ] = None,
    megabytes: Annotated[
        float,
        Parameter(
            help="The most of the disk to take; then the newest replaces the oldest.",
            validator=Number(gte=0.0625, lte=100_000),
        ),
    ] = 64.0,
    sandbox: Annotated[
        bool, Parameter(help="Record a local venue that is started for it.", show_default=False)
    ] = False,
) -> int:
    """Record all that goes over the wire while your accounts and some contracts are watched.

    No order is placed. Keys, tokens, names and account ids are left out, so that the file can be
    given away: look through it before you do. `tradeforge replay` plays it.
    """
    _check_place(to)
    where = RecordTo(path=to, most_bytes=int(megabytes * _MEGABYTE))
    job = _Job(name, where, symbol or [], account or [])
    try:
        run(job.run(seconds, sandbox=sandbox))
    except (KeyboardInterrupt, Terminated):
        pass  # the way it is meant to end
    finally:
        job.tell_end()
    return 0


def _check_place(path: Path) -> None:
    if path.exists():
        raise UsageError(f"{path} is there already: choose another name")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")


class _Job:
    """One recording, from the login to the last line of the file."""

    def __init__(self, name: str, where: RecordTo, symbols: list[str], accounts: list[str]) -> None:
        self._name = name
        self._where = where
        self._symbols = symbols
        self._accounts = accounts
        self._broker: Provider | None = None

    async def run(self, seconds: float | None, *, sandbox: bool) -> None:
        async with AsyncExitStack() as stack:
            settings = None
            if sandbox:
                settings = (await stack.enter_async_context(load_sandbox(self._name))).settings
            broker = self._broker = looking(self._name, settings, record_to=self._where)
            broker.on_error(lambda error: say(str(error)))
            await stack.enter_async_context(broker)
            await self._watch(broker)
            await self._wait(broker, seconds)

    async def _watch(self, broker: Provider) -> None:
        contracts = [(await found_contract(broker, one)).id for one in self._symbols]
        accounts = self._accounts or [one.id for one in await broker.get_accounts()]
        if contracts:
            await broker.subscribe_market_data(contracts, broker.capabilities.market_data)
        if accounts:
            await broker.subscribe_user_data(accounts, broker.capabilities.user_data)

    async def _wait(self, broker: Provider, seconds: float | None) -> None:
        console = messages()
        if not console.is_terminal:
            return await _pause(seconds)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            await while_painting(
                _pause(seconds), lambda: live.update(_live_line(broker), refresh=True)
            )

    def tell_end(self) -> None:
        """The name of the file and the digest of what was known, if there is a recording."""
        recorder = self._broker.recorder if self._broker else None
        if recorder is None:
            return
        if recorder.state is None or not recorder.path.exists():
            say(f"the recording is not whole; what there is of it is in {recorder.path}.parts")
            return
        size = recorder.path.stat().st_size / _MEGABYTE
        output().print(f"{recorder.path}: {recorder.count} lines, {size:.2f} MB", soft_wrap=True)
        output().print(f"state {recorder.state}", soft_wrap=True)


async def _pause(seconds: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


def _live_line(broker: Provider) -> Text:
    recorder = broker.recorder
    if recorder is None:
        return Text("nothing is recorded")
    size = recorder.size / _MEGABYTE
    return Text(
        f"recording {recorder.path}: {recorder.count} lines, {size:.2f} MB,"
        f" {broker.status} (Ctrl-C ends)"
    )
