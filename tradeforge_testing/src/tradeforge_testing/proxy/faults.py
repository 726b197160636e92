"""What a `FaultProxy` can do to a connection, and to which one it does it."""

from enum import StrEnum

from attrs import field, frozen
from attrs.validators import ge, gt, max_len

LONGEST_PREFIX = 1024


class Direction(StrEnum):
    """Which of the two ways of a connection a fault is about."""

    UPSTREAM = "upstream"
    """From the client to the server: requests."""
    DOWNSTREAM = "downstream"
    """From the server to the client: answers."""
    BOTH = "both"

    def includes(self, other: "Direction") -> bool:
        return self in (Direction.BOTH, other)


# What is done


@frozen(kw_only=True)
class Drop:
    """The connection ends at once: as it is accepted, or as the request arrives.

    Both sides see the end of the stream or, with `rst`, a reset.
    """

    rst: bool = False


@frozen(kw_only=True)
class Cut:
    """`after` bytes pass, then the connection ends; with 0, where the first should have passed.

    So `Cut()` is an answer that is lost, and `Cut(after=20, direction=Direction.UPSTREAM)` half a
    request. Both sides see the end of the stream or, with `rst`, a reset, which also takes what
    a slow receiver has not taken from the network yet.
    """

    after: int = field(default=0, validator=ge(0))
    direction: Direction = Direction.DOWNSTREAM
    rst: bool = False


@frozen(kw_only=True)
class Hold:
    """The connection is half open until it ends: bytes are taken and lost, and so is the end."""

    direction: Direction = Direction.BOTH


@frozen(kw_only=True)
class Delay:
    """Everything passes `seconds` later, and up to `jitter` seconds more, in its order."""

    seconds: float = field(validator=ge(0))
    jitter: float = field(default=0.0, validator=ge(0))
    direction: Direction = Direction.DOWNSTREAM


@frozen(kw_only=True)
class Throttle:
    """No more than so many bytes pass in a second; each piece is a tenth of that."""

    bytes_per_second: int = field(validator=gt(0))
    direction: Direction = Direction.DOWNSTREAM


@frozen(kw_only=True)
class Slice:
    """Bytes pass in pieces of `size`, each sent for itself, `pause` seconds apart."""

    size: int = field(default=1, validator=gt(0))
    pause: float = field(default=0.0, validator=ge(0))
    direction: Direction = Direction.DOWNSTREAM


PassingFault = Cut | Hold | Delay | Throttle | Slice
"""What happens to bytes on their way."""
Fault = Drop | PassingFault


# When it is done


@frozen
class NextConnection:
    """The next connection that is accepted, from its beginning to its end."""


@frozen
class NextRequest:
    """The next request whose first bytes are these, on whichever connection it comes.

    A request begins with the first bytes of a client, and with the first ones after an answer.
    The fault lasts until the next request of the connection begins; what follows an upgrade, as
    to a WebSocket, is part of the request that asked for it.
    """

    prefix: bytes = field(default=b"", validator=max_len(LONGEST_PREFIX))


@frozen
class Now:
    """Every connection that is open now, to its end; it does not wait for one."""


When = NextConnection | NextRequest | Now
