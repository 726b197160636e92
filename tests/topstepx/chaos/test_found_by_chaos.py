"""Runs in which a promise was once broken: each is a seed, and none breaks one now."""

import pytest

from tradeforge_testing.chaos import run_simulated
from tradeforge_testing.chaos.campaign import load_chaos_venue

SEEDS = {
    5811: "a request timed out while disconnect() waited, and its search outlived that",
    1508: "an order was told as filled, and as pending after that",
    1004: "a fill was lost with a connection and never told",
    131: "a position that was closed unheard was believed for ever",
    20611: "a connection that was lost as it was made was kept alive by a task",
    21195: "an order that the venue went on to refuse was told as accepted",
    2197: "the run ended while an answer was still on its way",
}


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_it_does_not_happen_again(seed: int) -> None:
    assert run_simulated(load_chaos_venue("topstepx"), seed).violations == ()
