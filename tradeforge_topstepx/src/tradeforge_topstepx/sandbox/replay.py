"""A gateway on loopback that says again what was recorded, to a provider that cannot tell."""

from collections.abc import Sequence
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from tradeforge_core import JournalKind, OrderSafety, Plugins, Provider, Settings, Topic
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.hiding import HIDDEN
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_testing.replay.desk import Answer, answers_of
from tradeforge_testing.replay.recording import Line, Recording
from tradeforge_testing.replay.venue import ReplayVenue, Wish
from tradeforge_testing.sandbox.server import LoopbackServer
from tradeforge_topstepx import _endpoints
from tradeforge_topstepx._hubs import CHANNELS, MARKET_HUB, USER_HUB
from tradeforge_topstepx.sandbox.replay_hub import Stage, as_text, parsed

_PATHS = {USER_HUB: "/hubs/user", MARKET_HUB: "/hubs/market"}


class GatewayReplay(ReplayVenue):
    """REST and both hubs of a recording, for as long as the `async with` lasts."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        super().__init__(recording, clock)
        self._stages = {stream: Stage(recording.of(stream)) for stream in _PATHS}
        hubs = [
            WebSocketRoute(_PATHS[stream], stage.connect, name=stream)
            for stream, stage in self._stages.items()
        ]
        rest = Route("/{path:path}", self._answer, methods=["GET", "POST"])
        self._server = LoopbackServer(Starlette(routes=[*hubs, rest]), 0)
        self._contracts = _contracts_of(recording.lines)

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for stage in self._stages.values():
            stage.close()
        await self._server.stop()

    def provider(self, plugins: Plugins) -> Provider:
        from tradeforge_topstepx.config import TopStepXConfig
        from tradeforge_topstepx.provider import TopStepXProvider

        return TopStepXProvider(
            TopStepXConfig.from_settings(Settings("topstepx", self._settings)),
            plugins=plugins,
            clock=self.clock,
            # who comes early waits for the moment at which he came
            backoff=Backoff(base=0.0, cap=0.0, attempts_a_minute=1_000_000),
            safety=OrderSafety(journal=JournalKind.MEMORY),
            audit=AuditTimes(**self.recording.about.get("audit", {})),
        )

    @property
    def _settings(self) -> dict[str, str]:
        base = f"http://127.0.0.1:{self._server.port}"
        here = {
            "TS_ENVIRONMENT": "DEMO",
            "TS_USERNAME": HIDDEN,
            "TS_REST_URL": base,
            "TS_USER_HUB_URL": base + _PATHS[USER_HUB],
            "TS_MARKET_HUB_URL": base + _PATHS[MARKET_HUB],
        }
        is_app = bool(answers_of(self.recording.lines, _endpoints.LOGIN_APP.path))
        return here | dict.fromkeys(_APP_LOGIN if is_app else _KEY_LOGIN, HIDDEN)

    # --- REST ---

    async def _answer(self, request: Request) -> Response:
        answer = await self.desk.ask(request.method, request.url.path, await request.body())
        if answer is None:
            assert request.client is not None
            self._server.reset((request.client.host, request.client.port))
            return Response()
        headers = {"Content-Type": "application/json"}
        if answer.retry_after is not None:
            headers["Retry-After"] = answer.retry_after
        return Response(answer.body, answer.status, headers)

    def standby(self, path: str, body: str) -> Answer | None:
        if path.endswith(_endpoints.CONTRACT_BY_ID.path):
            contract = self._contracts.get(parsed(body).get("contractId"))
            return contract and Answer(200, as_text({"success": True, "contract": contract}))
        for endpoint in (_endpoints.ACCOUNTS, _endpoints.LOGIN, _endpoints.VALIDATE):
            said = answers_of(self.recording.lines, endpoint.path)
            if path.endswith(endpoint.path) and said:
                return Answer(200, said[-1])
        return None

    # --- hubs ---

    def wish(self, line: Line) -> Wish | None:
        call = parsed(line.text)
        found = _WISHES.get(str(call.get("target")))
        if found is None:
            return None
        kind, is_wanted = found
        arguments = call.get("arguments") or ()
        return Wish(Topic(kind, str(arguments[0])), is_wanted) if arguments else None

    async def play(self, line: Line) -> None:
        await self._stages[line.stream].play(line)


_KEY_LOGIN = ("TS_API_KEY",)
_APP_LOGIN = ("TS_APP_ID", "TS_PASSWORD", "TS_DEVICE_ID", "TS_VERIFY_KEY")
_WISHES = {
    name: (kind, is_wanted)
    for kind, channel in CHANNELS.items()
    for name, is_wanted in ((channel.subscribe, True), (channel.unsubscribe, False))
}


def _contracts_of(lines: Sequence[Line]) -> dict[object, Any]:
    """Every contract that some answer of the recording describes."""
    found: dict[object, Any] = {}
    for path in (_endpoints.SEARCH_CONTRACTS, _endpoints.AVAILABLE, _endpoints.CONTRACT_BY_ID):
        for body in answers_of(lines, path.path):
            answer = parsed(body)
            for one in [*(answer.get("contracts") or ()), answer.get("contract")]:
                if isinstance(one, dict):
                    found[one.get("id")] = one
    return found
