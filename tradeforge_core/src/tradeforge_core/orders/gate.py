"""What an order has to pass before it may leave: add-ons, limits, the kill switch."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from attrs import define

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.errors import OrderVetoed
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Contract, Order, OrderRequest
from tradeforge_core.orders.changing import are_one_exit, changed, only_shrinks
from tradeforge_core.orders.holding import signed
from tradeforge_core.orders.kill_switch import KillSwitch
from tradeforge_core.orders.limits import RiskLimits
from tradeforge_core.orders.path import before_sending
from tradeforge_core.orders.recent import Recent
from tradeforge_core.plugins import OrderContext, Plugins
from tradeforge_core.requests import OrderChange, Period, latest

_MINUTE = 60.0


@define(eq=False)
class _Claim:
    """What an order may add to a position, while no look at the venue is sure to show it."""

    account_id: str
    contract_id: str
    name: str | None
    signed_size: Decimal


class Gate:
    """Collects every reason against an order, not only the first one."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        plugins: Plugins,
        limits: RiskLimits,
        switch: KillSwitch,
        recent: Recent,
        clock: Clock,
    ) -> None:
        self._venue = venue
        self._recent = recent
        self._plugins = plugins
        self._limits = limits
        self._switch = switch
        self._clock = clock
        self._claims: list[_Claim] = []
        self._placed: deque[float] = deque()

    @contextmanager
    def claim(self, request: OrderRequest) -> Iterator[None]:
        """Count the order as one that works, for as long as nobody knows what became of it."""
        claim = _Claim(
            request.account_id,
            request.contract_id,
            request.client_order_id,
            signed(request.side, request.size),
        )
        self._claims.append(claim)
        try:
            yield
        finally:
            self._claims.remove(claim)

    async def check(self, request: OrderRequest, contract: Contract) -> None:
        """Raises `OrderVetoed` with all reasons, and `NotSent` where a limit cannot be checked."""
        context = OrderContext(provider=self._venue.name, contract=contract)
        reasons = await self._plugins.vetoes(request, context)
        reasons += self._against_quote(request) or self._against_size(request.size)
        reasons += self._against_contract(contract)
        if against_risk := await self._against_risk(request):
            if not await self.reduces(request):
                reasons += against_risk
        reasons += self._against_pace()  # last: nothing may be awaited before it counts
        if reasons:
            raise OrderVetoed(reasons)
        self._placed.append(self._clock.monotonic())

    async def check_change(
        self, order: Order, change: OrderChange, growth: OrderRequest | None
    ) -> None:
        """Raises `OrderVetoed` for a change that could make the account hold more.

        `growth` is what it adds to the size, as an order of its own.
        """
        if growth is not None:
            assert change.size is not None
            reasons = self._against_size(change.size)
            if against_risk := await self._against_risk(growth):
                reasons += [] if await self.reduces(growth) else against_risk
            if reasons:
                raise OrderVetoed(reasons)
        else:
            await self.check_halt_of_change(order, change, None)

    async def check_halt_of_change(
        self, order: Order, change: OrderChange, growth: OrderRequest | None
    ) -> None:
        """As `check_halt`, for what the change may add."""
        if growth is not None:
            await self.check_halt(growth)
        elif not only_shrinks(order, change):
            await self.check_halt(changed(order, change), besides=order)

    async def check_halt(self, request: OrderRequest, *, besides: Order | None = None) -> None:
        """Raises `OrderVetoed` while the kill switch is thrown, unless the order is a way out."""
        if (reasons := self._against_halt()) and not await self.reduces(request, besides=besides):
            raise OrderVetoed(reasons)

    async def reduces(self, request: OrderRequest, *, besides: Order | None = None) -> bool:
        """Whether the order can only make the position smaller, with all that works already."""
        if request.bracket is not None:
            return False
        if request.reduce_only:
            return True  # the venue sees to it
        held, working = await self._exposure(request, besides=besides)
        size = signed(request.side, request.size)
        if held == 0 or (held > 0) == (size > 0):
            return False
        same_way = sum((one for one in working if (one > 0) == (size > 0)), Decimal(0))
        return abs(same_way + size) <= abs(held)

    async def _exposure(
        self, request: OrderRequest, *, besides: Order | None = None
    ) -> tuple[Decimal, list[Decimal]]:
        """What is held of the contract, and the signed sizes of all that works or is on its way.

        Where that is not certain, what is held is the worst for this order.
        """
        place = (request.account_id, request.contract_id)
        claims = self._others(request)
        orders, shown = await self._look(request)
        await before_sending(self._recent.look(*place, orders), "place")
        claims += [one for one in self._others(request) if one not in claims]
        names = {one.client_order_id for one in orders}
        working = [
            signed(one.side, one.remaining_size)
            for one in orders
            if besides is None or not are_one_exit(one, besides)
        ]
        working += [one.signed_size for one in claims if one.name not in names]
        working += self._recent.unshown(*place, orders)
        return self._recent.holding(*place, shown).towards(request.side), working

    async def _look(self, request: OrderRequest) -> tuple[list[Order], Decimal]:
        """The open orders of the contract, and what is shown of its position.

        Of two positions at once it is the one that an order of this side adds to.

        In this order: what fills in between is counted twice, and never not at all.
        """
        account_id, contract_id = request.account_id, request.contract_id
        orders = await before_sending(self._venue._fetch_open_orders(account_id), "place")
        positions = await before_sending(self._venue._fetch_positions(account_id), "place")
        sides = (None, request.side)
        ours = [one for one in positions if one.contract_id == contract_id]
        held = sum((one.size for one in ours if one.hedge_side in sides), Decimal(0))
        return [one for one in orders if one.contract_id == contract_id], held

    def _others(self, request: OrderRequest) -> list[_Claim]:
        """The claims of other orders in the same place."""
        place = (request.account_id, request.contract_id)
        name = request.client_order_id
        return [
            one
            for one in self._claims
            if (one.account_id, one.contract_id) == place and (name is None or one.name != name)
        ]

    def _against_halt(self) -> list[str]:
        halt = self._switch.halt
        return [] if halt is None else [f"trading is halted: {halt.reason}"]

    def _against_size(self, size: Decimal) -> list[str]:
        most = self._limits.max_order_size
        if most is None or size <= most:
            return []
        return [f"max_order_size is {most:f}, and this order has {size:f}"]

    def _against_quote(self, request: OrderRequest) -> list[str]:
        """The limits count contracts, and how many it will be nobody knows yet."""
        names = ("max_order_size", "max_position") if request.in_quote else ()
        return [
            f"{name} cannot be checked for a size in_quote: give the size to buy"
            for name in names
            if getattr(self._limits, name) is not None
        ]

    def _against_contract(self, contract: Contract) -> list[str]:
        if self._limits.allows(contract):
            return []
        allowed = ", ".join(sorted(self._limits.allowed_contracts or ()))
        return [f"{contract.symbol} is not among allowed_contracts: {allowed}"]

    def _against_pace(self) -> list[str]:
        most = self._limits.max_orders_per_minute
        horizon = self._clock.monotonic() - _MINUTE
        while self._placed and self._placed[0] <= horizon:
            self._placed.popleft()
        if most is None or len(self._placed) < most:
            return []
        return [f"max_orders_per_minute is {most}, and {len(self._placed)} were placed"]

    async def _against_risk(self, request: OrderRequest) -> list[str]:
        reasons = self._against_halt()
        if self._limits.max_position is not None:
            reasons += await self._against_position(request, self._limits.max_position)
        if self._limits.max_daily_loss is not None:
            reasons += await self._against_loss(request.account_id, self._limits.max_daily_loss)
        return reasons

    async def _against_position(self, request: OrderRequest, most: Decimal) -> list[str]:
        held, working = await self._exposure(request)
        size = signed(request.side, request.size)
        same_way = sum((one for one in working if (one > 0) == (size > 0)), Decimal(0))
        would_be = held + same_way + size
        if abs(would_be) <= most:
            return []
        return [f"max_position is {most:f}, and it could become {would_be:f}"]

    async def _against_loss(self, account_id: str, most: Decimal) -> list[str]:
        now = self._clock.now()
        until = latest(now, self._venue._clock_ahead())
        day = Period(start=self._venue.trading_day.began(now), end=until)
        result = await before_sending(self._venue._fetch_result(account_id, day), "place")
        if -result < most:
            return []
        return [
            f"max_daily_loss is {most:f}, and {-result:f} were lost since {day.start:%H:%M} UTC"
        ]
