"""The provider keeps everything that the contract demands and that it declares."""

from tradeforge_testing.conformance import ProviderConformance


class TestConformance(ProviderConformance):
    provider = "topstepx"
