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
    read_settings,
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
    Parameter(
        name="--provider",
        help="Which provider, if several are installed; TRADEFORGE_PROVIDER in place of it.",
    ),
]
Seed: TypeAlias = Annotated[
    int, Parameter(help="Decides how the simulated market moves.", validator=Number(gte=0))
]

PROVIDER = "TRADEFORGE_PROVIDER"
"""The setting that names the provider for every command."""


def chosen_provider(name: str | None) -> str:
    """The provider that is meant. Raises `UsageError`, `ProviderNotFound`, `ConfigError`."""
    return name or _usual() or _only(_names(installed_providers(), "provider"))


def chosen_sandbox(name: str | None) -> str:
    """The sandbox that is meant; of several the first, as nothing depends on which it is.

    Raises `ProviderNotFound`, `ConfigError`.
    """
    with_one = [one for one in installed_providers() if one.has_sandbox]
    return name or _usual() or _names(with_one, "sandbox")[0]


def _usual() -> str | None:
    return read_settings().get(PROVIDER)


def _only(names: list[str]) -> str:
    if len(names) > 1:
        raise UsageError(f"choose with --provider, or {PROVIDER}, one of: {', '.join(names)}")
    return names[0]


def _names(installed: list[InstalledProvider], word: str) -> list[str]:
    if not installed:
        raise ProviderNotFound(f"No {word} is installed. Try: pip install tradeforge-topstepx")
    return sorted({one.name for one in installed})


def looking(
    provider: str,
    settings: Mapping[str, str] | None = None,
    *,
    record_to: RecordTo | None = None,
) -> Provider:
    """A provider that keeps its hands off the journals: a bot may be at work with them."""
    safety = OrderSafety(journal=JournalKind.MEMORY)
    return load_provider(provider, settings, safety=safety, record_to=record_to)


async def found_contract(broker: Provider, name: str) -> Contract:
    """The contract of this root or symbol, or else of this id."""
    try:
        return await broker.get_contract_by_symbol(name)
    except NotFound as not_a_symbol:
        try:
            return await broker.get_contract(name)
        except NotFound:
            raise not_a_symbol from None
