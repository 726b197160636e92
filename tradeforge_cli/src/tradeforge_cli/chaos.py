"""`tradeforge chaos`: a provider, its venue and the network fail in every known way."""

import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import Progress

from tradeforge_cli import failures, tables
from tradeforge_cli.failures import UsageError
from tradeforge_cli.options import Json
from tradeforge_cli.terminal import messages, output
from tradeforge_cli.tools import tool


def chaos(
    name: Annotated[str, Parameter(help="The provider to try, such as topstepx.")],
    /,
    *,
    seeds: Annotated[
        int, Parameter(help="How many runs.", validator=Number(gte=1, lte=10_000_000))
    ] = 300,
    seed: Annotated[int | None, Parameter(help="One run: this one.")] = None,
    first: Annotated[int, Parameter(help="The seed to begin with.")] = 1,
    wire: Annotated[
        bool, Parameter(help="Over real sockets and in real time, not simulated.")
    ] = False,
    jobs: Annotated[
        int | None,
        Parameter(help="Processes; by default one for each processor.", validator=Number(gte=1)),
    ] = None,
    least: Annotated[
        int, Parameter(help="Fail unless each fault happened so often.", validator=Number(gte=0))
    ] = 0,
    as_json: Json = False,
) -> int:
    """Trade on a local venue while everything fails, and check that no promise is broken.

    Each run is a seed: it decides what is traded, what fails, and when. Nothing leaves this
    machine. The exit code is 1 if a promise was broken; the report says how to see it again.
    """
    chosen = [seed] if seed is not None else list(range(first, first + seeds))
    report = _run(name, chosen, wire=wire, jobs=jobs)
    rare = sorted(fault for fault, times in report.fired.items() if times < least)
    if as_json:
        sys.stdout.write(json.dumps(_as_data(report, rare)) + "\n")
    else:
        _show(report, rare)
    return failures.FAILED if report.violations or rare else 0


def _run(name: str, seeds: list[int], *, wire: bool, jobs: int | None) -> Any:
    run_campaign = tool("chaos")
    with Progress(console=messages(), transient=True) as progress:
        task = progress.add_task(f"chaos {name}", total=len(seeds))
        try:
            return run_campaign(
                name, seeds, wire=wire, jobs=jobs, told=lambda runs: progress.advance(task, runs)
            )
        except LookupError as error:
            raise UsageError(str(error.args[0])) from error


def _as_data(report: Any, rare: list[str]) -> dict[str, Any]:
    return {
        "provider": report.provider,
        "mode": "wire" if report.wire else "simulated",
        "runs": report.runs,
        "orders": report.orders,
        "events": report.events,
        "faults": [
            {"name": name, "rows": list(report.rows[name]), "fired": fired}
            for name, fired in report.fired.items()
        ],
        "rare": rare,
        "violations": [
            {"seed": seed, "reproduce": report.reproduction(seed), "violations": list(lines)}
            for seed, lines in sorted(report.violations.items())
        ],
        "traces": {str(seed): trace for seed, trace in sorted(report.traces.items())},
    }


def _show(report: Any, rare: list[str]) -> None:
    table = tables.new_table("fault", "fired", "stands for")
    for name, fired in sorted(report.fired.items()):
        table.add_row(name, str(fired), " ".join(report.rows[name]))
    tables.show(table)
    total = sum(report.fired.values())
    output().print(
        f"{report.runs} runs, {report.orders} orders, {report.events} events, {total} faults,"
        f" {len(report.violations)} runs with a broken promise"
    )
    for seed, lines in sorted(report.violations.items()):
        output().print(report.reproduction(seed), style="bold red", soft_wrap=True)
        for line in lines:
            output().print(f"  {line}", soft_wrap=True, markup=False)
    if rare:
        output().print(f"not often enough: {', '.join(rare)}", soft_wrap=True)
