"""What goes wrong with a ProjectX gateway, for chaos."""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import evolve

from tradeforge_core import OrderSafety, Provider, Settings
from tradeforge_core.interfaces import Sandbox
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_testing.chaos.faults import ASKING, CONNECTED, WRITING, Action, ChaosFault, Strike
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.exchange import Exchange
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

        here, there = f":{self.port}", f":{port}"
        settings = {name: one.replace(here, there) for name, one in self.sandbox.settings.items()}
        config = TopStepXConfig.from_settings(Settings("topstepx", settings | self._app))
        return self.provider_type(
            config if patient else evolve(config, timeouts=_SHORT),
            safety=safety,
            backoff=Backoff() if patient else Backoff(base=0.02, cap=0.2, attempts_a_minute=1000),
            audit=AuditTimes() if patient else _OFTEN,
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


_OFTEN = AuditTimes(busy=0.5, idle=1.0, settle=0.2, retry=0.2)
_SHORT = HttpTimeouts(connect=0.5, answer=0.5, total=1.0)


def _on(stage: Stage) -> TopStepXSandbox:
    assert isinstance(stage.venue, TopStepXChaos)
    return stage.venue.topstepx


def _answer(fault: Fault | int, **details: Any) -> Strike:
    """Spoil the answer to what the action asks for, or to the looks before and after it."""

    def strike(stage: Stage, action: Action, random: Random) -> None:
        handled = details.get("handled", random.random() < 0.5)
        chosen = {**details, "handled": handled}
        if fault in (Fault.MISTYPED, Fault.DRIP, Fault.STALE):
            del chosen["handled"]
        for path in _PATHS[action]:
            _on(stage).fail_next(path, fault, **chosen)

    return strike


def _looks(fault: Fault | int, count: int, **details: Any) -> Strike:
    """Lose the answer of the action, and spoil those of the looks that follow."""

    def strike(stage: Stage, action: Action, random: Random) -> None:
        for path in _PATHS[action]:
            _on(stage).fail_next(path, Fault.RESET, handled=random.random() < 0.5)
        for path in _LOOKS:
            _on(stage).fail_next(path, fault, count=count, **details)

    return strike


def _expire(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).expire_tokens()


def _expire_and_reset(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).expire_tokens()
    _on(stage).reset_hubs()


def _lag(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).lag_reads(random.uniform(0.1, 5) * stage.pace)


def _log_out(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).log_out(reason=random.choice((None, "another session")))


def _nonsense(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).say(random.choice(_NONSENSE))


_NONSENSE = ("{}\x1e", '{"type":9}\x1e', "not json\x1e", '{"type":1,"target":"X"}\x1e', "\x1e\x1e")


def _half_open_rest(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).half_open()


_READS = frozenset({Action.READ})
_now = partial(ChaosFault, at_once=True, actions=CONNECTED)

FAULTS: Sequence[ChaosFault] = (
    ChaosFault("hang", "F07", _answer(Fault.HANG), actions=ASKING),
    ChaosFault("reset", "F03", _answer(Fault.RESET), actions=ASKING),
    ChaosFault("truncated", "F09", _answer(Fault.TRUNCATED), actions=ASKING),
    ChaosFault("broken_off", "F09", _answer(Fault.BROKEN_OFF), actions=ASKING),
    ChaosFault("html", "F10", _answer(Fault.HTML), actions=ASKING),
    ChaosFault("empty", "F09", _answer(Fault.EMPTY), actions=ASKING),
    ChaosFault("late", "F06", _answer(Fault.DELAY, seconds=40.0), actions=ASKING),
    ChaosFault("mistyped", "F10", _answer(Fault.MISTYPED), actions=ASKING),
    ChaosFault("stale", "F69", _answer(Fault.STALE), actions=_READS),
    ChaosFault("500", "F08", _answer(500), actions=ASKING),
    ChaosFault("502", "F08", _answer(502), actions=ASKING),
    ChaosFault("503", "F08", _answer(503), actions=ASKING),
    ChaosFault("504", "F08", _answer(504), actions=ASKING),
    ChaosFault("429", "F17", _answer(429), actions=ASKING),
    ChaosFault("429_seconds", "F16", _answer(429, retry_after=3), actions=ASKING),
    ChaosFault("429_nonsense", "F16", _answer(429, retry_after="soon"), actions=ASKING),
    ChaosFault("401", "F19", _answer(401), actions=ASKING),
    ChaosFault("403", "F50", _answer(403), actions=ASKING),
    ChaosFault("302", "F20", _answer(302), actions=ASKING),
    ChaosFault("new_code", "F13", _answer(Fault.ENVELOPE, code=9999), actions=WRITING),
    ChaosFault("no_object", "F77", _answer(Fault.JSON, body=[1, "x", None]), actions=ASKING),
    ChaosFault("looks_500", "F08", _looks(500, 2), actions=frozenset({Action.PLACE})),
    ChaosFault("looks_hang", "F07", _looks(Fault.HANG, 1), actions=frozenset({Action.PLACE})),
    ChaosFault("looks_html", "F10", _looks(Fault.HTML, 2), actions=frozenset({Action.PLACE})),
    *hub_faults(lambda stage: _on(stage).hubs, _EVENTS),
    _now("tokens_expired", "F40", _expire),
    _now("token_at_reconnect", "F41", _expire_and_reset),
    _now("reads_lag", "F69", _lag),
    _now("session_taken", "F58", _log_out),
    _now("unknown_frames", "F53 F54", _nonsense),
    _now("rest_half_open", "F44", _half_open_rest),
)
