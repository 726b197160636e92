"""What can be done to a journal, one class for each; `apply` runs on the writer's thread."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import define, evolve, field, frozen
from attrs.validators import instance_of

from tradeforge_core.errors import DuplicateIntent, JournalUnavailable
from tradeforge_core.orders import _journal_table as table
from tradeforge_core.orders._journal_entry import IntentState, JournalEntry
from tradeforge_core.orders.intents import Intent

if TYPE_CHECKING:
    from sqlite3 import Connection

_log = logging.getLogger("tradeforge_core")


class Job(Protocol):
    kept: ClassVar[bool]
    """Whether it is tried again with what comes later when the disk refuses it."""
    writes: ClassVar[bool]

    def apply(self, connection: "Connection") -> Any:
        """The result. A `TradeForgeError` is one too, for this job alone, and changes nothing."""


@define(eq=False)
class Begin:
    intent: Intent = field(validator=instance_of(Intent))
    refusal: DuplicateIntent | None = None
    kept: ClassVar[bool] = True
    writes: ClassVar[bool] = True

    def apply(self, connection: "Connection") -> None:
        self.refusal = None
        if table.insert(connection, JournalEntry(intent=self.intent)):
            return
        entry = _recorded(connection, self.intent.id)
        if problem := _why_not_again(entry, self.intent):
            self.refusal = DuplicateIntent(problem)
        else:
            table.update(connection, JournalEntry(intent=self.intent, attempts=entry.attempts))


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

    def apply(self, connection: "Connection") -> int:
        if self.begun is not None and self.begun.refusal is not None:
            raise self.begun.refusal
        entry = _recorded(connection, self.intent_id)
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
        table.update(connection, handed_off)
        return handed_off.attempts


@frozen(eq=False)
class Settle:
    intent_id: str = field(validator=instance_of(str))
    state: IntentState = field(converter=IntentState)
    outcome: str = field(validator=instance_of(str))
    at: datetime
    kept: ClassVar[bool] = True
    writes: ClassVar[bool] = True

    def apply(self, connection: "Connection") -> None:
        entry = table.select_one(connection, self.intent_id)
        if entry is None:
            _log.error("%s is %s and was never on record", self.intent_id, self.state)
        elif entry.state.is_settled and self.state is not IntentState.ACCEPTED:
            # only proof that the venue has an order is worth more than what is known already
            _log.warning("%s stays %s, not %s", self.intent_id, entry.state, self.state)
        else:
            settled_at = self.at if self.state.is_settled else None
            settled = evolve(entry, state=self.state, outcome=self.outcome, settled_at=settled_at)
            table.update(connection, settled)


@frozen(eq=False)
class Acknowledge:
    intent_id: str = field(validator=instance_of(str))
    at: datetime
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    def apply(self, connection: "Connection") -> None:
        entry = _recorded(connection, self.intent_id)
        table.update(connection, evolve(entry, acknowledged=True))


@frozen(eq=False)
class Find:
    intent_id: str = field(validator=instance_of(str))
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def apply(self, connection: "Connection") -> JournalEntry | None:
        return table.select_one(connection, self.intent_id)


@frozen(eq=False)
class Unsettled:
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def apply(self, connection: "Connection") -> list[JournalEntry]:
        return table.select_unsettled(connection)


@frozen(eq=False)
class Newest:
    limit: int
    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def apply(self, connection: "Connection") -> list[JournalEntry]:
        return table.select_newest(connection, self.limit)


@frozen(eq=False)
class Flush:
    """Done once all before it is on disk."""

    kept: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    def apply(self, connection: "Connection") -> None:
        pass


def _recorded(connection: "Connection", intent_id: str) -> JournalEntry:
    entry = table.select_one(connection, intent_id)
    if entry is None:
        raise JournalUnavailable(f"the journal has no intent {intent_id}: begin it first")
    return entry
