from tradeforge_testing.conformance import ProviderConformance


class TestConformance(ProviderConformance):
    provider = "hello"
