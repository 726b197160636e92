"""`tradeforge demo`: the whole job on a local venue, without an account."""

import sys
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from tradeforge_cli import failures
from tradeforge_cli.demo.job import DemoJob
from tradeforge_cli.demo.lines import Nothing, StoryLines
from tradeforge_cli.demo.outcome import as_json as outcome_as_json
from tradeforge_cli.demo.outcome import missing
from tradeforge_cli.demo.record import DemoRecord
from tradeforge_cli.demo.screen import DemoScreen
from tradeforge_cli.demo.summary import summary
from tradeforge_cli.demo.view import DemoView
from tradeforge_cli.interruption import run, while_painting
from tradeforge_cli.options import Json, ProviderName, Seed, chosen_sandbox, looking
from tradeforge_cli.terminal import has_room, messages, output
from tradeforge_core import Sandbox, load_sandbox


def demo(
    *,
    seconds: Annotated[
        float, Parameter(help="How long to stream.", validator=Number(gt=0, lte=86_400))
    ] = 8.0,
    seed: Seed = 0,
    as_json: Json = False,
    provider: ProviderName = None,
) -> int:
    """Trade on a local venue before your eyes: no account, no money, no network.

    It logs in, downloads bars, streams quotes, the book and your own orders and fills, buys,
    cancels a resting order, sells again and says what came of it. The exit code is 0 only if
    all of that happened.
    """
    name = chosen_sandbox(provider)
    record = DemoRecord(name, seed, seconds)
    run(_demo(load_sandbox(name, seed=seed), record, _view(record, as_json=as_json)))
    _conclude(record, as_json=as_json)
    if lacks := missing(record):
        failures.say(f"the demo is not complete: {'; '.join(lacks)}")
        return failures.FAILED
    return 0


async def _demo(venue: Sandbox, record: DemoRecord, view: DemoView) -> None:
    async with venue:
        record.tell(f"the {record.provider} sandbox is serving on this machine")
        broker = looking(record.provider, venue.settings)  # its venue ends with it
        with view:
            await while_painting(DemoJob(broker, record, venue.symbol).run(), view.paint)


def _view(record: DemoRecord, *, as_json: bool) -> DemoView:
    if as_json:
        return StoryLines(record, messages()) if sys.stderr.isatty() else Nothing()
    console = output()
    return DemoScreen(record, console) if has_room(console) else StoryLines(record, console)


def _conclude(record: DemoRecord, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(outcome_as_json(record) + "\n")
    else:
        output().print(summary(record), soft_wrap=True)
