"""Defects of calls: of answers that fail, and of many calls at once."""

import asyncio

from attrs import evolve
from tests.topstepx.conformance.zoo.defects import defect

from tradeforge_core import (
    Account,
    Contract,
    DecodeError,
    Position,
    TradeForgeError,
    TransportError,
)
from tradeforge_core.kit.budget import RateBudget
from tradeforge_topstepx import _mapping
from tradeforge_topstepx.provider import TopStepXProvider


@defect("TF-ERR-020")
class FailedReadIsEmpty(TopStepXProvider):
    """A read that fails gives an empty list."""

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        try:
            return await super()._fetch_positions(account_id)
        except TradeForgeError:
            return []


@defect("TF-ERR-010", raises=[ValueError])
class ErrorOfTheDecoder(TopStepXProvider):
    """An answer that is no JSON raises what the decoder raises."""

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        try:
            return await super()._fetch_positions(account_id)
        except DecodeError as error:
            raise ValueError(str(error)) from None


@defect("TF-ERR-040")
class ReadsForEver(TopStepXProvider):
    """A read is made again until it is answered, however long that takes."""

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        while True:
            try:
                return await super()._fetch_positions(account_id)
            except TransportError:
                await self._clock.sleep(1)


@defect("TF-CNC-010")
class OneQuestionAtATime(TopStepXProvider):
    """What was asked for is kept on the provider until it is sent."""

    async def _fetch_contract(self, contract_id: str) -> Contract:
        self._question = contract_id
        await asyncio.sleep(0)
        return _mapping.to_contract(await self._rest.contract(self._question))


@defect("TF-CNC-040")
class PlacesAreLost(TopStepXProvider):
    """A call that is cancelled keeps its place among the hundred that may run at once."""

    async def _fetch_accounts(self) -> list[Account]:
        await self._room.acquire()
        accounts = await super()._fetch_accounts()
        self._room.release()
        return accounts

    async def _log_in(self) -> None:
        self._room = asyncio.Semaphore(100)
        await super()._log_in()


@defect("TF-RES-030")
class BudgetExceeded(TopStepXProvider):
    """Requests are sent without a look at the venue's limits."""

    async def _log_in(self) -> None:
        await super()._log_in()
        self._rest._budgets = evolve(
            self._rest._budgets, rest=RateBudget(10**6, 60, clock=self._clock)
        )
