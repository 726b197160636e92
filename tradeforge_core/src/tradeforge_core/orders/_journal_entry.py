"""One entry of the journal, and what can be wrong with it."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from tradeforge_core.orders.intents import Intent


class IntentState(StrEnum):
    INTENT = "intent"  # written down; nothing was handed off
    HANDED_OFF = "handed_off"  # bytes may have left, and no outcome is on record
    NOT_SENT = "not_sent"  # proof that no byte left
    ACCEPTED = "accepted"  # the venue has it
    REJECTED = "rejected"  # the venue refused it, in documented words
    UNKNOWN = "unknown"  # handed off, looked for, and not known

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to find out."""
        return self in _SETTLED


_SETTLED = frozenset({IntentState.NOT_SENT, IntentState.ACCEPTED, IntentState.REJECTED})


@frozen(kw_only=True)
class JournalEntry:
    """What is on record about one intent; times are aware UTC.

    `attempts` counts the hand-offs so far, `handed_off_at` is the time of the last one. `outcome`
    is JSON text, which nobody here looks into. `acknowledged` says that a human has taken note of
    an outcome that is not known.
    """

    intent: Intent
    state: IntentState = IntentState.INTENT
    attempts: int = 0
    handed_off_at: datetime | None = None
    settled_at: datetime | None = None
    outcome: str | None = None
    acknowledged: bool = False
