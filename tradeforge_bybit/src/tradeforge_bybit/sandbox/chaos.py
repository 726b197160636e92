"""What goes wrong with Bybit, for chaos and for the conformance kit."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from attrs import evolve

from tradeforge_bybit.sandbox.sandbox import BybitSandbox
from tradeforge_core import OrderSafety, Provider, Settings
from tradeforge_core.interfaces import Sandbox
from tradeforge_testing.chaos.faults import (
    ASKING,
    CONNECTED,
    MOVING,
    WRITING,
    Action,
    ChaosFault,
    Strike,
)
from tradeforge_testing.chaos.patience import Patience, hasty
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.faults import Spoil
from tradeforge_testing.sandbox.gate_faults import GateFaults
from tradeforge_testing.sandbox.planned_faults import Fault

_CREATE, _CANCEL = "/v5/order/create", "/v5/order/cancel"
_REALTIME, _HISTORY = "/v5/order/realtime", "/v5/order/history"
_PATHS = {
    Action.CONNECT: ("/v5/user/query-api", "/v5/market/time"),
    Action.PLACE: (_CREATE,),
    Action.MODIFY: ("/v5/order/amend",),
    Action.CANCEL: (_CANCEL,),
    Action.CANCEL_ALL: (_CANCEL, _REALTIME, "/v5/order/cancel-all"),
    Action.CLOSE: (_CREATE, "/v5/position/list"),
    Action.FLATTEN: (_CREATE, _CANCEL),
    Action.READ: (_REALTIME, "/v5/position/list"),
}
_LOOKS = (_REALTIME, _HISTORY, "/v5/execution/list")


class BybitChaos(ChaosVenue):
    """Contracts in lots of one, and no coins but the money of the account.

    With `order_entry="socket"` orders, changes and cancels leave by the venue's socket for them.
    """

    def __init__(self, seed: int, *, order_entry: str = "rest") -> None:
        self._order_entry = order_entry
        self._key, self._secret = f"canary-key-{seed}", f"canary-secret-{seed}"
        self.bybit = BybitSandbox(
            seed=seed,
            tick_seconds=5.0,
            api_key=self._key,
            api_secret=self._secret,
            coins={},
            balance=Decimal(1_000_000),
            whole=True,
        )
        self.faults = FAULTS if order_entry == "rest" else SOCKET_FAULTS

    @property
    def sandbox(self) -> Sandbox:
        return self.bybit

    @property
    def exchange(self) -> Exchange:
        return self.bybit.exchange

    @property
    def port(self) -> int:
        return self.bybit.port

    def provider(self, port: int, safety: OrderSafety, *, patient: bool) -> Provider:
        from tradeforge_bybit.config import BybitConfig
        from tradeforge_bybit.provider import BybitProvider

        settings = self.settings_by(port) | {"BYBIT_ORDER_ENTRY": self._order_entry}
        config = BybitConfig.from_settings(Settings("bybit", settings))
        wait = Patience() if patient else hasty()
        return BybitProvider(
            evolve(config, timeouts=wait.timeouts),
            safety=safety,
            backoff=wait.backoff,
            audit=wait.audit,
        )

    @property
    def pending(self) -> int:
        return self.bybit.pending_faults

    async def heal(self) -> None:
        self.bybit.forget_faults()

    def overruns(self) -> list[str]:
        return [f"{path}: {times} times" for path, times in self.bybit.overruns.items()]

    @property
    def canaries(self) -> Sequence[str]:
        return (self._key, self._secret)


def _on(stage: Stage) -> BybitSandbox:
    assert isinstance(stage.venue, BybitChaos)
    return stage.venue.bybit


def _code(code: int, text: str, **details: Any) -> Strike:
    return _GATE.answer(Fault.ENVELOPE, code=code, message=text, **details)


def _messages(spoil: Spoil, count: int = 1) -> Strike:
    def strike(stage: Stage, action: Action, random: Random) -> None:
        _on(stage).faults.spoil_next(spoil, count=count)

    return strike


def _reorder(stage: Stage, action: Action, random: Random) -> None:
    """Hold a message back, and say it after the next one."""
    held: list[str] = []

    def first(text: str) -> list[str]:
        held.append(text)
        return []

    _on(stage).faults.spoil_next(first)
    _on(stage).faults.spoil_next(lambda text: [text, *held])


def _cut(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).cut_sockets()


def _mute(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).mute_sockets()


def _late(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).delay_private(random.uniform(0, 20) * stage.pace)


def _drift(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).drift(random.choice((-60, 60)))


def _lose_trade_answers(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).lose_trade_answers(random.randrange(1, 3))


def _cut_trade(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).cut_sockets("trade")


def _mute_trade(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).mute_sockets("trade")


def _say(text: str, stage: Stage, action: Action, random: Random) -> None:
    _on(stage).say(text)


_GATE = GateFaults(_on, _PATHS, _LOOKS)
_now = partial(ChaosFault, at_once=True, actions=CONNECTED)
_CLOCK = "invalid request, please check your server timestamp or recv_window param."

FAULTS: Sequence[ChaosFault] = (
    *_GATE.of_answers(forbidden={"handled": False}),
    ChaosFault("too_many", "F17", _code(10006, "Too many visits!", handled=False), actions=ASKING),
    ChaosFault("server_error", "F08", _code(10016, "Server error"), actions=ASKING),
    ChaosFault("server_timeout", "F08", _code(10000, "Server Timeout"), actions=ASKING),
    ChaosFault("clock_refused", "F13", _code(10002, _CLOCK, handled=False), actions=WRITING),
    ChaosFault("new_code", "F13", _code(999_999, "something new"), actions=WRITING),
    *_GATE.of_looks(),
    ChaosFault("message_lost", "F67", _messages(lambda text: []), actions=MOVING),
    ChaosFault("message_doubled", "F64", _messages(lambda text: [text, text], 2), actions=MOVING),
    ChaosFault("messages_reordered", "F65 F66", _reorder, actions=MOVING),
    ChaosFault(
        "message_malformed", "F53", _messages(lambda text: [text[: len(text) // 2]]), actions=MOVING
    ),
    _now("sockets_cut", "F46 F57", _cut),
    _now("sockets_dead", "F45", _mute),
    _now("messages_late", "F65", _late),
    _now("reads_lag", "F69", _GATE.lag),
    _now("clock_drift", "F13", _drift),
    _now("nonsense", "F53 F54", partial(_say, '{"topic": 7}')),
    _now("rest_half_open", "F44", _GATE.half_open),
)

SOCKET_FAULTS: Sequence[ChaosFault] = (
    _now("trade_answers_lost", "F03 F07", _lose_trade_answers),
    _now("trade_socket_cut", "F46", _cut_trade),
    _now("trade_socket_dead", "F45", _mute_trade),
    *(one for one in FAULTS if one.at_once),
)
"""Where orders leave by the socket for them."""
