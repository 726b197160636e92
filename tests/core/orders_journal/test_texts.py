"""Whatever text comes, it is kept as it is or refused at once: the thread never dies of it."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.core.orders_journal.conftest import NewIntent, NewJournal

from tradeforge_core.orders.journal import IntentState, Journal, read_journal
from tradeforge_testing import ManualClock

TEXT = st.text(st.characters(), max_size=40)
ODD = ["\ud800", "\udfff\ud800", "\0", "a\0b", "\0" * 3, "'; DROP TABLE entries; --", "\u2028", "é"]


@pytest.mark.parametrize("odd", ODD, ids=ascii)
async def test_odd_texts_come_back_as_they_were(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock, path: Path, odd: str
) -> None:
    intent = new_intent(odd, account_id=odd, contract_id=odd, order_id=odd, details=odd)
    journal = await new_journal()
    journal.begin(intent)
    assert await journal.hand_off(odd, clock.now()) == 1
    journal.settle(odd, IntentState.UNKNOWN, odd, clock.now())
    (entry,) = await journal.unsettled()
    assert (entry.intent, entry.outcome) == (intent, odd)
    await journal.close()
    assert read_journal(path, limit=9) == [entry]
    assert await (await new_journal()).find(odd) == entry


@given(
    ids=st.lists(TEXT.filter(bool), min_size=1, max_size=5, unique=True),
    details=TEXT,
    order_id=st.none() | TEXT,
    outcome=TEXT,
)
@example(["\ud800", "\ufffd", "?"], "", "", "")
@example(["a", "a\0", "a\0\0", "A"], "", None, "")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
async def test_no_text_is_taken_for_another(
    new_intent: NewIntent,
    clock: ManualClock,
    ids: list[str],
    details: str,
    order_id: str | None,
    outcome: str,
) -> None:
    journal = await Journal.open(None, clock=clock)
    intents = [new_intent(one, details=details, order_id=order_id) for one in ids]
    for intent in intents:
        journal.begin(intent)
    for intent in intents:
        await journal.hand_off(intent.id, clock.now())
        journal.settle(intent.id, IntentState.ACCEPTED, outcome, clock.now())
    newest = await journal.entries(limit=99)
    assert [entry.intent for entry in reversed(newest)] == intents
    assert {entry.outcome for entry in newest} == {outcome}
    await journal.close()


async def test_the_mistake_of_one_is_not_that_of_the_others(
    journal: Journal, new_intent: NewIntent, clock: ManualClock
) -> None:
    journal.begin(new_intent())
    with pytest.raises(TypeError, match="intent_id"):
        await journal.hand_off(7, clock.now())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="intent_id"):
        journal.settle(7, IntentState.ACCEPTED, "{}", clock.now())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="outcome"):
        journal.settle("tf1", IntentState.ACCEPTED, [], clock.now())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="intent_id"):
        await journal.find(None)  # type: ignore[arg-type]
    mistakes = [journal.entries(limit=2**70), journal.entries(limit="9")]  # type: ignore[arg-type]
    found = await asyncio.gather(
        *mistakes, journal.hand_off("tf1", clock.now()), return_exceptions=True
    )
    assert [type(one) for one in found] == [OverflowError, TypeError, int]
    journal.settle("tf1", "accepted", "{}", clock.now())  # type: ignore[arg-type]
    entry = await journal.find("tf1")
    assert entry is not None and entry.state is IntentState.ACCEPTED
    assert journal.failure is None


async def test_a_text_of_another_kind_is_refused_at_once(new_intent: NewIntent) -> None:
    for member in ("account_id", "contract_id", "order_id", "details"):
        with pytest.raises(TypeError, match=member):
            new_intent(**{member: 7})
    with pytest.raises(ValueError, match="not a valid Operation"):
        new_intent(operation="buy")
