"""What goes wrong with a venue that speaks JSON, for chaos and for the conformance kit."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from attrs import asdict

from tradeforge_core import OrderSafety, Provider, Settings
from tradeforge_core.interfaces import Sandbox
from tradeforge_testing.chaos.faults import ASKING, CONNECTED, MOVING, Action, ChaosFault, Strike
from tradeforge_testing.chaos.patience import Patience, hasty
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.faults import Spoil, Spoiled
from tradeforge_testing.sandbox.json_sandbox import TOKEN_HEAD, JsonSandbox

MakeProvider = Callable[..., Provider]
"""Takes settings, `timeouts` of HTTP, and what `Provider` takes by keyword."""


class JsonChaos(ChaosVenue):
    """A `JsonSandbox` under every fault of this file, and the provider that meets them."""

    def __init__(
        self, make_sandbox: Callable[..., JsonSandbox], make_provider: MakeProvider, seed: int
    ) -> None:
        self._key = f"canary-key-{seed}"
        self.venue = make_sandbox(seed=seed, tick_seconds=5.0, key=self._key)
        self._make_provider = make_provider
        self.faults = FAULTS

    @property
    def sandbox(self) -> Sandbox:
        return self.venue

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def port(self) -> int:
        return self.venue.port

    def provider(self, port: int, safety: OrderSafety, *, patient: bool) -> Provider:
        settings = Settings(self.venue.prefix.lower(), self.settings_by(port))
        wait = Patience() if patient else hasty()
        return self._make_provider(settings, safety=safety, **asdict(wait, recurse=False))

    @property
    def pending(self) -> int:
        return self.venue.faults.pending

    async def heal(self) -> None:
        self.venue.forget_faults()

    def overruns(self) -> list[str]:
        worst, most = self.venue.worst_minute, self.venue.requests_a_minute
        return [f"{worst} requests in a minute, of {most}"] if worst > most else []

    @property
    def canaries(self) -> Sequence[str]:
        return (self._key, TOKEN_HEAD)


def _on(stage: Stage) -> JsonSandbox:
    assert isinstance(stage.venue, JsonChaos)
    return stage.venue.venue


def _answer(spoiled: Spoiled) -> Strike:
    def strike(stage: Stage, action: Action, random: Random) -> None:
        for path in _on(stage).paths_of(action):
            _on(stage).faults.fail_next(path, spoiled)

    return strike


def _messages(spoil: Spoil) -> Strike:
    def strike(stage: Stage, action: Action, random: Random) -> None:
        _on(stage).faults.spoil_next(spoil)

    return strike


def _reorder(stage: Stage, action: Action, random: Random) -> None:
    """Hold a message back, and say it after the next one."""
    held: list[str] = []

    def first(text: str) -> list[str]:
        held.append(text)
        return []

    _on(stage).faults.spoil_next(first)
    _on(stage).faults.spoil_next(lambda text: [text, *held])


def _lag(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).lag_reads(random.uniform(0.1, 5) * stage.pace)


def _expire(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).expire_tokens()


def _expire_and_drop(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).expire_tokens()
    _on(stage).listeners.drop()


def _drop(stage: Stage, action: Action, random: Random) -> None:
    _on(stage).listeners.drop()


def _say(text: str, stage: Stage, action: Action, random: Random) -> None:
    _on(stage).listeners.say(text)


def _fault(name: str, rows: str, spoiled: Spoiled) -> ChaosFault:
    return ChaosFault(name, rows, _answer(spoiled), actions=_MET)


_MET = ASKING - {Action.MODIFY}
_event = partial(ChaosFault, actions=MOVING)
_now = partial(ChaosFault, at_once=True, actions=CONNECTED)
_HTML = b"<html><body>Bad Gateway</body></html>"

FAULTS: Sequence[ChaosFault] = (
    _fault("500", "F08", Spoiled(status=500)),
    _fault("502", "F08", Spoiled(status=502, body=_HTML, handled=False)),
    _fault("503", "F08", Spoiled(status=503, handled=False)),
    _fault("504", "F08", Spoiled(status=504)),
    _fault("429", "F17", Spoiled(status=429, handled=False)),
    _fault("429_seconds", "F16", Spoiled(status=429, headers={"Retry-After": "3"})),
    _fault("429_nonsense", "F16", Spoiled(status=429, headers={"Retry-After": "soon"})),
    _fault("401", "F19", Spoiled(status=401, handled=False)),
    _fault("401_handled", "F19", Spoiled(status=401)),
    _fault("403", "F50", Spoiled(status=403)),
    _fault("302", "F20", Spoiled(status=302, headers={"Location": "/elsewhere"})),
    _fault("empty", "F09", Spoiled()),
    _fault("html", "F10", Spoiled(body=_HTML)),
    _fault("no_object", "F77", Spoiled(body=b'[1, "x", null]')),
    _fault("other_members", "F13 F77", Spoiled(body=b'{"code": 9999}')),
    _event("message_lost", "F67", _messages(lambda text: [])),
    _event("message_doubled", "F64", _messages(lambda text: [text, text])),
    _event("messages_reordered", "F65 F66", _reorder),
    _event("message_malformed", "F53", _messages(lambda text: [text[: len(text) // 2]])),
    _now("stream_cut", "F46", _drop),
    _now("tokens_expired", "F40", _expire),
    _now("token_at_reconnect", "F41", _expire_and_drop),
    _now("reads_lag", "F69", _lag),
    _now("nonsense", "F53", partial(_say, '{"topic": 7}')),
)
