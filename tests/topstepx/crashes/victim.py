"""A program that trades, and dies by SIGKILL at the point that it is told.

    python victim.py POINT SEED

Its settings and its state folder are those of its environment. It says `ready` when whoever watches
it may kill it, and `survived` if it comes to its end.
"""

import asyncio
import os
import signal
import sys
from asyncio import selector_events
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import attrs

from tradeforge_core import (
    Bracket,
    Contract,
    LookUps,
    OrderOutcomeEvent,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Provider,
    load_provider,
)
from tradeforge_core.orders import resolver
from tradeforge_core.orders.journal import Journal
from tradeforge_core.orders.office import OrderOffice
from tradeforge_core.orders.path import OrderPath
from tradeforge_core.orders.settlement import Settlement
from tradeforge_core.orders.unwinding import Unwinding

QUICK = OrderSafety(look_ups=LookUps(pauses=(0.05, 0.1, 0.2), deadline=5.0, settle=0.5))
Act = Callable[[Provider, str, Contract], Awaitable[object]]


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> Callable[[], None]:
    """Die where the method is called."""

    def arm() -> None:
        setattr(owner, name, die)

    return arm


def after(owner: Any, name: str) -> Callable[[], None]:
    """Die where the method returns."""

    def arm() -> None:
        original = getattr(owner, name)

        def method(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            if asyncio.iscoroutine(result):
                return _await_and_die(result)
            return die()

        setattr(owner, name, method)

    return arm


async def _await_and_die(result: Awaitable[object]) -> None:
    await result
    die()


def _intent_on_disk() -> None:
    async def hand_off(self: Journal, *_: object) -> None:
        await self.flush()
        die()

    setattr(Journal, "hand_off", hand_off)  # noqa: B010  # to a class, whatever its types say


def _half_a_request() -> None:
    transport: Any = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    original = transport.write

    def write(self: Any, data: bytes) -> None:
        if b"/api/Order/place" in bytes(data):
            self._sock.send(data[: len(data) // 2])
            die()
        original(self, data)

    transport.write = write


def _outcome_on_disk() -> None:
    original = Journal.settle

    def settle(self: Journal, *arguments: Any) -> None:
        original(self, *arguments)
        loop = asyncio.get_running_loop()
        loop.create_task(self.flush()).add_done_callback(die)  # it dies with it

    setattr(Journal, "settle", settle)  # noqa: B010


def _found() -> None:
    original = Journal.settle

    def settle(self: Journal, *arguments: Any) -> None:
        if "looked_up" in str(arguments):
            die()
        original(self, *arguments)

    setattr(Journal, "settle", settle)  # noqa: B010


def nothing() -> None:
    """Whoever watches does the killing."""


async def place(broker: Provider, account_id: str, contract: Contract) -> object:
    return await broker.place_order(OrderRequest.market(account_id, contract.id, OrderSide.BUY, 1))


async def cancel(broker: Provider, account_id: str, contract: Contract) -> None:
    await broker.cancel_order(account_id, (await _resting(broker, account_id)).id)


async def modify(broker: Provider, account_id: str, contract: Contract) -> None:
    await broker.modify_order(account_id, (await _resting(broker, account_id)).id, size=3)


async def close(broker: Provider, account_id: str, contract: Contract) -> None:
    await broker.close_position(account_id, contract.id)


async def close_with_exits(broker: Provider, account_id: str, contract: Contract) -> None:
    market = OrderRequest.market(account_id, contract.id, OrderSide.BUY, 1)
    bracket = Bracket(stop_loss=400, take_profit=400)
    await broker.place_order(attrs.evolve(market, bracket=bracket))
    await broker.close_position(account_id, contract.id)


async def leave(broker: Provider, account_id: str, contract: Contract) -> object:
    placing = asyncio.create_task(place(broker, account_id, contract))
    await asyncio.sleep(0.3)
    await broker.disconnect()
    return await placing


async def _resting(broker: Provider, account_id: str) -> Any:
    return (await broker.get_open_orders(account_id))[0]


POINTS: dict[str, tuple[Callable[[], None], Act]] = {
    "before the intent": (before(Journal, "begin"), place),
    "intent noted, not on disk": (after(Journal, "begin"), place),
    "intent on disk, not handed off": (_intent_on_disk, place),
    "handed off, no byte sent": (after(Journal, "hand_off"), place),
    "half of the request sent": (_half_a_request, place),
    "sent, not booked": (nothing, place),
    "booked, not answered": (nothing, place),
    "answered, not noted": (before(OrderPath, "record"), place),
    "outcome noted, not on disk": (after(Journal, "settle"), place),
    "outcome on disk": (_outcome_on_disk, place),
    "outcome told": (nothing, place),
    "first look after a lost answer": (before(resolver, "look"), place),
    "found, not noted": (_found, place),
    "cancel sent, not booked": (nothing, cancel),
    "cancel booked, not answered": (nothing, cancel),
    "change booked, not answered": (nothing, modify),
    "close booked, not answered": (nothing, close),
    "close answered, its exits at work": (before(Unwinding, "_fit_exits"), close_with_exits),
    "disconnecting with an unknown outcome": (before(OrderOffice, "close"), leave),
    "recovering": (before(Settlement, "_recovered"), place),
}


async def main(point: str, seed: int) -> None:
    arm, act = POINTS[point]
    random = Random(seed)
    if point == "recovering":
        arm()
    broker = load_provider("topstepx", safety=QUICK)

    @broker.on_event
    def hear(event: object) -> None:
        if point == "outcome told" and armed and isinstance(event, OrderOutcomeEvent):
            die()

    armed = False
    async with broker:
        account, *_ = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol("MNQ")
        far = contract.tick_size * 4
        await broker.place_order(OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 2, far))
        for _ in range(random.randrange(1, 4)):
            await place(broker, account.id, contract)
        print("ready", flush=True)  # noqa: T201  # to whoever watches
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        arm()
        armed = True
        others = [place(broker, account.id, contract) for _ in range(random.randrange(2))]
        await asyncio.gather(act(broker, account.id, contract), *others)
    print("survived", flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
