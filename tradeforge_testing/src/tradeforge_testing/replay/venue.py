"""What a provider brings along to be played what was recorded."""

from abc import ABC, abstractmethod
from typing import NamedTuple, Self

from tradeforge_core import Plugins, Provider, Topic
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.replay.desk import Answer, Desk
from tradeforge_testing.replay.recording import Line, Recording


class Wish(NamedTuple):
    """That a topic is subscribed, or let go of."""

    topic: Topic
    is_wanted: bool


class ReplayVenue(ABC):
    """A server on loopback that says again what was recorded; nothing but the player moves it.

    `run_replay` finds it as the function `replay_venue(recording, clock)` in the module behind the
    entry point of the sandbox.
    """

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self.recording = recording
        self.clock = clock
        self.desk = Desk(recording.lines, clock.monotonic, self.standby)

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(self, *exc_info: object) -> None: ...

    @abstractmethod
    def provider(self, plugins: Plugins) -> Provider:
        """A provider that comes here, goes by the clock, and reconnects without a wait."""

    @abstractmethod
    def standby(self, path: str, body: str) -> Answer | None:
        """What to answer to a request that was not recorded, if any answer is as good as another.

        It never is for what tells of orders, positions and fills.
        """

    @abstractmethod
    def wish(self, line: Line) -> Wish | None:
        """What the client asks for with this line of a stream, if it is about a topic."""

    @abstractmethod
    async def play(self, line: Line) -> None:
        """Let happen on its stream what the line says."""
