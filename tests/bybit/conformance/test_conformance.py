"""The provider keeps what the contract demands, that it declares, and that its venue has."""

from tradeforge_bybit.sandbox import conformance_known
from tradeforge_testing.conformance import ProviderConformance


class TestConformance(ProviderConformance):
    provider = "bybit"
    known = conformance_known()
