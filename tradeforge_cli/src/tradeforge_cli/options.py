"""The options that several commands share, and how a provider is chosen."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from tradeforge_cli.failures import UsageError
from tradeforge_core import (
    Contract,
    InstalledProvider,
    JournalKind,
    NotFound,
    OrderSafety,
    Provider,
    ProviderNotFound,
    RecordTo,
    installed_providers,
    load_provider,
)

Json: TypeAlias = Annotated[
    bool,
    Parameter(
        name="--json",
        help="Print JSON for a program instead of text for a person.",
        show_default=False,
    ),
]
ProviderName: TypeAlias = Annotated[
    str | None,
    Parameter(name="--provider", help="Which provider; needed when several are installed."),
]
Seed: TypeAlias = Annotated[
    int, Parameter(help="Decides how the simulated market moves.", validator=Number(gte=0))
]


def chosen_provider(name: str | None) -> str:
    """The provider that is meant. Raises `UsageError`, `ProviderNotFound`."""
    return name or _only(installed_providers(), "provider")


def looking(
    provider: str,
    settings: Mapping[str, str] | None = None,
    *,
    record_to: RecordTo | None = None,
) -> Provider:
    """A provider that keeps its hands off the journals: a bot may be at work with them."""
    safety = OrderSafety(journal=JournalKind.MEMORY)
    return load_provider(provider, settings, safety=safety, record_to=record_to)


def chosen_sandbox(name: str | None) -> str:
    """The sandbox that is meant. Raises `UsageError`, `ProviderNotFound`."""
    return name or _only([one for one in installed_providers() if one.has_sandbox], "sandbox")


def _only(installed: list[InstalledProvider], word: str) -> str:
    names = sorted({one.name for one in installed})
    if not names:
        raise ProviderNotFound(f"No {word} is installed. Try: pip install tradeforge-topstepx")
    if len(names) > 1:
        raise UsageError(f"choose with --provider one of: {', '.join(names)}")
    return names[0]


async def found_contract(broker: Provider, name: str) -> Contract:
    """The contract of this root or symbol, or else of this id."""
    try:
        return await broker.get_contract_by_symbol(name)
    except NotFound as not_a_symbol:
        try:
            return await broker.get_contract(name)
        except NotFound:
            raise not_a_symbol from None
