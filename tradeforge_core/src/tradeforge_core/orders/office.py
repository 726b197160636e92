"""The order path of one provider, put together."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.errors import TradeForgeError
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.models import Contract, Order
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.desk import OrderDesk
from tradeforge_core.orders.gate import Gate
from tradeforge_core.orders.guards import Guards
from tradeforge_core.orders.journals import Journals
from tradeforge_core.orders.kill_switch import KillSwitch
from tradeforge_core.orders.path import OrderPath
from tradeforge_core.orders.recent import Recent
from tradeforge_core.orders.safety import OrderSafety
from tradeforge_core.orders.settlement import Settlement
from tradeforge_core.orders.unwinding import Unwinding
from tradeforge_core.outcomes import OrderOutcome
from tradeforge_core.plugins import Plugins

if TYPE_CHECKING:
    from tradeforge_core.state import KnownOrders


class OrderOffice:
    """Its parts: the desk sends, the path follows, the guards look after."""

    def __init__(
        self,
        venue: VenueAdapter,
        safety: OrderSafety,
        *,
        known_contract: Callable[[str], Awaitable[Contract]],
        known_orders: "KnownOrders",
        recent: Recent,
        require_connection: Callable[[], None],
        announce: Callable[[OrderOutcome], None],
        report: Callable[[TradeForgeError], None],
        plugins: Plugins,
        clock: Clock,
    ) -> None:
        self.tasks = TaskOwner()
        self.journals = Journals(
            venue.name,
            venue.realm,
            safety.journal,
            clock,
            on_open=lambda account_id, journal: self.guards.take_up(account_id, journal),
        )
        self.switch = KillSwitch(self.journals.folder)
        self._recent = recent
        gate = Gate(
            venue,
            plugins=plugins,
            limits=safety.limits,
            switch=self.switch,
            recent=recent,
            clock=clock,
        )
        self.guards = self._new_guards(venue, safety, report, clock)
        self.path = OrderPath(
            venue,
            known_orders=known_orders,
            tasks=self.tasks,
            clock=clock,
            times=safety.look_ups,
            announce=announce,
            notice=self._notice,
        )
        self.desk = OrderDesk(
            venue,
            known_contract=known_contract,
            known_orders=known_orders,
            require_connection=require_connection,
            gate=gate,
            path=self.path,
            journals=self.journals,
            clock=clock,
            risk_while_unknown=safety.risk_while_unknown,
        )
        self.unwinding = Unwinding(
            self.desk, venue, clock, cases=self.path.cases, recent=recent, report=report
        )
        self.settlement = self._new_settlement(venue, gate, clock)

    def _new_settlement(self, venue: VenueAdapter, gate: Gate, clock: Clock) -> Settlement:
        return Settlement(
            venue,
            path=self.path,
            journals=self.journals,
            gate=gate,
            recent=self._recent,
            unwinding=self.unwinding,
            clock=clock,
        )

    def _new_guards(
        self,
        venue: VenueAdapter,
        safety: OrderSafety,
        report: Callable[[TradeForgeError], None],
        clock: Clock,
    ) -> Guards:
        """They know the path and the unwinding, which are made after them."""
        return Guards(
            venue,
            safety.protection,
            clock=clock,
            cases=lambda: self.path.cases(),
            flatten=lambda account_id, contract_id: self.unwinding.flatten(account_id, contract_id),
            is_leaving=lambda account_id, contract_id: self.unwinding.is_leaving(
                account_id, contract_id
            ),
            report=report,
        )

    def _notice(self, case: Case) -> None:
        self._recent.notice(case)
        self.guards.notice(case)

    def saw(self, order: Order) -> None:
        """The private stream showed this order."""
        self.path.saw(order)
        self.guards.saw(order)

    async def close(self, *, grace: float) -> None:
        """End guards and searches, let answers come for `grace` seconds, and close the journals."""
        async with AsyncExitStack() as last_to_first:  # each step, whatever becomes of the others
            last_to_first.push_async_callback(self.journals.close)
            last_to_first.callback(self.path.forget)
            # after the requests, so that whoever closes is told what became of his
            last_to_first.push_async_callback(self.unwinding.finish, grace=grace)
            last_to_first.push_async_callback(self.path.close_searches)  # for the last answers
            last_to_first.push_async_callback(self.tasks.close, grace=grace)
            last_to_first.push_async_callback(self.path.close_searches)
            last_to_first.push_async_callback(self.guards.close)
