"""What can be done to a journal, one class for each; `apply` runs on the writer's thread."""

import logging
from datetime import datetime
from typing import Any, ClassVar, Protocol

from attrs import define, evolve, field, frozen
from attrs.validators import instance_of

from tradeforge_core.errors import DuplicateIntent, JournalUnavailable
from tradeforge_core.orders._journal_entry import IntentState, JournalEntry
from tradeforge_core.orders.intents import Intent

_log = logging.getLogger("tradeforge_core")


class Entries(Protocol):
    """Where the entries are, on disk or in memory."""

    def insert(self, entry: JournalEntry) -> bool:
        """Whether it is new; with an entry of the same id there, nothing is done."""

    def update(self, entry: JournalEntry) -> None: ...

    def find(self, intent_id: str) -> JournalEntry | None: ...

    def unsettled(self) -> list[JournalEntry]:
        """Oldest first."""

    def newest(self, limit: int) -> list[JournalEntry]:
        """Newest first."""


class Job(Protocol):
    kept: ClassVar[bool]
    """Whether it is tried again with what comes later when the disk refuses it."""
    writes: ClassVar[bool]

    def apply(self, entries: Entries) -> Any:
        """The result. A `TradeForgeError` is one too, for this job alone, and changes nothing."""


@define(eq=False)
class Begin:
    intent: Intent = field(validator=instance_of(Intent))
    refusal: DuplicateIntent | None = None
    kept: ClassVar[bool] = True
    writes: ClassVar[bool] = True

    def apply(self, entries: Entries) -> None:
        self.refusal = None
        if entries.insert(JournalEntry(intent=self.intent)):
            return
        entry = _recorded(entries, self.intent.id)
        if problem := _why_not_again(entry, self.intent):
            self.refusal = DuplicateIntent(problem)
        else:
            entries.update(JournalEntry(intent=self.intent, attempts=entry.attempts))


def _why_not_again(entry: JournalEntry, intent: Intent) -> str | None:
    if entry.state is not IntentState.NOT_SENT:
        return f"{intent.id} is on record as {entry.state}: a new intent needs a new id"
    if evolve(entry.intent, made_at=intent.made_at) != intent:
        return f"{intent.id} is on record with other details: a new intent needs a new id"
    return None


@frozen(eq=False)
class HandOff:
    intent_id: str = field(validator=instance_of(str))
    at: datetime
    begun: Begin | None
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    def apply(self, entries: Entries) -> int:
        if self.begun is not None and self.begun.refusal is not None:
            raise self.begun.refusal
        entry = _recorded(entries, self.intent_id)
        if entry.state.is_settled:
            raise DuplicateIntent(f"{self.intent_id} is on record as {entry.state}: look it up")
        handed_off = evolve(
            entry,
            state=IntentState.HANDED_OFF,
            attempts=entry.attempts + 1,
            handed_off_at=self.at,
            outcome=None,
            acknowledged=False,
        )
        entries.update(handed_off)
        return handed_off.attempts


@frozen(eq=False)
class Settle:
    intent_id: str = field(validator=instance_of(str))
    state: IntentState = field(converter=IntentState)
    outcome: str = field(validator=instance_of(str))
    at: datetime
    kept: ClassVar[bool] = True
    writes: ClassVar[bool] = True

    def apply(self, entries: Entries) -> None:
        entry = entries.find(self.intent_id)
        if entry is None:
            _log.error("%s is %s and was never on record", self.intent_id, self.state)
        elif entry.state.is_settled and self.state is not IntentState.ACCEPTED:
            # only proof that the venue has an order is worth more than what is known already
            _log.warning("%s stays %s, not %s", self.intent_id, entry.state, self.state)
        else:
            settled_at = self.at if self.state.is_settled else None
            settled = evolve(entry, state=self.state, outcome=self.outcome, settled_at=settled_at)
            entries.update(settled)


@frozen(eq=False)
class Acknowledge:
    intent_id: str = field(validator=instance_of(str))
    at: datetime
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    def apply(self, entries: Entries) -> None:
        entry = _recorded(entries, self.intent_id)
        entries.update(evolve(entry, acknowledged=True))


@frozen(eq=False)
class Find:
    intent_id: str = field(validator=instance_of(str))
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def apply(self, entries: Entries) -> JournalEntry | None:
        return entries.find(self.intent_id)


@frozen(eq=False)
class Unsettled:
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def apply(self, entries: Entries) -> list[JournalEntry]:
        return entries.unsettled()


@frozen(eq=False)
class Newest:
    limit: int
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def apply(self, entries: Entries) -> list[JournalEntry]:
        return entries.newest(self.limit)


@frozen(eq=False)
class Flush:
    """Done once all before it is on disk."""

    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    def apply(self, entries: Entries) -> None:
        pass


def _recorded(entries: Entries, intent_id: str) -> JournalEntry:
    entry = entries.find(intent_id)
    if entry is None:
        raise JournalUnavailable(f"the journal has no intent {intent_id}: begin it first")
    return entry
