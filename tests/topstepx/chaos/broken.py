"""Providers that break one promise each, as a venue of chaos has to find out."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import httpx
from tests.plain_http import plain_http

from tradeforge_core import (
    Event,
    Gap,
    NotSent,
    Order,
    OrderRejected,
    OrderRequest,
    OrderUpdateEvent,
    Position,
    PositionUpdateEvent,
    StatusChanged,
    StreamConnectionStatus,
    UserTradeEvent,
)
from tradeforge_core.interfaces import EventHandler
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox.chaos import TopStepXChaos


class SendsTwice(TopStepXProvider):
    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        await super()._send_order(request, body)
        return await super()._send_order(request, body)


class SaysRejected(TopStepXProvider):
    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        await super()._send_order(request, body)
        raise OrderRejected("too much risk")


class SaysNotSent(TopStepXProvider):
    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        await super()._send_order(request, body)
        raise NotSent("no room")


class SendsAnother(TopStepXProvider):
    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        return await super()._send_order(request, body | {"side": 1 - body["side"]})


class NeverAnswers(TopStepXProvider):
    async def get_open_orders(self, account_id: str | None = None) -> list[Order]:
        await asyncio.Event().wait()
        return []


class _Told(TopStepXProvider):
    """Tells its handlers something else than what it has heard."""

    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        tell(event)

    def on_event(self, handler: EventHandler) -> EventHandler:
        super().on_event(lambda event: self.told(event, handler))
        return handler


class DropsFills(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        if not isinstance(event, UserTradeEvent):
            tell(event)


class TellsFillsTwice(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        tell(event)
        if isinstance(event, UserTradeEvent):
            tell(event)


class InventsFills(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        tell(event)
        if isinstance(event, UserTradeEvent):
            tell(attrs.evolve(event, trade=attrs.evolve(event.trade, id="7")))


class MiscountsPositions(TopStepXProvider):
    async def _fetch_positions(self, account_id: str) -> list[Position]:
        positions = await super()._fetch_positions(account_id)
        return [attrs.evolve(one, size=one.size * 2) for one in positions]


class GoesBack(_Told):
    """An order that has ended is told to be as it was at first."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._first: dict[str, Event] = {}

    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        tell(event)
        if isinstance(event, OrderUpdateEvent):
            tell(self._first.setdefault(event.order.id, event))


class ForgetsGenerations(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        if isinstance(event, StatusChanged) and event.status is StreamConnectionStatus.LIVE:
            event = attrs.evolve(event, generation=1)
        tell(event)


class HidesGaps(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        if not isinstance(event, Gap):
            tell(event)


class DropsOrders(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        if not isinstance(event, OrderUpdateEvent):
            tell(event)


class DropsPositions(_Told):
    def told(self, event: Event, tell: Callable[[Event], object]) -> None:
        if not isinstance(event, PositionUpdateEvent):
            tell(event)


class LeaksATask(TopStepXProvider):
    async def disconnect(self) -> None:
        await super().disconnect()
        self._leak = asyncio.ensure_future(asyncio.Event().wait())


class LeaksAConnection(TopStepXProvider):
    async def connect(self) -> None:
        await super().connect()
        port = httpx.URL(self.config.rest_url).port or 0
        await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)


class LeaksATimer(TopStepXProvider):
    async def disconnect(self) -> None:
        await super().disconnect()
        asyncio.get_running_loop().call_later(3600, print)


class LogsTheToken(TopStepXProvider):
    async def connect(self) -> None:
        await super().connect()
        token = await self._rest.session.token()
        logging.getLogger("whoever").debug("the token is %s", token.text.reveal())


class SaysTheKey(TopStepXProvider):
    async def get_open_orders(self, account_id: str | None = None) -> list[Order]:
        raise NotSent(f"no orders for {self.config.username}")


class PrintsTheKey(TopStepXProvider):
    def __repr__(self) -> str:
        return f"a provider of {self.config.username}"


class AsksTooOften(TopStepXProvider):
    async def get_open_orders(self, account_id: str | None = None) -> list[Order]:
        async with plain_http(self.config.rest_url) as client:
            for _ in range(201):
                await client.post("/api/Account/search", json={})
        return []


class RaisesAnything(TopStepXProvider):
    async def get_open_orders(self, account_id: str | None = None) -> list[Order]:
        raise ZeroDivisionError


class IsAlwaysLive(TopStepXProvider):
    """And gives up its connections for good when it has lost them."""

    @property
    def status(self) -> StreamConnectionStatus:
        return StreamConnectionStatus.LIVE

    def _make_link(self, stream: str) -> Any:
        link = super()._make_link(stream)
        if self._links.setdefault(stream, link) is not link:
            link.open = asyncio.Event().wait  # type: ignore[method-assign,assignment]
        return link

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._links: dict[str, Any] = {}


class BrokenVenue(TopStepXChaos):
    def __init__(self, seed: int, provider_type: type[TopStepXProvider]) -> None:
        super().__init__(seed)
        self._provider_type = provider_type
        if provider_type is SendsTwice:  # a venue that looks for the name would not let it
            self.exchange.listen(lambda event: self.exchange._blotter._tags.clear())

    @property
    def provider_type(self) -> type[TopStepXProvider]:
        return self._provider_type


def broken(provider_type: type[TopStepXProvider]) -> Callable[[int], TopStepXChaos]:
    """What makes the venue of each seed for such a provider."""
    return partial(BrokenVenue, provider_type=provider_type)
