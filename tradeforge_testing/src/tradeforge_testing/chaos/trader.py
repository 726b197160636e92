"""A trading program that does everything, in an order that chance decides."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from attrs import define, evolve, field

from tradeforge_core import (
    Bracket,
    MarketDataType,
    Order,
    OrderRequest,
    OrderSide,
    OrderType,
    TradeForgeError,
    TransportError,
    UserDataType,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.chaos.witness import Witness

_LONGEST = 300.0
"""Seconds that any call may take: every one has a deadline of its own far below."""


@define
class Placed:
    """An order that the trader wanted, and what he was told of it at the time."""

    request: OrderRequest
    order: Order | None = None
    error: BaseException | None = None
    is_changed: bool = field(default=False)


class Trader:
    def __init__(self, stage: Stage, witness: Witness) -> None:
        self._stage = stage
        self._broker = stage.broker
        self._random = stage.random
        self._witness = witness
        self.placed: list[Placed] = []
        self._deeds: dict[Action, Callable[[], Awaitable[object]]] = {
            Action.CONNECT: self._connect,
            Action.PLACE: self._place,
            Action.MODIFY: self._modify,
            Action.CANCEL: self._cancel,
            Action.CANCEL_ALL: lambda: self._broker.cancel_all_orders(stage.account_id),
            Action.CLOSE: self._close,
            Action.FLATTEN: self._flatten,
            Action.READ: self._read,
            Action.WAIT: lambda: stage.sleep(self._random.choice((0.1, 2.0, 40.0))),
        }

    async def do(self, action: Action) -> None:
        """Do it to its end, or be cancelled on the way; notes what must not be raised."""
        task = asyncio.ensure_future(self._deeds[action]())
        leaves_after = self._random.uniform(0, 2) if self._random.random() < _CANCELLED else None
        done, _ = await asyncio.wait(
            [task], timeout=_LONGEST if leaves_after is None else leaves_after * self._stage.pace
        )
        if not done:
            task.cancel()
            await asyncio.wait([task])
            if leaves_after is None:
                self._witness.wrong.append(f"I4 {action} had no end within {_LONGEST:g} s")
        if not task.cancelled():
            self._judge(action, task.exception())

    def _judge(self, action: Action, error: BaseException | None) -> None:
        self._witness.note(f"{action} {type(error).__name__}")
        if error is None or action is Action.WAIT:
            return
        self._witness.raised(error)
        if not isinstance(error, TradeForgeError):
            self._witness.wrong.append(f"E {action} raised {error!r}")
        elif isinstance(error, TransportError) and action in _OUTCOMES:
            self._witness.wrong.append(f"E {action} raised a bare {error!r}")

    async def _connect(self) -> None:
        await self._broker.connect()

    async def _place(self) -> None:
        placed = Placed(self._request())
        self.placed.append(placed)
        try:
            placed.order = await self._broker.place_order(placed.request)
        except BaseException as error:
            placed.error = error
            raise

    def _request(self) -> OrderRequest:
        stage, random = self._stage, self._random
        side = random.choice((OrderSide.BUY, OrderSide.SELL))
        tick = stage.exchange.instruments[stage.contract_id].tick_size
        last = stage.exchange.quote(stage.contract_id).last
        away = random.randrange(1, 40) * tick * (-1 if side is OrderSide.BUY else 1)
        market = OrderRequest.market(
            stage.account_id, stage.contract_id, side, random.randrange(1, 4)
        )
        market = evolve(market, client_order_id=new_client_order_id(current_clock().now()))
        kind = random.choice(("market", "limit", "limit", "stop", "bracket"))
        if kind == "limit":
            return evolve(market, type=OrderType.LIMIT, limit_price=last + away)
        if kind == "stop":
            return evolve(market, type=OrderType.STOP, stop_price=last - away)
        if kind == "bracket":
            exits = Bracket(stop_loss=20 * tick, take_profit=Decimal(20) * tick)
            return evolve(market, bracket=exits)
        return market

    async def _modify(self) -> None:
        order = self._some_open()
        if order is None or order.limit_price is None:
            return
        self._changed(order)
        tick = self._stage.exchange.instruments[self._stage.contract_id].tick_size
        await self._broker.modify_order(
            order.account_id, order.id, limit_price=order.limit_price + tick
        )

    async def _cancel(self) -> None:
        if (order := self._some_open()) is not None:
            self._changed(order)
            await self._broker.cancel_order(order.account_id, order.id)

    def _some_open(self) -> Order | None:
        entries = [
            one
            for one in self._broker.orders.open(self._stage.account_id)
            if one.parent_order_id is None
        ]
        return self._random.choice(entries) if entries else None

    def _changed(self, order: Order) -> None:
        for one in self.placed:
            if one.request.client_order_id == order.client_order_id:
                one.is_changed = True

    async def _close(self) -> None:
        size = Decimal(1) if self._random.random() < 0.4 else None
        await self._broker.close_position(
            self._stage.account_id, self._stage.contract_id, size=size
        )

    async def _flatten(self) -> None:
        """Who is told that he is flat goes to bed: the venue must hold nothing at that moment."""
        account_id = self._stage.account_id
        await self._broker.flatten(account_id)
        exchange, account = self._stage.exchange, int(account_id)
        held = {one.instrument_id: one.size for one in exchange.positions(account) if one.size}
        left = [one.id for one in exchange.orders(account) if not one.status.is_final]
        if held or left:
            self._witness.wrong.append(f"I6 flatten returned; held {held}, open orders {left}")

    async def _read(self) -> None:
        await self._broker.get_open_orders(self._stage.account_id)
        await self._broker.get_positions(self._stage.account_id)

    async def begin(self) -> None:
        """Connect and subscribe, however often it takes."""
        account_id, contract_id = self._stage.account_id, self._stage.contract_id
        await self._for_sure(self._broker.connect)
        await self._for_sure(
            lambda: self._broker.subscribe_user_data([account_id], list(UserDataType))
        )
        await self._for_sure(
            lambda: self._broker.subscribe_market_data([contract_id], [MarketDataType.QUOTE])
        )

    async def _for_sure(self, work: Callable[[], Awaitable[object]]) -> None:
        for _ in range(20):
            try:
                await work()
            except TradeForgeError as error:
                self._witness.raised(error)
                await self._stage.sleep(5)
            else:
                return
        await work()


_CANCELLED = 0.06
"""How often a caller is cancelled."""
_OUTCOMES = frozenset(Action) - {Action.CONNECT, Action.READ, Action.WAIT, Action.FLATTEN}
