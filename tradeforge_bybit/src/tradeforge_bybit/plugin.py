"""Answers to the name `bybit`; what is heavy is imported when the provider is made."""

from tradeforge_core import Plugins, Provider, ProviderInfo, Settings, hookimpl


def _create(settings: Settings, plugins: Plugins) -> Provider:
    from tradeforge_bybit.config import BybitConfig
    from tradeforge_bybit.provider import BybitProvider

    return BybitProvider(BybitConfig.from_settings(settings), plugins=plugins)


@hookimpl
def tradeforge_provider() -> ProviderInfo:
    return ProviderInfo(name="bybit", title="Bybit (v5, unified account)", create=_create)
