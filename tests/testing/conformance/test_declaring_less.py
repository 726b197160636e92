"""A provider in the works declares less, and the kit asks for no more than it declares."""

from collections.abc import Iterator, Sequence

import pytest
from attrs import evolve

import tradeforge_core as tf
from hello_provider.provider import HelloProvider
from hello_provider.sandbox import HelloSandbox
from tradeforge_testing.chaos.faults import ChaosFault
from tradeforge_testing.chaos.run import MakeVenue
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.conformance import STANDARD, ProviderConformance
from tradeforge_testing.sandbox import JsonChaos


class NoWaiting(HelloProvider):
    """Takes orders at the market, and tells of no account."""

    capabilities = evolve(
        HelloProvider.capabilities,
        order_types=frozenset({tf.OrderType.MARKET}),
        user_data=frozenset(),
        bar_units=frozenset(),
    )
    stream_of = {tf.MarketDataType.QUOTE: "stream"}


class NoMarket(HelloProvider):
    """Tells of orders alone, and of no market."""

    capabilities = evolve(
        HelloProvider.capabilities,
        venue_class=tf.VenueClass.C,
        market_data=frozenset(),
        user_data=frozenset({tf.UserDataType.ORDER_UPDATE}),
    )
    stream_of = {tf.UserDataType.ORDER_UPDATE: "stream"}


class Less(ProviderConformance):
    make: type[HelloProvider]
    only_seed = 1

    def make_venue(self) -> MakeVenue:
        def venue(seed: int) -> ChaosVenue:
            found = JsonChaos(HelloSandbox, self.make, seed)
            found.faults = tuple(_one_of_each_row(found.faults))
            return found

        return venue


def _one_of_each_row(faults: Sequence[ChaosFault]) -> Iterator[ChaosFault]:
    """What the others of a row add is for whole runs of the kit."""
    seen = set[str]()
    for one in faults:
        if not seen.issuperset(one.rows):
            seen.update(one.rows)
            yield one


class LessWaiting(Less):
    make = NoWaiting


class LessMarket(Less):
    make = NoMarket


_FOUND_BY_NAME = "TF-DIS"
"""What is about the installed distribution, which these have none of."""
TESTS = [
    name
    for name, proves in STANDARD.items()
    if not any(one.startswith(_FOUND_BY_NAME) for one in proves)
]


@pytest.mark.parametrize("suite", [LessWaiting, LessMarket])
@pytest.mark.parametrize("name", TESTS)
def test_what_is_not_declared_is_not_asked_for(suite: type[Less], name: str) -> None:
    try:
        getattr(suite(), name)()
    except pytest.skip.Exception as skipped:
        assert "not declared" in str(skipped)


def test_what_needs_an_order_that_waits_says_so() -> None:
    with pytest.raises(pytest.skip.Exception, match="an order type that waits for its price"):
        LessWaiting().test_a_cancelled_order_is_cancelled_at_the_venue()
