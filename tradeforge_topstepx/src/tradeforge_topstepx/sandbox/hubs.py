"""The names of the hubs."""

from enum import StrEnum


class Hubs(StrEnum):
    """Which of the hubs something is done to."""

    USER = "user"
    MARKET = "market"
    BOTH = "both"

    def includes(self, other: "Hubs") -> bool:
        return self in (Hubs.BOTH, other)
