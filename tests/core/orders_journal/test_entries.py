"""What a journal says about intents, through their whole life."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from pathlib import Path

import pytest
from tests.core.orders_journal.conftest import NewIntent, NewJournal

from tradeforge_core import DuplicateIntent, JournalUnavailable
from tradeforge_core.orders.intents import Intent, Operation
from tradeforge_core.orders.journal import IntentState, Journal, JournalEntry, read_journal
from tradeforge_testing import ManualClock

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
SETTLED = (IntentState.NOT_SENT, IntentState.ACCEPTED, IntentState.REJECTED)


async def test_an_intent_that_is_handed_off_is_on_record(
    journal: Journal, new_intent: NewIntent
) -> None:
    journal.begin(new_intent())
    assert await journal.hand_off("tf1", LATER) == 1
    assert await journal.find("tf1") == JournalEntry(
        intent=new_intent(), state=IntentState.HANDED_OFF, attempts=1, handed_off_at=LATER
    )


async def test_all_members_come_back_as_they_were(
    new_journal: NewJournal, new_intent: NewIntent
) -> None:
    exact = NOW + timedelta(microseconds=1)
    intent = new_intent(operation=Operation.MODIFY, order_id="7", made_at=exact)
    journal = await new_journal()
    journal.begin(intent)
    await journal.hand_off("tf1", exact)
    journal.settle("tf1", IntentState.ACCEPTED, '{"order_id": "7"}', exact + timedelta(days=1))
    await journal.close()
    assert await (await new_journal()).find("tf1") == JournalEntry(
        intent=intent,
        state=IntentState.ACCEPTED,
        attempts=1,
        handed_off_at=exact,
        settled_at=exact + timedelta(days=1),
        outcome='{"order_id": "7"}',
    )


async def test_an_intent_that_was_never_handed_off_is_on_record_too(
    new_journal: NewJournal, new_intent: NewIntent
) -> None:
    journal = await new_journal()
    journal.begin(new_intent())
    await journal.close()
    assert await (await new_journal()).unsettled() == [JournalEntry(intent=new_intent())]


async def test_nothing_is_on_record_that_was_not_written(journal: Journal) -> None:
    assert await journal.find("tf1") is None
    assert await journal.unsettled() == await journal.entries(limit=9) == []


async def test_without_a_begin_there_is_nothing_to_hand_off(journal: Journal) -> None:
    with pytest.raises(JournalUnavailable, match="no intent tf1"):
        await journal.hand_off("tf1", NOW)
    with pytest.raises(JournalUnavailable, match="no intent tf1"):
        await journal.acknowledge("tf1", NOW)


@pytest.mark.parametrize("state", [one for one in IntentState if one is not IntentState.NOT_SENT])
async def test_an_id_cannot_begin_twice(
    new_journal: NewJournal, new_intent: NewIntent, state: IntentState
) -> None:
    journal = await new_journal()
    await _bring_to(journal, new_intent(), state)
    before = await journal.find("tf1")
    await journal.close()
    journal = await new_journal()
    journal.begin(new_intent())
    with pytest.raises(DuplicateIntent, match=f"tf1 is on record as {state}"):
        await journal.hand_off("tf1", LATER)
    assert await journal.find("tf1") == before


async def test_an_id_that_was_begun_here_cannot_begin_again(
    journal: Journal, new_intent: NewIntent
) -> None:
    journal.begin(new_intent())
    with pytest.raises(DuplicateIntent, match="begun already"):
        journal.begin(new_intent())
    assert await journal.hand_off("tf1", NOW) == 1


async def test_what_was_not_sent_may_begin_again(journal: Journal, new_intent: NewIntent) -> None:
    await _bring_to(journal, new_intent(), IntentState.HANDED_OFF)
    journal.settle("tf1", IntentState.NOT_SENT, "{}", NOW)
    journal.begin(new_intent(made_at=LATER))
    assert await journal.hand_off("tf1", LATER) == 2
    assert await journal.find("tf1") == JournalEntry(
        intent=new_intent(made_at=LATER),
        state=IntentState.HANDED_OFF,
        attempts=2,
        handed_off_at=LATER,
    )


@pytest.mark.parametrize(
    "change",
    [{"details": "{}"}, {"account_id": "2"}, {"contract_id": "DEF"}, {"operation": "close"}],
)
async def test_what_begins_again_must_be_the_same(
    journal: Journal, new_intent: NewIntent, change: dict[str, str]
) -> None:
    await _bring_to(journal, new_intent(), IntentState.NOT_SENT)
    journal.begin(new_intent(**change))
    with pytest.raises(DuplicateIntent, match="other details"):
        await journal.hand_off("tf1", NOW)


@pytest.mark.parametrize("state", [IntentState.HANDED_OFF, IntentState.UNKNOWN])
async def test_what_may_have_reached_the_venue_is_handed_off_again_on_purpose_only(
    journal: Journal, new_intent: NewIntent, state: IntentState
) -> None:
    await _bring_to(journal, new_intent(), state)
    await journal.acknowledge("tf1", NOW)
    assert await journal.hand_off("tf1", LATER) == 2
    assert await journal.unsettled() == [
        JournalEntry(
            intent=new_intent(), state=IntentState.HANDED_OFF, attempts=2, handed_off_at=LATER
        )
    ]


@pytest.mark.parametrize("state", SETTLED)
async def test_what_is_settled_is_not_handed_off(
    journal: Journal, new_intent: NewIntent, state: IntentState
) -> None:
    await _bring_to(journal, new_intent(), state)
    with pytest.raises(DuplicateIntent, match=f"on record as {state}"):
        await journal.hand_off("tf1", NOW)


@pytest.mark.parametrize(
    ("first", "second"), list(product(SETTLED, [*SETTLED, IntentState.UNKNOWN])), ids=str
)
async def test_what_is_settled_stays_so_unless_the_venue_has_the_order(
    journal: Journal, new_intent: NewIntent, first: IntentState, second: IntentState
) -> None:
    await _bring_to(journal, new_intent(), first)
    journal.settle("tf1", second, '"second"', LATER)
    entry = await journal.find("tf1")
    assert entry is not None
    assert entry.state is (second if second is IntentState.ACCEPTED else first)


async def test_an_unknown_outcome_is_settled_when_it_is_found_out(
    journal: Journal, new_intent: NewIntent
) -> None:
    await _bring_to(journal, new_intent(), IntentState.UNKNOWN)
    entry = await journal.find("tf1")
    assert entry is not None and entry.settled_at is None and entry.outcome == "{}"
    journal.settle("tf1", IntentState.REJECTED, '{"code": 2}', LATER)
    entry = await journal.find("tf1")
    assert entry is not None
    assert (entry.state, entry.outcome) == (IntentState.REJECTED, '{"code": 2}')
    assert entry.settled_at == LATER


async def test_an_outcome_of_nothing_is_not_written(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    journal.settle("tf1", IntentState.ACCEPTED, "{}", NOW)
    await journal.flush()
    assert "tf1 is accepted and was never on record" in caplog.text
    assert await journal.entries(limit=1) == []


@pytest.mark.parametrize("state", [IntentState.INTENT, IntentState.HANDED_OFF])
async def test_what_is_no_outcome_is_refused(journal: Journal, state: IntentState) -> None:
    with pytest.raises(ValueError, match="no outcome"):
        journal.settle("tf1", state, "{}", NOW)


async def test_unsettled_are_those_that_somebody_must_look_after(
    journal: Journal, new_intent: NewIntent
) -> None:
    for state in IntentState:
        await _bring_to(journal, new_intent(state.value), state)
    await _bring_to(journal, new_intent("known"), IntentState.UNKNOWN)
    await journal.acknowledge("known", NOW)
    unsettled = [entry.intent.id for entry in await journal.unsettled()]
    assert unsettled == ["intent", "handed_off", "unknown"]
    entry = await journal.find("known")
    assert entry is not None and entry.acknowledged


async def test_entries_are_the_newest_first(journal: Journal, new_intent: NewIntent) -> None:
    for number in range(5):
        journal.begin(new_intent(str(number)))
    newest = await journal.entries(limit=3)
    assert [entry.intent.id for entry in newest] == ["4", "3", "2"]
    assert await journal.entries(limit=0) == await journal.entries(limit=-1) == []


async def test_times_are_kept_in_utc(journal: Journal, new_intent: NewIntent) -> None:
    zone = timezone(timedelta(hours=-6))
    journal.begin(new_intent(made_at=NOW.astimezone(zone)))
    await journal.hand_off("tf1", LATER.astimezone(zone))
    entry = await journal.find("tf1")
    assert entry is not None and entry.handed_off_at == LATER
    assert entry.handed_off_at.tzinfo is entry.intent.made_at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(journal: Journal, new_intent: NewIntent) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no time zone"):
        new_intent(made_at=naive)
    with pytest.raises(ValueError, match="no time zone"):
        await journal.hand_off("tf1", naive)
    with pytest.raises(ValueError, match="no time zone"):
        journal.settle("tf1", IntentState.ACCEPTED, "{}", naive)


def test_an_intent_without_an_id_is_refused(new_intent: NewIntent) -> None:
    with pytest.raises(ValueError, match="id of an intent must not be empty"):
        new_intent("")


async def test_a_text_that_is_far_too_long_is_refused(
    journal: Journal, new_intent: NewIntent
) -> None:
    with pytest.raises(ValueError, match="1000001 characters"):
        journal.begin(new_intent(details="x" * 1_000_001))
    journal.begin(new_intent(details="x" * 1_000_000))
    with pytest.raises(ValueError, match="1000001 characters"):
        journal.settle("tf1", IntentState.REJECTED, "x" * 1_000_001, NOW)
    assert await journal.hand_off("tf1", NOW) == 1


async def test_one_in_memory_says_that_it_is_not_durable(
    new_journal: NewJournal, new_intent: NewIntent
) -> None:
    journal = await new_journal(None)
    journal.begin(new_intent())
    assert await journal.hand_off("tf1", NOW) == 1
    assert not journal.durable
    await journal.close()
    assert (await new_journal()).durable
    assert await (await new_journal(None)).entries(limit=1) == []


async def test_what_settled_long_ago_is_forgotten_and_nothing_else(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock
) -> None:
    journal = await new_journal()
    for state in IntentState:
        await _bring_to(journal, new_intent(state.value), state)
    journal.begin(new_intent("young"))
    journal.settle("young", IntentState.ACCEPTED, "{}", LATER)
    await journal.close()
    clock.advance(timedelta(days=400, microseconds=1).total_seconds())
    left = await (await new_journal()).entries(limit=9)
    assert [entry.intent.id for entry in left] == ["young", "unknown", "handed_off", "intent"]


async def test_another_can_look_while_it_is_written(
    journal: Journal, new_intent: NewIntent, path: Path
) -> None:
    for number in range(3):
        journal.begin(new_intent(str(number)))
    await journal.flush()
    assert read_journal(path, limit=2) == await journal.entries(limit=2)
    await journal.close()
    assert len(read_journal(path, limit=9)) == 3


def test_there_is_nothing_to_look_at_where_no_journal_is(path: Path) -> None:
    with pytest.raises(JournalUnavailable, match="there is no journal at"):
        read_journal(path, limit=1)
    assert not path.parent.exists()


async def _bring_to(journal: Journal, intent: Intent, state: IntentState) -> None:
    journal.begin(intent)
    if state is not IntentState.INTENT:
        await journal.hand_off(intent.id, NOW)
    if state not in (IntentState.INTENT, IntentState.HANDED_OFF):
        journal.settle(intent.id, state, "{}", NOW)
    await journal.flush()
