"""How long to wait before the next attempt."""

from random import Random

from attrs import field, frozen

from tradeforge_core.kit.chance import new_random


@frozen(kw_only=True)
class Backoff:
    """Full jitter: a random wait up to a ceiling that doubles with every failure in a row.

    The jitter keeps a thousand clients from coming back in the same instant.
    """

    base: float = 0.5
    cap: float = 30.0
    steady_after: float = 30.0
    """A connection that was live this many seconds starts the count anew, with no wait at all."""
    attempts_a_minute: int = 10
    """Of one stream, at most: however unlucky the waits are, and whoever asks for it."""
    _random: Random = field(factory=new_random, repr=False)

    def delay(self, failures: int) -> float:
        """Seconds to wait after `failures` short-lived connections in a row."""
        if failures <= 0:
            return 0.0
        return self._random.uniform(0, min(self.cap, self.base * 2.0 ** min(failures, 30)))
