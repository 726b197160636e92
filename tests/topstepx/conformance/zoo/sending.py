"""Defects on the way of an order to the venue."""

import asyncio
from decimal import Decimal
from typing import Any

from attrs import evolve
from tests.topstepx.conformance.zoo.defects import defect

from tradeforge_core import (
    MarketClosed,
    NotFound,
    Order,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderType,
    RequestTimeout,
    TradeForgeError,
    TransportError,
    VenueError,
)
from tradeforge_core.requests import OrderChange
from tradeforge_topstepx._mapping import accepted_order
from tradeforge_topstepx.provider import TopStepXProvider


@defect("TF-SAF-060")
class BlindRetry(TopStepXProvider):
    """A close whose answer is lost is sent again."""

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        try:
            await super()._submit_close(account_id, contract_id, size)
        except TransportError:
            await super()._submit_close(account_id, contract_id, size)


@defect("TF-SAF-010")
class NewIdOnRetry(TopStepXProvider):
    """An order whose answer is lost is sent again under another name."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        try:
            return await super()._send_order(request, body)
        except (TransportError, VenueError):
            return await super()._send_order(request, body | {"customTag": f"{body['customTag']}b"})


@defect("TF-SAF-020")
class FailedLookUpCountedAsAbsence(TopStepXProvider):
    """A look-up that fails is taken for one that found nothing."""

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        try:
            return await super()._find_by_client_id(account_id, client_order_id)
        except TradeForgeError:
            return []


@defect("TF-SAF-020")
class TimeoutIsRejection(TopStepXProvider):
    """An order that is not answered in time is called rejected."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        try:
            return await super()._send_order(request, body)
        except RequestTimeout:
            raise OrderRejected("the venue did not answer in time") from None


@defect("TF-SAF-020")
class EveryErrorIsRejection(TopStepXProvider):
    """A status or a code that no document explains is called a rejection."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        try:
            return await super()._send_order(request, body)
        except VenueError as error:
            raise OrderRejected(str(error)) from None


@defect("TF-SAF-030")
class NeverFoundByName(TopStepXProvider):
    """The search for a lost order looks for its name among the ids."""

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        orders = await self._fetch_open_orders(account_id)
        return [one for one in orders if one.id == client_order_id]


@defect("TF-ORD-020", "TF-SAF-050")
class NoClientId(TopStepXProvider):
    """The client order id is not sent to the venue."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        del body["customTag"]
        return await super()._send_order(request, body)


@defect("TF-SAF-050")
class NewNameForEachOrder(TopStepXProvider):
    """Each call has a name of its own, so that one intent can be placed twice."""

    async def place_order(self, request: OrderRequest) -> Order:
        return await super().place_order(evolve(request, client_order_id=None))


@defect("TF-SAF-070")
class AroundTheGuards(TopStepXProvider):
    """Orders go to the venue without a look at the limits and the kill switch."""

    async def place_order(self, request: OrderRequest) -> Order:
        self._require_connection()
        return await self._submit_order(request)


@defect("TF-SAF-070")
class HaltLocksTheWayOut(TopStepXProvider):
    """The kill switch stops closes, too."""

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        if self.halted is not None:
            raise OrderRejected("trading is halted")
        await super()._submit_close(account_id, contract_id, size)


@defect("TF-SAF-040")
class SwallowedCancellation(TopStepXProvider):
    """A caller that is cancelled has to wait for the answer all the same."""

    async def place_order(self, request: OrderRequest) -> Order:
        placing = asyncio.ensure_future(super().place_order(request))
        while not placing.done():
            try:
                await asyncio.shield(placing)
            except asyncio.CancelledError:
                continue
        return placing.result()


@defect("TF-ORD-010")
class TruncatedSize(TopStepXProvider):
    """Every order is for one contract."""

    async def _submit_order(self, request: OrderRequest) -> Order:
        return await super()._submit_order(evolve(request, size=Decimal(1)))

    async def _prepare_order(self, request: OrderRequest) -> Any:
        return await super()._prepare_order(evolve(request, size=Decimal(1)))


@defect("TF-ORD-010")
class PriceWithoutCents(TopStepXProvider):
    """Prices are sent as whole numbers."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        whole = {name: int(value) for name, value in body.items() if name.endswith("Price")}
        return await super()._send_order(request, body | whole)


@defect("TF-ORD-120")
class WrongSide(TopStepXProvider):
    """Buys are sent as sells."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        return await super()._send_order(request, body | {"side": 1 - body["side"]})


@defect("TF-CAP-040")
class StopSentAsMarket(TopStepXProvider):
    """A stop order is sent as an order at the market."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        if request.type is OrderType.STOP:
            body = {**body, "type": 2}
            del body["stopPrice"]
        return await super()._send_order(request, body)


@defect("TF-ORD-030")
class RoundsToTheTick(TopStepXProvider):
    """A price between two ticks and half a contract are rounded, and sent."""

    async def place_order(self, request: OrderRequest) -> Order:
        contract = await self._known_contract(request.contract_id)
        if request.limit_price is not None:
            ticks = request.limit_price // contract.tick_size
            request = evolve(request, limit_price=ticks * contract.tick_size)
        return await super().place_order(evolve(request, size=Decimal(int(request.size))))


@defect("TF-ORD-040")
class RefusalIsAccepted(TopStepXProvider):
    """An answer with an order id is taken for an accepted order, whatever else it says."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        try:
            return await super()._send_order(request, body)
        except OrderRejected as error:
            return accepted_order(request, int(error.order_id or 0))


@defect("TF-ERR-030")
class ClosedMarketIsAnyRefusal(TopStepXProvider):
    """A closed market is a refusal like any other."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        try:
            return await super()._send_order(request, body)
        except MarketClosed as error:
            raise OrderRejected(str(error)) from None


@defect("TF-CNC-020")
class LastOrderAnswersAll(TopStepXProvider):
    """The request is kept on the provider while its answer is awaited."""

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        self._current = request
        order = await super()._send_order(request, body)
        return evolve(order, size=self._current.size)


# --- changes, cancels, closes ---


@defect("TF-ORD-050")
class CancelReportedBeforeItIsTrue(TopStepXProvider):
    """A cancel returns once it is on its way."""

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        cancelling = super()._submit_cancel(account_id, order_id)
        self._refresher.start(cancelling, name="cancel")


@defect("TF-SAF-060")
class LostCancelIsDone(TopStepXProvider):
    """A cancel whose answer is lost is called done."""

    async def cancel_order(self, account_id: str, order_id: str) -> None:
        try:
            await self._submit_cancel(account_id, order_id)
        except TransportError:
            return


@defect("TF-ORD-110")
class MissingOrderIsCancelled(TopStepXProvider):
    """An order that the venue does not know counts as cancelled."""

    async def cancel_order(self, account_id: str, order_id: str) -> None:
        try:
            await super().cancel_order(account_id, order_id)
        except NotFound:
            return


@defect("TF-ORD-060")
class ChangeForgetsTheSize(TopStepXProvider):
    """A change that names no size sets it to one."""

    async def _prepare_change(self, change: OrderChange) -> Any:
        return await super()._prepare_change(evolve(change, size=change.size or Decimal(1)))


@defect("TF-ORD-100")
class CancelsOneSide(TopStepXProvider):
    """Of all orders those to buy are cancelled."""

    async def cancel_all_orders(self, account_id: str, *, contract_id: str | None = None) -> Any:
        for order in await self.get_open_orders(account_id):
            if order.side is OrderSide.BUY:
                await self.cancel_order(account_id, order.id)
        return []


@defect("TF-POS-030")
class CloseIgnoresTheSize(TopStepXProvider):
    """A close of a part closes all."""

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        await super()._submit_close(account_id, contract_id, None)


@defect("TF-POS-030")
class CloseTurnsAround(TopStepXProvider):
    """A close is an order for twice of what is held."""

    async def close_position(self, account_id: str, contract_id: str, *, size: Any = None) -> None:
        (held,) = await self._fetch_positions(account_id)
        side = OrderSide.SELL if held.size > 0 else OrderSide.BUY
        lots = size or 2 * abs(held.size)
        await self.place_order(OrderRequest.market(account_id, contract_id, side, lots))


@defect("TF-POS-040")
class CloseOpens(TopStepXProvider):
    """A close sells, whether anything is held or not."""

    async def close_position(self, account_id: str, contract_id: str, *, size: Any = None) -> None:
        lots = size or 1
        await self.place_order(OrderRequest.market(account_id, contract_id, OrderSide.SELL, lots))


@defect("TF-POS-050")
class FlattenLeavesOrders(TopStepXProvider):
    """To flatten is to close the positions, and the orders stay."""

    async def flatten(self, account_id: str) -> None:
        for held in await self.get_positions(account_id):
            await self.close_position(account_id, held.contract_id)


@defect("TF-SAF-080")
class LaggingReadIsProofOfFlat(TopStepXProvider):
    """To flatten is to close what one look shows, and to believe the look."""

    async def flatten(self, account_id: str) -> None:
        await self.cancel_all_orders(account_id)
        for held in await self._fetch_positions(account_id):
            await self.close_position(account_id, held.contract_id)
