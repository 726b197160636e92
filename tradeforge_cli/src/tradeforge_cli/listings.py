"""`tradeforge providers`, `accounts` and `contracts search`: one table each."""

import sys
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from tradeforge_cli.figures import money_text
from tradeforge_cli.interruption import run
from tradeforge_cli.options import Json, ProviderName, chosen_provider, looking
from tradeforge_cli.tables import new_table, show
from tradeforge_cli.terminal import messages
from tradeforge_core import (
    Account,
    Contract,
    InstalledProvider,
    installed_providers,
    to_json,
)


def providers(*, as_json: Json = False) -> int:
    """List the installed providers, and which of them has a sandbox.

    Only what pip knows is read, so a provider that cannot be loaded shows too.
    """
    found = installed_providers()
    if not found and not as_json:
        messages().print("No provider is installed. Try: pip install tradeforge-topstepx")
    return _show(found, _providers_table(found), as_json=as_json)


def accounts(*, as_json: Json = False, provider: ProviderName = None) -> int:
    """List your accounts and their balances."""
    found = run(_fetch_accounts(chosen_provider(provider)))
    return _show(found, _accounts_table(found), as_json=as_json)


def search(
    text: Annotated[str, Parameter(help="What to look for, such as NQ or gold.")],
    /,
    *,
    as_json: Json = False,
    provider: ProviderName = None,
) -> int:
    """Find contracts by symbol or name."""
    found = run(_search_contracts(chosen_provider(provider), text))
    if not found and not as_json:
        messages().print(f"The venue finds no contract for {text!r}.", markup=False)
    return _show(found, _contracts_table(found), as_json=as_json)


async def _fetch_accounts(provider: str) -> list[Account]:
    async with looking(provider) as broker:
        return await broker.get_accounts()


async def _search_contracts(provider: str, text: str) -> list[Contract]:
    async with looking(provider) as broker:
        return await broker.search_contracts(text)


def _show(
    found: list[InstalledProvider] | list[Account] | list[Contract], table: Table, *, as_json: bool
) -> int:
    if as_json:
        sys.stdout.write(to_json(found) + "\n")
    elif found:
        show(table)
    return 0


def _providers_table(found: list[InstalledProvider]) -> Table:
    table = new_table("Name", "Distribution", "Version", "Sandbox")
    for one in found:
        table.add_row(one.name, one.distribution, one.version, _yes_no(one.has_sandbox))
    return table


def _accounts_table(found: list[Account]) -> Table:
    table = new_table("Account", "Id", "Balance", "Can trade", "Simulated")
    table.columns[2].justify = "right"
    for one in found:
        balance, may = money_text(one.balance), _yes_no(one.can_trade)
        table.add_row(one.name, one.id, balance, may, _yes_no(one.simulated))
    return table


def _contracts_table(found: list[Contract]) -> Table:
    table = new_table("Symbol", "Id", "Tick", "Tick value", "Active", "Description")
    for one in found:
        tick = f"{one.tick_size:f}"
        value = "varies" if one.tick_value is None else f"{one.tick_value:f}"
        table.add_row(one.symbol, one.id, tick, value, _yes_no(one.active), one.description)
    return table


def _yes_no(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"
