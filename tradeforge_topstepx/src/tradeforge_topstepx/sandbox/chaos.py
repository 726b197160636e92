"""What goes wrong with a ProjectX gateway, for chaos."""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from attrs import evolve

from tradeforge_core import OrderSafety, Provider, Settings
from tradeforge_core.interfaces import Sandbox
from tradeforge_testing.chaos.faults import CONNECTED, WRITING, Action, ChaosFault
from tradeforge_testing.chaos.patience import Patience, hasty
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.gate_faults import GateFaults
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_testing.sandbox.signalr.chaos import hub_faults
from tradeforge_topstepx.sandbox.sandbox import TopStepXSandbox
from tradeforge_topstepx.sandbox.tokens import TOKEN_HEAD

if TYPE_CHECKING:
    from tradeforge_topstepx.provider import TopStepXProvider

_PATHS = {
    Action.CONNECT: ("/api/Auth/loginKey", "/api/Auth/loginApp"),
    Action.PLACE: ("/api/Order/place",),
    Action.MODIFY: ("/api/Order/modify",),
    Action.CANCEL: ("/api/Order/cancel",),
    Action.CANCEL_ALL: ("/api/Order/cancel", "/api/Order/searchOpen"),
    Action.CLOSE: ("/api/Position/closeContract", "/api/Position/partialCloseContract"),
    Action.FLATTEN: ("/api/Position/closeContract", "/api/Order/cancel"),
    Action.READ: ("/api/Order/searchOpen", "/api/Position/searchOpen"),
}
_LOOKS = ("/api/Order/v2/query", "/api/Order/search", "/api/Trade/search")
_EVENTS = ("GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition")


class TopStepXChaos(ChaosVenue):
    def __init__(self, seed: int) -> None:
        self._user, self._key = f"canary-user-{seed}", f"canary-key-{seed}"
        self._sandbox = TopStepXSandbox(
            seed=seed, tick_seconds=5.0, username=self._user, api_key=self._key
        )
        self._app = _app_login(self._key) if seed % _OF_AN_APP == 0 else {}
        self.faults = FAULTS

    @property
    def sandbox(self) -> Sandbox:
        return self._sandbox

    @property
    def exchange(self) -> Exchange:
        return self._sandbox.exchange

    @property
    def port(self) -> int:
        return self._sandbox.port

    @property
    def topstepx(self) -> TopStepXSandbox:
        return self._sandbox

    @property
    def provider_type(self) -> "type[TopStepXProvider]":
        """What is put through chaos: a subclass can be, too."""
        from tradeforge_topstepx.provider import TopStepXProvider

        return TopStepXProvider

    def provider(self, port: int, safety: OrderSafety, *, patient: bool) -> Provider:
        from tradeforge_topstepx.config import TopStepXConfig

        config = TopStepXConfig.from_settings(
            Settings("topstepx", self.settings_by(port) | self._app)
        )
        wait = Patience() if patient else hasty()
        return self.provider_type(
            evolve(config, timeouts=wait.timeouts),
            safety=safety,
            backoff=wait.backoff,
            audit=wait.audit,
        )

    @property
    def pending(self) -> int:
        return self._sandbox.pending_faults

    async def heal(self) -> None:
        self._sandbox.forget_faults()

    def overruns(self) -> list[str]:
        limits = self._sandbox.limits
        assert limits is not None
        most = {"bars": limits.bars.requests, "others": limits.others.requests}
        worst = self._sandbox.worst_rates
        over = [name for name in most if worst[name] > most[name]]
        return [f"{name}: {worst[name]} of {most[name]}" for name in over]

    @property
    def canaries(self) -> Sequence[str]:
        return (self._user, self._key, _VERIFY_KEY, TOKEN_HEAD)


_VERIFY_KEY = "canary-verify-key"
_OF_AN_APP = 5
"""Every so many seeds the provider logs in as a registered application."""


def _app_login(password: str) -> dict[str, str]:
    return {
        "TS_APP_ID": "chaos",
        "TS_PASSWORD": password,
        "TS_DEVICE_ID": "chaos",
        "TS_VERIFY_KEY": _VERIFY_KEY,
    }


def _on(stage: Stage) -> TopStepXSandbox:
    assert isinstance(stage.venue, TopStepXChaos)
    return stage.venue.topstepx


def _expire(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).expire_tokens()


def _expire_and_reset(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).expire_tokens()
    _on(stage).reset_hubs()


def _log_out(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).log_out(reason=random.choice((None, "another session")))


def _nonsense(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).say(random.choice(_NONSENSE))


_NONSENSE = ("{}\x1e", '{"type":9}\x1e', "not json\x1e", '{"type":1,"target":"X"}\x1e', "\x1e\x1e")


_GATE = GateFaults(_on, _PATHS, _LOOKS)
_now = partial(ChaosFault, at_once=True, actions=CONNECTED)

FAULTS: Sequence[ChaosFault] = (
    *_GATE.of_answers(),
    ChaosFault("new_code", "F13", _GATE.answer(Fault.ENVELOPE, code=9999), actions=WRITING),
    *_GATE.of_looks(),
    *hub_faults(lambda stage: _on(stage).hubs, _EVENTS),
    _now("tokens_expired", "F40", _expire),
    _now("token_at_reconnect", "F41", _expire_and_reset),
    _now("reads_lag", "F69", _GATE.lag),
    _now("session_taken", "F58", _log_out),
    _now("unknown_frames", "F53 F54", _nonsense),
    _now("rest_half_open", "F44", _GATE.half_open),
)
