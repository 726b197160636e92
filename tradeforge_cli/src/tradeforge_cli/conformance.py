"""`tradeforge conformance`: what a provider keeps of the contract, offline and with proof."""

import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.progress import Progress
from rich.text import Text

from tradeforge_cli import failures, tables
from tradeforge_cli.failures import UsageError
from tradeforge_cli.terminal import messages, output
from tradeforge_cli.tools import tool
from tradeforge_core.models import exact

_STYLES = {"kept": "green", "broken": "bold red", "known": "yellow", "not declared": "dim"}


def conformance(
    name: Annotated[str, Parameter(help="The provider to try, such as topstepx.")],
    /,
    *,
    only: Annotated[
        list[str] | None, Parameter(help="A requirement (TF-ORD-010) or an area (ORD); may repeat.")
    ] = None,
    json_file: Annotated[
        str | None,
        Parameter(
            name="--json",
            help="Write everything here as JSON; - prints it.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    html: Annotated[Path | None, Parameter(help="Write a page for people here.")] = None,
    junit: Annotated[Path | None, Parameter(help="Write a JUnit file for a CI here.")] = None,
    summary: Annotated[
        Path | None, Parameter(help="Write one line of JSON here, for a badge, with a digest.")
    ] = None,
    fault: Annotated[
        str | None, Parameter(help="Only what is tried under this fault, such as net.late_answer.")
    ] = None,
    seed: Annotated[int | None, Parameter(help="Only runs by this seed.")] = None,
    live: Annotated[
        str | None,
        Parameter(help="At your own account, with this contract (MNQ): settings as for trading."),
    ] = None,
    account: Annotated[
        str | None, Parameter(help="With --live: the account; by default a simulated one.")
    ] = None,
    spend: Annotated[
        str | None,
        Parameter(help="With --live: what a round trip at the market may cost; without, none."),
    ] = None,
) -> int:
    """Prove what a provider keeps of the contract, without an account and without a network.

    Every requirement is tried against the provider's own sandbox, many of them while the venue or
    the network fails. The exit code is 1 if a requirement that binds the provider is not kept.

    With --live a few of them are tried at your own account, with orders of the smallest size. Only
    what was placed there is taken back, and nothing is sent that could fill unless --spend allows.
    """
    if live is None:
        _refuse("needs --live", {"--account": account, "--spend": spend})
        report = _run(name, only=only or [], junit=junit, fault=fault, seed=seed)
    else:
        offline = {"--only": only, "--junit": junit, "--fault": fault, "--seed": seed}
        _refuse("is for a run against the sandbox, without --live", offline)
        report = _run_live(name, live, account, spend)
    if json_file is not None:
        _write(json_file, json.dumps(report.as_data(), indent=2, ensure_ascii=False) + "\n")
    if html is not None:
        html.write_text(tool("conformance_page")(report), encoding="utf-8")
    if summary is not None:
        summary.write_text(tool("conformance_summary")(report), encoding="utf-8")
    if json_file != "-":
        _show(report)
    return 0 if report.is_conformant else failures.FAILED


def _refuse(why: str, options: Mapping[str, object]) -> None:
    """Raises `UsageError` for any of them that is given: it would be passed over in silence."""
    for option, value in options.items():
        if value is not None:
            raise UsageError(f"{option} {why}")


def _run(name: str, **chosen: Any) -> Any:
    run_conformance = tool("conformance")
    with Progress(console=messages(), transient=True) as progress:
        task = progress.add_task(f"conformance of {name}", total=None)
        try:
            return run_conformance(
                name,
                **chosen,
                told=lambda result, tests: progress.update(task, advance=1, total=tests),
            )
        except (LookupError, ValueError) as error:
            raise UsageError(str(error.args[0])) from error


def _run_live(name: str, symbol: str, account: str | None, spend: str | None) -> Any:
    most = None if spend is None else _amount(spend)
    with Progress(console=messages(), transient=True) as progress:
        task = progress.add_task(f"{name} at your account", total=None)
        return tool("conformance_live")(
            name,
            symbol=symbol,
            account_id=account,
            spend=most,
            told=lambda result, tests: progress.update(task, advance=1, total=tests),
        )


def _amount(text: str) -> Decimal:
    try:
        return exact(text)
    except ValueError as error:
        raise UsageError(f"--spend: {error}") from error


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
    else:
        Path(path).write_text(text, encoding="utf-8")


def _show(report: Any) -> None:
    table = tables.new_table("area", "kept", "broken", "known", "not declared")
    for area, title in report.specification.areas.items():
        found = [one.verdict.value for one in report.results if one.requirement.area == area]
        if found:
            counts = (str(found.count(word) or "") for word in _STYLES)
            table.add_row(title, *counts)
    tables.show(table)
    for test in report.tests:
        if test.verdict.value != "kept":
            named = f"{test.name} ({', '.join(test.requirements)})"
            output().print(Text(named, _STYLES[test.verdict.value]))
            output().print(f"  {test.detail}", soft_wrap=True, markup=False)
    for test in report.tests:
        if "no fault of rows" in test.detail:
            line = f"{test.name} ({', '.join(test.requirements)}): {test.detail}"
            output().print(Text(line, "dim"), soft_wrap=True)
    _conclude(report)


def _conclude(report: Any) -> None:
    totals = report.as_data()["totals"]
    words = ", ".join(f"{number} {word}" for word, number in totals.items() if number)
    verdict = "conformant" if report.is_conformant else "not conformant"
    output().print(f"{report.provider} is {verdict}: {words}, in {report.seconds:.0f} s")
