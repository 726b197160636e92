"""What `pytest --tradeforge-provider NAME` collects."""

from tradeforge_testing.conformance.chosen import chosen
from tradeforge_testing.conformance.conformance import ProviderConformance
from tradeforge_testing.conformance.proving import known_of


class TestConformance(ProviderConformance):
    provider = chosen().provider
    known = known_of(provider)
    only_fault = chosen().fault
    only_seed = chosen().seed
