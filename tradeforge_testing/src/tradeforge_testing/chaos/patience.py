"""How long a provider waits: as by default, or briefly, so that a short life meets many faults."""

from attrs import field, frozen

from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff


@frozen(kw_only=True)
class Patience:
    """For one provider: a back-off has a chance of its own, which no other run may have used."""

    timeouts: HttpTimeouts = field(factory=HttpTimeouts)
    backoff: Backoff = field(factory=Backoff)
    audit: AuditTimes = field(factory=AuditTimes)


def hasty() -> Patience:
    return Patience(
        timeouts=HttpTimeouts(connect=0.5, answer=0.5, total=1.0),
        backoff=Backoff(base=0.02, cap=0.2, attempts_a_minute=1000),
        audit=AuditTimes(busy=0.5, idle=1.0, settle=0.2, retry=0.2),
    )
