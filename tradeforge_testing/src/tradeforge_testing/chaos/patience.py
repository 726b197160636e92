"""How long a provider waits: as by default, or briefly, so that a short life meets many faults."""

from attrs import frozen

from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff


@frozen(kw_only=True)
class Patience:
    timeouts: HttpTimeouts = HttpTimeouts()
    backoff: Backoff = Backoff()
    audit: AuditTimes = AuditTimes()

    @classmethod
    def of(cls, patient: bool) -> "Patience":  # as `ChaosVenue.provider` is told
        return _LONG if patient else _SHORT


_LONG = Patience()
_SHORT = Patience(
    timeouts=HttpTimeouts(connect=0.5, answer=0.5, total=1.0),
    backoff=Backoff(base=0.02, cap=0.2, attempts_a_minute=1000),
    audit=AuditTimes(busy=0.5, idle=1.0, settle=0.2, retry=0.2),
)
