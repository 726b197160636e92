"""How long to wait before the next attempt."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core.streams.backoff import Backoff


@given(st.integers(-5, 10**9), st.integers(), st.floats(0, 60), st.floats(0, 600))
def test_a_wait_is_never_negative_and_never_above_its_ceiling(
    failures: int, seed: int, base: float, cap: float
) -> None:
    backoff = Backoff(base=base, cap=cap, random=random.Random(seed))
    assert 0 <= backoff.delay(failures) <= cap


@given(st.integers(1, 40), st.integers())
def test_the_ceiling_doubles_with_every_failure(failures: int, seed: int) -> None:
    backoff = Backoff(random=random.Random(seed))
    assert backoff.delay(failures) <= min(30.0, 0.5 * 2**failures)


def test_after_a_long_life_there_is_no_wait() -> None:
    assert Backoff().delay(0) == 0


def test_the_waits_are_spread_over_the_whole_range() -> None:
    backoff = Backoff(base=1, cap=8, random=random.Random(7))
    waits = [backoff.delay(10) for _ in range(1000)]
    assert min(waits) < 0.5
    assert max(waits) > 7.5
    assert len({round(wait, 6) for wait in waits}) > 990


def test_two_clients_do_not_come_back_together() -> None:
    assert Backoff().delay(9) != Backoff().delay(9)
