"""Answers to the name `topstepx`; what is heavy is imported when the provider is made."""

from tradeforge_core import Plugins, Provider, ProviderInfo, Settings, hookimpl


def _create(settings: Settings, plugins: Plugins) -> Provider:
    from tradeforge_topstepx.config import TopStepXConfig
    from tradeforge_topstepx.provider import TopStepXProvider

    return TopStepXProvider(TopStepXConfig.from_settings(settings), plugins=plugins)


@hookimpl
def tradeforge_provider() -> ProviderInfo:
    return ProviderInfo(name="topstepx", title="TopStepX (ProjectX Gateway)", create=_create)
