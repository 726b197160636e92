"""Answers to the name `hello`."""

from tradeforge_core import Plugins, Provider, ProviderInfo, Settings, hookimpl


def _create(settings: Settings, plugins: Plugins) -> Provider:
    from hello_provider.provider import HelloProvider  # only here: nobody may ever ask for it

    return HelloProvider(settings, plugins=plugins)


@hookimpl
def tradeforge_provider() -> ProviderInfo:
    return ProviderInfo(name="hello", title="Hello", create=_create)
