"""A verdict does not depend on how the market of a venue moves, which its name decides."""

import pytest

from hello_provider.provider import HelloProvider
from hello_provider.sandbox import HelloSandbox
from tradeforge_testing.chaos.run import MakeVenue
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.conformance import ProviderConformance
from tradeforge_testing.sandbox import JsonChaos


class Elsewhere(ProviderConformance):
    provider = "hello"
    root = ""

    def make_venue(self) -> MakeVenue:
        class Sandbox(HelloSandbox):
            prefix = self.root

            @property
            def settings(self) -> dict[str, str]:
                found = super().settings
                return {name.replace(self.prefix, "HELLO"): one for name, one in found.items()}

        def venue(seed: int) -> ChaosVenue:
            return JsonChaos(Sandbox, HelloProvider, seed)

        return venue


@pytest.mark.parametrize("root", ["QUI", "ABC", "STU", "EFG"])
def test_five_quotes_may_take_more_than_five_steps(root: str) -> None:
    suite = Elsewhere()
    suite.root = root
    suite.test_subscribers_do_not_harm_each_other()
