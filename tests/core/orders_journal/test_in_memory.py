"""A journal in memory answers as one on disk does, and its memory has an end."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core import TradeForgeError
from tradeforge_core.orders._journal_entry import IntentState
from tradeforge_core.orders._journal_jobs import (
    Acknowledge,
    Begin,
    Entries,
    Find,
    HandOff,
    Job,
    Newest,
    Settle,
    Unsettled,
)
from tradeforge_core.orders._journal_memory import EntriesInMemory
from tradeforge_core.orders._journal_table import Table, create_table
from tradeforge_core.orders.intents import Intent, Operation

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
IDS = st.sampled_from(["tf1", "tf2", "tf3"])
TIMES = st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds))
OUTCOMES = sorted(set(IntentState) - {IntentState.INTENT, IntentState.HANDED_OFF})


def _intent(id: str, account_id: str = "1", made_at: datetime = NOON) -> Intent:
    return Intent(
        id=id,
        operation=Operation.PLACE,
        account_id=account_id,
        contract_id="ABC",
        details="{}",
        made_at=made_at,
    )


JOBS: st.SearchStrategy[Job] = st.one_of(
    st.builds(Begin, st.builds(_intent, IDS, st.sampled_from(["1", "2"]), TIMES)),
    st.builds(HandOff, IDS, TIMES, st.none()),
    st.builds(Settle, IDS, st.sampled_from(OUTCOMES), st.just("{}"), TIMES),
    st.builds(Acknowledge, IDS, TIMES),
    st.builds(Find, IDS),
    st.builds(Unsettled),
    st.builds(Newest, st.integers(-1, 4)),
)


def _applied(job: Job, entries: Entries) -> Any:
    try:
        result = job.apply(entries)
    except TradeForgeError as refusal:
        return repr(refusal)
    return (result, repr(job.refusal)) if isinstance(job, Begin) else result


@given(st.lists(JOBS, max_size=30))
def test_it_answers_every_job_as_the_table_does(jobs: list[Job]) -> None:
    in_memory = EntriesInMemory()
    with closing(sqlite3.connect(":memory:")) as connection:
        create_table(connection)
        on_disk = Table(connection)
        for job in jobs:
            assert _applied(job, in_memory) == _applied(job, on_disk)


def test_it_forgets_the_oldest_outcomes_and_nothing_that_is_open() -> None:
    entries = EntriesInMemory()
    Begin(_intent("open")).apply(entries)
    for number in range(10_002):
        Begin(_intent(str(number))).apply(entries)
        Settle(str(number), IntentState.REJECTED, "{}", NOON).apply(entries)
    assert [entries.find(id) for id in ("0", "1")] == [None, None]
    assert entries.find("2")
    assert [one.intent.id for one in entries.unsettled()] == ["open"]
    assert len(entries.newest(20_000)) == 10_001
