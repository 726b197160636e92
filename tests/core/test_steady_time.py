"""The clock of the machine is set back, and what comes later is later all the same."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from attrs import define

from tradeforge_core import Position
from tradeforge_core.kit.clock import SteadyTime, SystemClock
from tradeforge_core.state.ledger import Ledger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@define
class _Machine:
    elapsed: float = 0.0
    wrong_by: float = 0.0

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.elapsed + self.wrong_by)

    def monotonic(self) -> float:
        return self.elapsed


def _clock(machine: _Machine) -> SteadyTime:
    return SteadyTime(machine.wall, machine.monotonic)


def test_it_is_the_time_of_the_machine() -> None:
    machine = _Machine()
    clock = _clock(machine)
    for step in (0, 1, 3600, 86400):
        machine.elapsed += step
        assert clock.now() == machine.wall()
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_clock_that_is_put_forward_is_believed() -> None:
    machine = _Machine()
    clock = _clock(machine)
    clock.now()
    machine.wrong_by = 3600
    assert clock.now() == machine.wall()


def test_a_clock_that_is_set_back_is_caught_up_with() -> None:
    machine = _Machine(wrong_by=600)
    clock = _clock(machine)
    before = clock.now()
    machine.wrong_by = 0
    shown = [before]
    for _ in range(1300):
        shown.append(clock.now())
        machine.elapsed += 1
    assert shown == sorted(shown)
    assert len(set(shown)) >= len(shown) - 2, "time goes on"
    assert clock.now() == machine.wall(), "twenty minutes later it is right"


def test_a_clock_that_is_set_back_twice_still_goes_forward() -> None:
    machine = _Machine(wrong_by=600)
    clock = _clock(machine)
    shown = []
    for wrong_by in (600, 300, 200, 400, 0, -100):
        machine.wrong_by = wrong_by
        for _ in range(10):
            machine.elapsed += 1
            shown.append(clock.now())
    assert shown == sorted(shown)
    assert len(set(shown)) >= len(shown) - 5, "one twice for each time that it was set back"


def test_positions_are_known_on_although_the_clock_was_set_back() -> None:
    machine = _Machine(wrong_by=600)
    clock, ledger = _clock(machine), Ledger()
    ledger.saw_positions("1", [], clock.now())
    machine.wrong_by, machine.elapsed = 0, 1
    clock.now()
    machine.elapsed = 2
    news = Position(account_id="1", contract_id="ABC", size=Decimal(3))
    ledger.saw_position(news, clock.now())
    assert ledger.positions.size("1", "ABC") == 3
