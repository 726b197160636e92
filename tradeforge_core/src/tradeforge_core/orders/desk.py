"""Where orders leave: checked, approved, named, sent once."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import attrs

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.errors import OrderVetoed
from tradeforge_core.kit.budget import Lane
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.models import Contract, Order, OrderRequest
from tradeforge_core.orders.checks import check_change, check_order, check_size, check_supported
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_core.orders.path import before_sending, send_once
from tradeforge_core.plugins import OrderContext, Plugins
from tradeforge_core.requests import OrderChange


class OrderDesk:
    """The order path of one provider: each method is one write at the venue, or none."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        known_contract: Callable[[str], Awaitable[Contract]],
        require_connection: Callable[[], None],
        plugins: Plugins,
        tasks: TaskOwner,
        clock: Clock,
    ) -> None:
        self._venue = venue
        self._known_contract = known_contract
        self._require_connection = require_connection
        self._plugins = plugins
        self._tasks = tasks
        self._clock = clock

    async def place(self, request: OrderRequest) -> Order:
        self._require_connection()
        capabilities = self._venue.capabilities
        check_supported(request, capabilities, self._venue.name)
        contract = await before_sending(self._known_contract(request.contract_id), "place")
        check_order(request, contract, bracket_min_ticks=capabilities.bracket_min_ticks)
        named = self._named(request)
        await self._ask_add_ons(named, contract)
        send = await before_sending(self._venue._prepare_order(named), "place")
        self._require_connection()  # a check may have taken its time
        return await send_once(
            send(),
            tasks=self._tasks,
            operation="place",
            client_order_id=named.client_order_id,
        )

    async def modify(self, change: OrderChange) -> None:
        self._require_connection()
        account_id, order_id = change.account_id, change.order_id
        order = await before_sending(self._venue._fetch_order(account_id, order_id), "modify")
        check_change(
            await before_sending(self._known_contract(order.contract_id), "modify"),
            size=change.size,
            prices={
                "limit_price": change.limit_price,
                "stop_price": change.stop_price,
                "trail_distance": change.trail_distance,
            },
        )
        send = await before_sending(self._venue._prepare_change(change), "modify")
        self._require_connection()
        await send_once(
            send(),
            tasks=self._tasks,
            operation="modify",
            order_id=order_id,
        )

    async def cancel(self, account_id: str, order_id: str) -> None:
        self._require_connection()
        await send_once(
            self._venue._submit_cancel(account_id, order_id),
            tasks=self._tasks,
            operation="cancel",
            order_id=order_id,
        )

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        self._require_connection()
        if size is not None:
            known = self._known_contract(contract_id)
            check_size(size, await before_sending(known, "close", Lane.URGENT))
        self._require_connection()
        await send_once(
            self._venue._submit_close(account_id, contract_id, size),
            tasks=self._tasks,
            operation="close",
        )

    async def _ask_add_ons(self, request: OrderRequest, contract: Contract) -> None:
        context = OrderContext(provider=self._venue.name, contract=contract)
        if reasons := await self._plugins.vetoes(request, context):
            raise OrderVetoed(reasons)

    def _named(self, request: OrderRequest) -> OrderRequest:
        if request.client_order_id is not None:
            return request
        return attrs.evolve(request, client_order_id=new_client_order_id(self._clock.now()))
