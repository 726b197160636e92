"""Defects of how a provider is found and configured: each has a distribution of its own."""

import asyncio
from pathlib import Path
from typing import ClassVar

from attrs import frozen
from tests.topstepx.conformance.zoo.defects import defect

from tradeforge_core import ConfigError, Plugins, Provider, ProviderInfo, Settings, hookimpl
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox


@frozen
class Plugin:
    """What both entry points of the distribution load."""

    logs_in: bool = False
    is_vague: bool = False
    forgets: tuple[str, ...] = ()

    @hookimpl
    def tradeforge_provider(self) -> ProviderInfo:
        return ProviderInfo(name="zoo", title="A provider of the zoo", create=self._create)

    def _create(self, settings: Settings, plugins: Plugins) -> Provider:
        try:
            provider = Found(TopStepXConfig.from_settings(settings), plugins=plugins)
        except ConfigError:
            if self.is_vague:
                raise ConfigError("the settings are not complete") from None
            raise
        if self.logs_in:
            asyncio.get_running_loop().create_task(provider.connect())
        return provider

    def create(self, **options: int) -> TopStepXSandbox:
        return _Forgetful(self.forgets, **options)


class _Forgetful(TopStepXSandbox):
    def __init__(self, forgets: tuple[str, ...], *, port: int, seed: int, control: int) -> None:
        super().__init__(port=port, seed=seed, control=bool(control))
        self._forgets = forgets

    @property
    def settings(self) -> dict[str, str]:
        return {name: one for name, one in super().settings.items() if name not in self._forgets}


class Found(TopStepXProvider):
    """The provider as it should be, under a name of its own."""

    name = "zoo"
    plugin: ClassVar = Plugin()


def install(provider: type[TopStepXProvider], folder: Path) -> None:
    """Write a distribution there that offers the provider and its sandbox as `zoo`."""
    info = folder / "zoo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    there = f"zoo = {provider.__module__}:{provider.__name__}.plugin\n"
    text = f"[tradeforge.providers]\n{there}[tradeforge.sandboxes]\n{there}"
    (info / "entry_points.txt").write_text(text)


@defect("TF-DIS-010")
class LogsInWhenMade(Found):
    """The provider connects as soon as it is configured."""

    plugin = Plugin(logs_in=True)


@defect("TF-DIS-020")
class SandboxWithoutTheKey(Found):
    """The settings of the sandbox lack the key."""

    plugin = Plugin(forgets=("TS_API_KEY",))


@defect("TF-DIS-030")
class MissingSettingIsNotNamed(Found):
    """That a setting is missing is said, and not which."""

    plugin = Plugin(is_vague=True)
