"""What a venue tells of a market at a glance."""

from datetime import datetime
from decimal import Decimal

from attrs import field, frozen


@frozen(kw_only=True)
class Ticker:
    """The figures of a contract after the latest change; one that the venue has not told is None.

    Those of 24 hours reach back from now. `change_24h` is a fraction: 0.0196 is 1.96 %.
    `funding_rate` is what the next funding at `next_funding` costs whoever is long, as a fraction.
    """

    contract_id: str
    last: Decimal | None = None
    mark: Decimal | None = None
    index: Decimal | None = None
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    open_24h: Decimal | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    change_24h: Decimal | None = None
    volume_24h: Decimal | None = None
    turnover_24h: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding: datetime | None = None
    open_interest: Decimal | None = None
    raw: object = field(default=None, repr=False, eq=False)
