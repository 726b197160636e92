"""Where orders leave: checked, approved, named, written down, sent once, followed to their end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import attrs

from tradeforge_core.adapter import VenueAdapter, Write
from tradeforge_core.converter import to_json
from tradeforge_core.enums import OrderSide
from tradeforge_core.errors import InvalidOrder, JournalUnavailable, NotSent
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Contract, Order, OrderRequest
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.changing import growth
from tradeforge_core.orders.checks import check_change, check_order, check_size, check_supported
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_core.orders.closing import Closing
from tradeforge_core.orders.gate import Gate
from tradeforge_core.orders.intents import Intent, Operation
from tradeforge_core.orders.journal import IntentState, Journal
from tradeforge_core.orders.journals import Journals
from tradeforge_core.orders.path import OrderPath, before_sending
from tradeforge_core.requests import OrderChange

if TYPE_CHECKING:
    from tradeforge_core.state import KnownOrders

_LONGEST_OPENING = 2.0
"""Seconds that an exit waits for its journal."""


class OrderDesk:
    """The order path of one provider: each method is one write at the venue, or none."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        known_contract: Callable[[str], Awaitable[Contract]],
        known_orders: "KnownOrders",
        require_connection: Callable[[], None],
        gate: Gate,
        path: OrderPath,
        journals: Journals,
        clock: Clock,
        risk_while_unknown: bool,
    ) -> None:
        self._venue = venue
        self._known_contract = known_contract
        self._known_orders = known_orders
        self._require_connection = require_connection
        self._gate = gate
        self._path = path
        self._journals = journals
        self._clock = clock
        self._risk_while_unknown = risk_while_unknown

    async def place(self, request: OrderRequest) -> Order:
        self._require_connection()
        capabilities = self._venue.capabilities
        check_supported(request, capabilities, self._venue.name)
        contract = await before_sending(self._known_contract(request.contract_id), "place")
        check_order(request, contract, bracket_min_ticks=capabilities.bracket_min_ticks)
        named = self._named(request)
        journal = await self._journal(named.account_id)
        await self._refuse_used_name(request, journal)
        await self._look_around(named.account_id)
        with ExitStack() as until_done:
            until_done.enter_context(self._gate.claim(named))
            await self._gate.check(named, contract)
            send = await before_sending(self._venue._prepare_order(named), "place")
            # what was so when the checks began, and they may have taken their time
            await self._refuse_while_unknown(named)
            await self._gate.check_halt(named)
            self._require_connection()
            intent = self._intent(
                Operation.PLACE,
                named.account_id,
                contract_id=named.contract_id,
                details=to_json(named),
                name=named.client_order_id,
            )
            case = Case(
                intent=intent,
                send=send,
                last_check=partial(self._gate.check_halt, named),
                request=named,
                journal=journal,
                until_done=until_done.pop_all(),  # a caller who goes must not make room by that
            )
        order = await self._path.carry_out(case)
        assert order is not None
        return order

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
        journal = await self._journal(account_id)
        more = growth(order, change, new_client_order_id(self._clock.now()))
        with ExitStack() as until_done:
            if more is not None:
                until_done.enter_context(self._gate.claim(more))
            await self._gate.check_change(order, change, more)
            send = await before_sending(self._venue._prepare_change(change), "modify")
            if more is not None:
                await self._refuse_while_unknown(more)
            self._require_connection()
            intent = self._intent(
                Operation.MODIFY,
                account_id,
                contract_id=order.contract_id,
                order_id=order_id,
                details=to_json(change),
            )
            case = Case(
                intent=intent,
                send=send,
                last_check=partial(self._gate.check_halt_of_change, order, change, more),
                change=change,
                before=order,
                journal=journal,
                until_done=until_done.pop_all(),
            )
        await self._path.carry_out(case)

    async def cancel(self, account_id: str, order_id: str, *, patient: bool = True) -> None:
        self._require_connection()
        if not all(isinstance(one, str) for one in (account_id, order_id)):
            raise InvalidOrder([f"ids are text: account_id {account_id!r}, order_id {order_id!r}"])
        intent = self._intent(
            Operation.CANCEL,
            account_id,
            contract_id=self._contract_of(order_id),
            order_id=order_id,
        )
        case = Case(
            intent=intent,
            send=lambda: _nothing(self._venue._submit_cancel(account_id, order_id)),
            journal=await self._journal_for_exit(account_id),
        )
        await self._path.carry_out(case, patient=patient)

    async def close(
        self,
        account_id: str,
        contract_id: str,
        size: Decimal | None,
        *,
        held: Decimal | None,
        hedge_side: OrderSide | None = None,
        patient: bool = True,
    ) -> None:
        """Close the position, or `size` of it. `held` is what it is before, None if not known."""
        self._require_connection()
        if size is not None:
            known = self._known_contract(contract_id)
            check_size(size, await before_sending(known, "close"))
        self._require_connection()
        closing = Closing(held=held, size=size, hedge_side=hedge_side)
        intent = self._intent(
            Operation.CLOSE, account_id, contract_id=contract_id, details=to_json(closing)
        )
        case = Case(
            intent=intent,
            send=lambda: _nothing(self._closing_write(account_id, contract_id, closing)),
            closing=closing,
            journal=await self._journal_for_exit(account_id),
        )
        await self._path.carry_out(case, patient=patient)

    def _closing_write(self, account_id: str, contract_id: str, closing: Closing) -> Write[None]:
        size, side = closing.size, closing.hedge_side
        if side is None:
            return self._venue._submit_close(account_id, contract_id, size)
        return self._venue._submit_close_side(account_id, contract_id, size, side)

    # --- names and records ---

    def _contract_of(self, order_id: str) -> str:
        """Empty if the order was never seen: a cancel must not wait for a look."""
        known = order_id in self._known_orders
        return self._known_orders[order_id].contract_id if known else ""

    def _named(self, request: OrderRequest) -> OrderRequest:
        if request.client_order_id is not None:
            return request
        return attrs.evolve(request, client_order_id=new_client_order_id(self._clock.now()))

    def _intent(
        self,
        operation: Operation,
        account_id: str,
        *,
        contract_id: str = "",
        order_id: str | None = None,
        details: str = "{}",
        name: str | None = None,
    ) -> Intent:
        now = self._clock.now()
        return Intent(
            id=name or new_client_order_id(now),
            operation=operation,
            account_id=account_id,
            contract_id=contract_id,
            order_id=order_id,
            details=details,
            made_at=now,
        )

    async def _journal(self, account_id: str) -> Journal:
        try:
            return await self._journals.of(account_id)
        except JournalUnavailable as error:
            raise NotSent(f"the order cannot be written down: {error}") from error

    async def _look_around(self, account_id: str) -> None:
        """After damage to the journal: read all that is open, before any new risk is taken."""
        if self._journals.damaged(account_id) is None:
            return
        await before_sending(self._venue._fetch_open_orders(account_id), "place")
        await before_sending(self._venue._fetch_positions(account_id), "place")
        self._journals.repaired(account_id)

    async def _journal_for_exit(self, account_id: str) -> Journal | None:
        """None where there is none to be had in time: an exit leaves all the same."""
        try:
            async with asyncio.timeout(_LONGEST_OPENING):
                return await self._journals.of(account_id)
        except (JournalUnavailable, TimeoutError):
            return None

    async def _refuse_used_name(self, request: OrderRequest, journal: Journal) -> None:
        """Only a name of the caller's own can have been used before; ours are new."""
        name = request.client_order_id
        entry = None if name is None else await before_sending(journal.find(name), "place")
        if entry is not None and entry.state is not IntentState.NOT_SENT:
            raise InvalidOrder(
                [
                    f"client_order_id {name!r} was used before and names one order for ever:"
                    f" resolve({name!r}) tells what became of it"
                ]
            )

    async def _refuse_while_unknown(self, request: OrderRequest) -> None:
        open_risk = [
            case
            for case in self._path.cases()
            if case.is_open_risk
            and case.intent.account_id == request.account_id
            and case.intent.contract_id in ("", request.contract_id)
        ]
        if not open_risk or self._risk_while_unknown or await self._gate.reduces(request):
            return
        names = ", ".join(case.name for case in open_risk)
        raise NotSent(
            f"what became of {names} is not known, and this order would add to the risk: wait"
            " with resolve(), or settle it with acknowledge()",
            client_order_id=request.client_order_id,
        )


async def _nothing(write: Write[None]) -> None:
    await write
