"""Defects of the life of a provider: coming, going, what it declares, leaves behind and says."""

import asyncio
import logging
from typing import Any

from attrs import evolve, frozen
from tests.topstepx.conformance.zoo.defects import defect

from tradeforge_core import (
    Account,
    AuthenticationError,
    Bar,
    BarUnit,
    Disconnected,
    MarketDataType,
    Order,
    OrderRequest,
    OrderType,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
    TransportError,
)
from tradeforge_topstepx.provider import TopStepXProvider

_log = logging.getLogger(__name__)


@defect("TF-DIS-040")
class NameOfAnother(TopStepXProvider):
    """The provider calls itself by another name than the one that it is found by."""

    name = "topstep"


# --- coming and going ---


@defect("TF-LIF-010")
class LogsInTwice(TopStepXProvider):
    """Each connect logs in, also when there is a session."""

    async def connect(self) -> None:
        await super().connect()
        await self._rest.log_in()


@defect("TF-LIF-020")
class EventAfterClose(TopStepXProvider):
    """A heartbeat for the handlers goes on after disconnect."""

    def on_event(self, handler: Any) -> Any:
        self._handlers = [*getattr(self, "_handlers", ()), handler]
        return super().on_event(handler)

    async def _log_out(self) -> None:
        await super()._log_out()
        off = StreamConnectionStatus.CLOSED
        now = self._clock.now()
        event = StatusChanged(stream="market", status=off, previous=off, generation=1, received=now)
        for handler in getattr(self, "_handlers", ()):
            asyncio.get_running_loop().call_later(30, handler, event)


@defect("TF-LIF-030")
class SecondConnectBreaks(TopStepXProvider):
    """What the first disconnect closed is not made anew."""

    async def _log_in(self) -> None:
        await self._rest.session.token()


@defect("TF-LIF-040")
class ConnectsByItself(TopStepXProvider):
    """A call without a connection makes one."""

    async def get_accounts(self) -> list[Account]:
        await self.connect()
        return await super().get_accounts()


@defect("TF-LIF-050")
class WrongKeyIsBadLuck(TopStepXProvider):
    """A refused login looks like a venue that is away."""

    async def _log_in(self) -> None:
        try:
            await super()._log_in()
        except AuthenticationError as error:
            raise Disconnected(str(error)) from None


@defect("TF-LIF-060")
class FailedLoginCounts(TopStepXProvider):
    """A login that failed is not tried again."""

    _tried = False

    async def _log_in(self) -> None:
        if self._tried:
            return
        self._tried = True
        await super()._log_in()


@defect("TF-LIF-070")
class EndsWithTheVenue(TopStepXProvider):
    """`run_forever` ends when the venue does not answer."""

    async def run_forever(self) -> None:
        while True:
            await self._clock.sleep(10)
            try:
                await self.get_accounts()
            except TransportError:
                return


# --- capabilities ---

_CAPABILITIES = TopStepXProvider.capabilities


@defect("TF-CAP-010")
class SendsWhatIsNotDeclared(TopStepXProvider):
    """A stop-limit order is sent as a stop order."""

    async def place_order(self, request: OrderRequest) -> Order:
        if request.type is OrderType.STOP_LIMIT:
            request = evolve(request, type=OrderType.STOP, limit_price=None)
        return await super().place_order(request)


@defect("TF-CAP-020")
class QuotesForDepth(TopStepXProvider):
    """The book is not declared, and who asks for it gets quotes."""

    capabilities = evolve(
        _CAPABILITIES, market_data=_CAPABILITIES.market_data - {MarketDataType.DEPTH}
    )

    def subscribe_market_data(self, contract_ids: Any, data_types: Any) -> Any:
        has = self.capabilities.market_data
        known = [one if one in has else MarketDataType.QUOTE for one in data_types]
        return super().subscribe_market_data(contract_ids, known)


@defect("TF-CAP-030")
class BracketLeftOut(TopStepXProvider):
    """Brackets are not declared, and the entry of one is sent without it."""

    capabilities = evolve(_CAPABILITIES, brackets=False)

    async def place_order(self, request: OrderRequest) -> Order:
        return await super().place_order(evolve(request, bracket=None))


@defect("TF-CAP-040")
class DeclaresTooMuch(TopStepXProvider):
    """Stop-limit orders are declared, and sent as stop orders."""

    capabilities = evolve(
        _CAPABILITIES, order_types=_CAPABILITIES.order_types | {OrderType.STOP_LIMIT}
    )

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        if request.type is OrderType.STOP_LIMIT:
            body = {**body, "type": 4}
            del body["limitPrice"]
        return await super()._send_order(request, body)


@defect("TF-CAP-070")
class RestsByChance(TopStepXProvider):
    """Orders that only rest are not declared, and sent as orders that may take."""

    async def place_order(self, request: OrderRequest) -> Order:
        return await super().place_order(evolve(request, post_only=False))


@defect("TF-CAP-060")
class MinutesForSeconds(TopStepXProvider):
    """Bars of a second are not declared, and who asks for them gets minutes."""

    capabilities = evolve(_CAPABILITIES, bar_units=_CAPABILITIES.bar_units - {BarUnit.SECOND})

    async def get_historical_bars(self, contract_id: str, **span: Any) -> list[Bar]:
        unit = span.pop("unit", BarUnit.MINUTE)
        known = unit if unit in self.capabilities.bar_units else BarUnit.MINUTE
        return await super().get_historical_bars(contract_id, unit=known, **span)


# --- what is left ---


@defect("TF-RES-010")
class LeakedTask(TopStepXProvider):
    """A task that looks at the clock outlives the session."""

    async def _log_in(self) -> None:
        await super()._log_in()
        self._ticking = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(60)


@defect("TF-RES-020")
class LeakedTaskOfEachLife(LeakedTask):
    """Each session leaves a task that looks at the clock, until the provider itself is gone."""


@defect("TF-RES-010")
class LeakedSocket(TopStepXProvider):
    """The connections of requests are left open."""

    async def _log_out(self) -> None:
        await self._http._tasks.close()
        await self._refresher.close()


# --- what is said ---


@frozen
class _Login:
    user: str
    key: str


@defect("TF-SEC-010")
class SecretInRepr(TopStepXProvider):
    """The login is kept in a class that prints all that it has."""

    async def _log_in(self) -> None:
        self._login = _Login(self.config.username, self.config.api_key.reveal())
        await super()._log_in()


@defect("TF-SEC-020")
class SecretInLog(TopStepXProvider):
    """The token is logged for whoever looks for faults."""

    async def _log_in(self) -> None:
        await super()._log_in()
        token = await self._rest.session.token()
        _log.debug("logged in, and the token is %s", token.text.reveal())


@defect("TF-SEC-030")
class SecretInError(TopStepXProvider):
    """A login that fails raises an error that quotes the request."""

    async def _log_in(self) -> None:
        try:
            await super()._log_in()
        except TradeForgeError as error:
            error.add_note(f"sent: {self.config.username} {self.config.api_key.reveal()}")
            raise
