"""From a name to a provider: entry points are read as text, one module is imported on demand."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from tradeforge_core.config import Settings, read_settings
from tradeforge_core.errors import ProviderLoadError, ProviderNotFound, TradeForgeError
from tradeforge_core.orders.safety import OrderSafety
from tradeforge_core.plugins import Plugins, entry_points, new_manager

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from tradeforge_core.interfaces import Sandbox
    from tradeforge_core.kit.record_to import RecordTo
    from tradeforge_core.provider import Provider

PROVIDERS = "tradeforge.providers"
SANDBOXES = "tradeforge.sandboxes"


@frozen(kw_only=True)
class ProviderInfo:
    """What a provider's `tradeforge_provider` hook returns."""

    name: str
    title: str
    create: "Callable[[Settings, Plugins], Provider]"


@frozen(kw_only=True)
class InstalledProvider:
    """What the metadata of an installed distribution says; nothing of it has been imported."""

    name: str
    distribution: str
    version: str
    module: str
    has_sandbox: bool


def installed_providers() -> list[InstalledProvider]:
    """Every installed provider by name, the broken ones too: only metadata is read."""
    sandboxes = {entry_point.name for entry_point in entry_points(SANDBOXES)}
    found = [
        InstalledProvider(
            name=entry_point.name,
            distribution=_distribution(entry_point),
            version=_version(entry_point),
            # not entry_point.module, which fails for a malformed value
            module=entry_point.value.partition(":")[0],
            has_sandbox=entry_point.name in sandboxes,
        )
        for entry_point in _unique(entry_points(PROVIDERS))
    ]
    return sorted(found, key=lambda provider: (provider.name, provider.distribution))


def load_provider(
    name: str,
    settings: Mapping[str, str] | None = None,
    *,
    plugins: Iterable[object] = (),
    safety: OrderSafety | None = None,
    record_to: "RecordTo | None" = None,
) -> "Provider":
    """The provider of this name, configured and not yet connected.

    `settings` beat the environment, which beats `.env`. `plugins` join the installed add-ons.
    `safety` is how carefully it trades, and `record_to` where it records all that goes over the
    wire; by default both are what the settings say.
    Raises `ProviderNotFound`, `ProviderLoadError`, `PluginLoadError`, `ConfigError`.
    """
    _require_text(settings)
    entry_point = _the_one(PROVIDERS, name)
    info = _provider_info(entry_point)
    found, add_ons = read_settings(name, settings), Plugins(plugins)
    with _loading(entry_point):
        provider = info.create(found, add_ons)
    provider.safety = safety or OrderSafety.from_settings(found)
    provider.record_to = record_to or _where_to_record(found)
    return provider


def load_sandbox(name: str, *, port: int = 0, seed: int = 0, control: bool = False) -> "Sandbox":
    """The sandbox of the provider of this name, not yet serving; port 0 takes a free one.

    With `control` it can be scripted over HTTP while it serves.
    Raises `ProviderNotFound`, `ProviderLoadError`.
    """
    entry_point = _the_one(SANDBOXES, name)
    with _loading(entry_point):
        sandbox: Sandbox = entry_point.load().create(port=port, seed=seed, control=control)
    return sandbox


def load_sandbox_module(name: str) -> Any:
    """The module that the sandbox of this provider comes from, for toolkits that need more of it.

    Raises `ProviderNotFound`, `ProviderLoadError`.
    """
    entry_point = _the_one(SANDBOXES, name)
    with _loading(entry_point):
        return entry_point.load()


def _where_to_record(settings: Settings) -> "RecordTo | None":
    if "TRADEFORGE_RECORD" not in settings:
        return None
    from tradeforge_core.kit.record_to import RecordTo  # only here: it is off for most

    return RecordTo.from_settings(settings)


def _require_text(settings: object) -> None:
    """Raises `TypeError`, which never has a value in it: it may be a password."""
    if settings is None:
        return
    if not isinstance(settings, Mapping):
        raise TypeError(
            "settings map names to values, as in {'NAME': 'value'}:"
            f" they are not {type(settings).__name__}"
        )
    for name, value in settings.items():
        if not isinstance(name, str):
            raise TypeError(f"the name of a setting is a str, not {type(name).__name__}")
        if not isinstance(value, str):
            raise TypeError(
                f"the value of the setting {name!r} is a str, not {type(value).__name__}"
            )


def _the_one(group: str, name: object) -> "EntryPoint":
    word = "provider" if group == PROVIDERS else "sandbox"
    if not isinstance(name, str):
        raise TypeError(f"the name of a {word} is a str, not {type(name).__name__}")
    candidates = [found for found in _unique(entry_points(group)) if found.name == name]
    if not candidates:
        raise ProviderNotFound(_unknown(group, name))
    if len(candidates) > 1:
        owners = " and ".join(f"{_distribution(one)} {_version(one)}" for one in candidates)
        raise ProviderLoadError(
            f"{name!r} is offered by {owners}: uninstall all but the one you trust"
        )
    return candidates[0]


def _unknown(group: str, name: str) -> str:
    known = sorted({entry_point.name for entry_point in entry_points(group)})
    near = difflib.get_close_matches(name.casefold(), known)
    word = "provider" if group == PROVIDERS else "sandbox"
    extra = "" if group == PROVIDERS else "[sandbox]"
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    listed = f" Installed: {', '.join(known)}." if known else " None is installed."
    package = f"tradeforge-{near[0] if near else name}{extra}"
    return f"There is no {word} {name!r}.{hint}{listed} Try: pip install {package!r}"


def _provider_info(entry_point: "EntryPoint") -> ProviderInfo:
    manager = new_manager()
    with _loading(entry_point):
        manager.register(entry_point.load())
        answers = manager.hook.tradeforge_provider()
    if len(answers) != 1 or not isinstance(answers[0], ProviderInfo):
        raise ProviderLoadError(
            f"{_origin(entry_point)} does not answer the hook tradeforge_provider with one"
            f" ProviderInfo, but with {answers!r}"
        )
    return answers[0]


@contextmanager
def _loading(entry_point: "EntryPoint") -> Iterator[None]:
    """Whatever a distribution's own code raises while it is loaded names that distribution."""
    try:
        yield
    except TradeForgeError:
        raise
    except Exception as error:
        extra = "" if entry_point.group == PROVIDERS else "[sandbox]"
        raise ProviderLoadError(
            f"{_origin(entry_point)} cannot be loaded: {type(error).__name__}: {error}."
            f" Try: pip install --upgrade '{_distribution(entry_point)}{extra}'"
        ) from error


def _unique(found: "Iterable[EntryPoint]") -> "list[EntryPoint]":
    """One entry per distribution: a distribution can be on the path twice, as in a checkout."""
    seen = {(one.name, _distribution(one), _version(one)): one for one in found}
    return list(seen.values())


def _origin(entry_point: "EntryPoint") -> str:
    word = "provider" if entry_point.group == PROVIDERS else "sandbox"
    return (
        f"the {word} {entry_point.name!r} of {_distribution(entry_point)}"
        f" {_version(entry_point)} ({entry_point.value})"
    )


def _distribution(entry_point: "EntryPoint") -> str:
    return entry_point.dist.name if entry_point.dist else "an unknown distribution"


def _version(entry_point: "EntryPoint") -> str:
    return entry_point.dist.version if entry_point.dist else "of unknown version"
