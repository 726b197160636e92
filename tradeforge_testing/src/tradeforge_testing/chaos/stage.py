"""Everything that one run needs: the venue, the network before it, the trader's account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from attrs import define

from tradeforge_core import JournalKind, LookUps, OrderSafety, Provider
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.proxy import FaultProxy


def _look_ups(*, simulated: bool) -> LookUps:
    """Made for each run, so that their chance is the run's."""
    if simulated:
        return LookUps(pauses=(0.5, 1.0, 2.0, 4.0), deadline=30.0, settle=10.0, slow=20.0)
    return LookUps(pauses=(0.05, 0.1, 0.2), deadline=3.0, settle=0.5, slow=0.5)


@define
class Stage:
    venue: ChaosVenue
    proxy: FaultProxy
    broker: Provider
    random: Random
    pace: float
    """By how much the waits of the trader are shorter than they are meant to be."""
    account_id: str = ""
    contract_id: str = ""

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def pending(self) -> int:
        return self.proxy.pending + self.venue.pending

    async def heal(self) -> None:
        """The network and the venue are as they should be; what is broken stays broken."""
        self.proxy.forget()
        await self.venue.heal()
        await self.proxy.accept()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.pace)


@asynccontextmanager
async def set_up(venue: ChaosVenue, random: Random, *, simulated: bool) -> AsyncIterator[Stage]:
    """A venue that serves, a network that is fine, and a provider that is not connected."""
    safety = OrderSafety(journal=JournalKind.MEMORY, look_ups=_look_ups(simulated=simulated))
    async with venue.sandbox, FaultProxy(venue.port, clock=current_clock()) as proxy:
        broker = venue.provider(proxy.port, safety, patient=simulated)
        stage = Stage(venue, proxy, broker, random, 1.0 if simulated else 0.02)
        stage.contract_id = random.choice(sorted(venue.exchange.instruments))
        for other in venue.exchange.instruments.keys() - {stage.contract_id}:
            venue.exchange.halt(other)  # nobody looks, and to move all of them takes a while
        stage.account_id = str(venue.exchange.accounts()[0].id)
        try:
            yield stage
        finally:
            await broker.disconnect()
