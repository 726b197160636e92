"""A test that nothing can go wrong for at a venue proves nothing, and says so."""

import pytest

from tradeforge_testing.chaos.campaign import load_chaos_venue
from tradeforge_testing.chaos.faults import ASKING, ChaosFault
from tradeforge_testing.chaos.run import MakeVenue
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.conformance import ProviderConformance


def without_faults(seed: int) -> ChaosVenue:
    """A venue whose sandbox has no fault of its own; the network still has."""
    venue = load_chaos_venue("topstepx")(seed)
    venue.faults = ()
    return venue


class Bare(ProviderConformance):
    provider = "topstepx"

    def make_venue(self) -> MakeVenue:
        return without_faults


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("test_a_refused_login_is_told_as_such", "F19"),
        ("test_what_a_live_stream_loses_is_found", "F64, F65, F66, F67"),
        ("test_reads_that_are_behind_are_no_proof_of_flat", "F69"),
    ],
)
def test_a_test_without_a_fault_is_not_declared(name: str, rows: str) -> None:
    with pytest.raises(pytest.skip.Exception, match=f"the sandbox has no fault of rows {rows}"):
        getattr(Bare(), name)()


def with_a_fault_that_never_happens(seed: int) -> ChaosVenue:
    venue = without_faults(seed)
    nothing = ChaosFault("nothing", "F67", lambda stage, action, random: None, actions=ASKING)
    venue.faults = (nothing,)
    return venue


class Idle(Bare):
    def make_venue(self) -> MakeVenue:
        return with_a_fault_that_never_happens


def test_a_fault_that_never_happens_proves_nothing() -> None:
    with pytest.raises(pytest.skip.Exception, match="no fault of rows"):
        Idle().test_what_a_live_stream_loses_is_found()


def test_a_run_tells_whether_its_fault_happened() -> None:
    suite = Bare()
    suite.test_a_venue_that_is_not_there_is_a_transport_error()
    assert suite.met
    assert all(run.fired for run in suite.met)


def test_the_network_fails_for_every_venue() -> None:
    Bare().test_a_venue_that_is_not_there_is_a_transport_error()
