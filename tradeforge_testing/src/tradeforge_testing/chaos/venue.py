"""What a provider brings along to be put through chaos."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from tradeforge_core import OrderSafety, Provider
from tradeforge_core.interfaces import Sandbox
from tradeforge_testing.chaos.faults import ChaosFault
from tradeforge_testing.exchange import Exchange


class ChaosVenue(ABC):
    """A sandbox, its exchange, what can go wrong with it, and the provider that meets that.

    `load_chaos_venue` finds it as the function `chaos_venue(seed=...)` in the module behind the
    entry point of the sandbox.
    """

    faults: Sequence[ChaosFault]
    """Those of the venue; the ones of the network come with the toolkit."""

    @property
    @abstractmethod
    def sandbox(self) -> Sandbox: ...

    def settings_by(self, port: int) -> dict[str, str]:
        """The settings of the sandbox, for who comes to it by way of another port."""
        here, there = f":{self.port}", f":{port}"
        return {name: one.replace(here, there) for name, one in self.sandbox.settings.items()}

    @property
    @abstractmethod
    def exchange(self) -> Exchange:
        """The books that are the truth."""

    @property
    @abstractmethod
    def port(self) -> int:
        """Where the sandbox serves, once it does."""

    @abstractmethod
    def provider(self, port: int, safety: OrderSafety, *, patient: bool) -> Provider:
        """A provider that comes through this port; with short time-outs unless `patient`."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """How many planned faults nothing has met yet."""

    @abstractmethod
    async def heal(self) -> None:
        """Do everything right from now on, and forget what was planned."""

    @abstractmethod
    def overruns(self) -> list[str]:
        """What was asked more often than the venue's published limits allow."""

    @property
    @abstractmethod
    def canaries(self) -> Sequence[str]:
        """Secrets that must not be seen anywhere."""
