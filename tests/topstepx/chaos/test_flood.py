"""However often the connection is cut, and whatever it loses: the fills are those of the venue."""

import pytest
from tests.topstepx.chaos.flood import flood

_FILLS = 100
"""Orders that are filled around each cut, some of them in parts."""


@pytest.mark.timeout(600)
def test_every_fill_is_told_once_and_positions_are_right_whenever_it_is_quiet(
    day: int, request: pytest.FixtureRequest
) -> None:
    """Each quiet point is checked on the way; a difference that stays raises there."""
    cuts = request.config.getoption("--cuts")
    lived = flood(day, cuts, _FILLS)
    ledger = {str(one.id) for one in lived.sandbox.exchange.fills(int(lived.account_id))}
    assert set(lived.fills) == ledger
    assert not lived.told_twice
    assert len(ledger) >= cuts * _FILLS
    assert lived.cuts == cuts
    assert lived.audited > cuts, "the stream was to lose some"
    assert len(lived.faults) == _KINDS or cuts < _MANY, lived.faults


_KINDS = 5
"""Lost, doubled, reordered, late, and reads that lag."""
_MANY = 20
