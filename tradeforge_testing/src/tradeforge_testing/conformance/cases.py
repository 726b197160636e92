"""What `pytest --tradeforge-provider NAME` collects."""

from tradeforge_testing.conformance.chosen import chosen
from tradeforge_testing.conformance.conformance import ProviderConformance


class TestConformance(ProviderConformance):
    provider = chosen().provider
    only_fault = chosen().fault
    only_seed = chosen().seed
