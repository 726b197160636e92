"""REST sessions that were recorded, and how to record them again (docs/recording.md)."""

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import vcr
from attrs import evolve, frozen
from vcr.cassette import Cassette
from vcr.request import Request

from tradeforge_core import OrderRequest, OrderSide, Settings
from tradeforge_core.config import read_settings
from tradeforge_core.kit.clock import SystemClock
from tradeforge_testing import ManualClock
from tradeforge_topstepx._redaction import Redaction
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

FOLDER = Path(__file__).parent
PLACEHOLDER = {
    "TS_USERNAME": "nobody",
    "TS_API_KEY": "nothing",
    "TS_ENVIRONMENT": "DEMO",
    "TS_REST_URL": "http://127.0.0.1:1",
}
_CREDENTIALS = (
    *("TS_USERNAME", "TS_API_KEY"),
    *("TS_APP_ID", "TS_PASSWORD", "TS_DEVICE_ID", "TS_VERIFY_KEY"),
)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_KEPT_HEADERS = {"content-type", "retry-after"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "writes: places orders, and is recorded on loopback only")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record",
        choices=("sandbox", "settings"),
        help="record again: from a sandbox, or from where the ordinary settings lead",
    )


@frozen(kw_only=True)
class Session:
    """A provider, and what the recording is about."""

    broker: TopStepXProvider
    account_id: str
    contract_id: str
    now: datetime


class Scrubber:
    """What vcrpy calls before it keeps anything, also before it looks a request up."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def request(self, request: Request) -> Request:
        request = copy.copy(request)
        request.uri = f"https://gateway.test{urlsplit(request.uri).path}"
        request.headers = {}
        request.body = self._redaction.message(request.body or b"").encode()
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        kept = {
            name: values
            for name, values in response["headers"].items()
            if name.lower() in _KEPT_HEADERS
        }
        body = self._redaction.message(response["body"]["string"]).encode()
        return {**response, "headers": kept, "body": {"string": body}}


@contextmanager
def recording(path: Path, redaction: Redaction, *, record: bool) -> Iterator[Cassette]:
    """Records to the file, or plays it and nothing else."""
    scrub = Scrubber(redaction)
    recorder = vcr.VCR(
        record_mode=vcr.mode.ALL if record else vcr.mode.NONE,
        match_on=["method", "path", "body"],
        before_record_request=scrub.request,
        before_record_response=scrub.response,
        decode_compressed_response=True,
    )
    if not record:
        with recorder.use_cassette(str(path)) as cassette:
            yield cassette
        return
    unfinished = path.with_suffix(".part")  # what fails must not replace what was good
    try:
        with recorder.use_cassette(str(unfinished)) as cassette:
            yield cassette
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@pytest.fixture(name="cassette_of")
def _cassette_of() -> Callable[..., AbstractContextManager[Cassette]]:
    return recording


@frozen(kw_only=True)
class Source:
    """Where to record from; without a recording, nothing but what a cassette needs."""

    settings: Settings
    now: datetime
    record: bool

    @property
    def config(self) -> TopStepXConfig:
        return TopStepXConfig.from_settings(self.settings)

    @property
    def may_place_orders(self) -> bool:
        return urlsplit(self.config.rest_url).hostname in _LOOPBACK

    def redaction(self) -> Redaction:
        """One that knows who records; who plays is nobody."""
        known = Redaction(self.settings[name] for name in _CREDENTIALS if name in self.settings)
        if "TS_CAPTURE_ACCOUNT_ID" in self.settings:
            known.account_id(self.settings["TS_CAPTURE_ACCOUNT_ID"])
        return known


@pytest.fixture
async def source(request: pytest.FixtureRequest) -> AsyncIterator[Source]:
    wanted = request.config.getoption("--record", None)
    if wanted == "settings":
        now = SystemClock().now().replace(microsecond=0)
        yield Source(settings=read_settings("topstepx"), now=now, record=True)
    elif wanted == "sandbox":
        async with TopStepXSandbox(seed=7, clock=(clock := ManualClock())) as sandbox:
            settings = Settings("topstepx", sandbox.settings)
            source = Source(settings=settings, now=clock.now(), record=True)
            await _trade(source.config)
            yield source
    else:
        settings = Settings("topstepx", PLACEHOLDER)
        yield Source(settings=settings, now=ManualClock().now(), record=False)


async def _trade(config: TopStepXConfig) -> None:
    """A fill, a position and an order that waits, so that there is something to read."""
    async with TopStepXProvider(config) as broker:
        account, contract = (
            (await broker.get_accounts())[0],
            await broker.resolve_front_month("MNQ"),
        )
        order = OrderRequest.market(account.id, contract.contract.id, OrderSide.BUY, 2)
        await broker.place_order(evolve(order, client_order_id="somebody's own words"))
        waiting = OrderRequest.limit(account.id, contract.contract.id, OrderSide.BUY, 1, 1000)
        await broker.place_order(evolve(waiting, client_order_id="more words"))


@frozen
class Tape:
    """A cassette, and who is who in it."""

    cassette: Cassette
    redaction: Redaction


@pytest.fixture
def tape(request: pytest.FixtureRequest, source: Source) -> Iterator[Tape]:
    """The cassette of a test: the file of its name."""
    path = FOLDER / f"{request.node.name.removeprefix('test_')}.yaml"
    if source.record and request.node.get_closest_marker("writes") and not source.may_place_orders:
        pytest.skip("orders are placed on this machine only")
    with recording(path, redaction := source.redaction(), record=source.record) as cassette:
        yield Tape(cassette, redaction)


@pytest.fixture
async def session(source: Source, tape: Tape) -> AsyncIterator[Session]:
    now = datetime.fromisoformat(tape.cassette.get_metadata("now", source.now.isoformat()))
    config = source.config
    async with TopStepXProvider(config, clock=ManualClock(now)) as broker:
        account_id = config.capture_account_id or (await broker.get_accounts())[0].id
        contract_id = config.capture_contract_id or (await broker.get_contract_by_symbol("MNQ")).id
        named = tape.cassette.get_metadata("account", tape.redaction.account_id(account_id))
        yield Session(
            broker=broker,
            account_id=account_id if source.record else named,
            contract_id=tape.cassette.get_metadata("contract", contract_id),
            now=now,
        )
    if not source.record:
        assert tape.cassette.all_played, "the provider asked for less than was recorded"
