"""When a provider asks its venue whether the streams have told everything."""

from attrs import frozen


@frozen(kw_only=True)
class AuditTimes:
    """When the venue is asked what is so; in seconds."""

    busy: float = 15.0
    """Between two audits of an account with open orders."""
    idle: float = 60.0
    """Between two audits of an account without."""
    settle: float = 2.0
    """How long a message may be on its way before it counts as missed."""
    retry: float = 2.0
    """After an audit that failed."""
