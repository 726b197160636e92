"""Damaged answers to the calls of a whole provider: only errors of ours reach the user."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tradeforge_core import (
    DecodeError,
    JournalKind,
    LookUps,
    NotSent,
    Order,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Settings,
    TradeForgeError,
)
from tradeforge_core.kit._http_transport import Stamp
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.kit.http import HttpAnswer, HttpClient, HttpTimeouts
from tradeforge_testing import ManualClock
from tradeforge_testing.mutation import Mutator
from tradeforge_testing.sanity import check_sane
from tradeforge_topstepx._rest import Rest
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider

OK = b'"success":true,"errorCode":0,"errorMessage":null}'
ORDER = (
    b'{"id":5001,"accountId":1001,"contractId":"CON.F.US.MNQ.U26","creationTimestamp":'
    b'"2026-08-19T14:15:48+00:00","updateTimestamp":null,"status":1,"type":5,"side":0,"size":2,'
    b'"fillVolume":1,"trailPrice":1.25,"customTag":"t-1","parentOrderId":5000}'
)
CONTRACT = (
    b'{"id":"CON.F.US.MNQ.U26","name":"MNQU6","description":"","tickSize":0.25,"tickValue":0.5,'
    b'"activeContract":true}'
)
BAR = b'{"t":"2026-08-19T20:51:00+00:00","o":29546,"h":29548.75,"l":29546,"c":29547.25,"v":148}'
ANSWERS = {
    "/api/Auth/loginKey": b'{"token":"head.body.sign",' + OK,
    "/api/Account/search": b'{"accounts":[{"id":1001,"name":"P","balance":1.5,"canTrade":true}],'
    + OK,
    "/api/Contract/search": b'{"contracts":[' + CONTRACT + b"]," + OK,
    "/api/Contract/available": b'{"contracts":[' + CONTRACT + b"]," + OK,
    "/api/Contract/searchById": b'{"contract":' + CONTRACT + b"," + OK,
    "/api/History/retrieveBars": b'{"bars":[' + BAR + b"," + BAR + b"]," + OK,
    "/api/Order/place": b'{"orderId":5001,' + OK,
    "/api/Order/modify": b"{" + OK,
    "/api/Order/search": b'{"orders":[' + ORDER + b"]," + OK,
    "/api/Order/searchById": b'{"order":' + ORDER + b"," + OK,
    "/api/Order/v2/query": b'{"orders":[' + ORDER + b"]," + OK,
    "/api/Position/searchOpen": b'{"positions":[],' + OK,
    "/api/Trade/search": b'{"trades":[],' + OK,
}
A = "1001"
C = "CON.F.US.MNQ.U26"
START = datetime(2026, 8, 19, tzinfo=UTC)
Call = Callable[[TopStepXProvider], Awaitable[object]]
CALLS: dict[str, tuple[str, Call]] = {
    "accounts": ("/api/Account/search", lambda one: one.get_accounts()),
    "search": ("/api/Contract/search", lambda one: one.search_contracts("MNQ")),
    "available": ("/api/Contract/available", lambda one: one.available_contracts()),
    "front month": ("/api/Contract/search", lambda one: one.resolve_front_month("MNQ")),
    "contract": ("/api/Contract/searchById", lambda one: one.get_contract(C)),
    "bars": ("/api/History/retrieveBars", lambda one: one.get_historical_bars(C, start=START)),
    "one bar": (
        "/api/History/retrieveBars",
        lambda one: one.get_historical_bars(C, start=START, limit=1),
    ),
    "history": ("/api/Order/search", lambda one: one.get_order_history(A, start=START)),
    "find": ("/api/Order/search", lambda one: one.find_order(A, "t-1")),
    "order": ("/api/Order/searchById", lambda one: one.get_order(A, "5001")),
    "open": ("/api/Order/v2/query", lambda one: one.get_open_orders(A)),
    "family": ("/api/Order/searchById", lambda one: one.get_order_family(A, "5001")),
    "positions": ("/api/Position/searchOpen", lambda one: one.get_positions(A)),
    "trades": ("/api/Trade/search", lambda one: one.get_trade_history(A, start=START)),
    "place": (
        "/api/Order/place",
        lambda one: one.place_order(OrderRequest.market(A, C, OrderSide.BUY, 1)),
    ),
    "trail": (
        "/api/History/retrieveBars",
        lambda one: one.place_order(OrderRequest.trailing_stop(A, C, OrderSide.BUY, 1, 5)),
    ),
    "move a trail": (
        "/api/Order/searchById",
        lambda one: one.modify_order(A, "5001", trail_distance=Decimal(5)),
    ),
}


class Canned(HttpClient):
    """Answers by path, without a network, as fast as a fuzzer needs it."""

    def __init__(self) -> None:
        super().__init__(
            "http://127.0.0.1:1",
            provider="topstepx",
            observe=lambda details: None,
            clock=SystemClock(),
            timeouts=HttpTimeouts(),
        )
        self.answers = dict(ANSWERS)
        self.sent: list[tuple[str, bytes | None]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        content: bytes | None = None,
        auth: httpx.Auth | None = None,
        stamp: Stamp | None = None,
        budget: RateBudget | None = None,
        lane: Lane = Lane.READ,
    ) -> HttpAnswer:
        self.sent.append((path, content))
        # each order has an id of its own: the answer with that of another is none
        own = b'"orderId":%d' % (5001 + len(self.sent))
        return HttpAnswer(200, self.answers[path].replace(b'"orderId":5001', own), None)


class OverCannedAnswers(TopStepXProvider):
    def _new_http(self) -> Canned:
        self.canned = Canned()
        return self.canned


@pytest.fixture
def provider() -> OverCannedAnswers:
    names = ("TS_REST_URL", "TS_USER_HUB_URL", "TS_MARKET_HUB_URL")
    settings = dict.fromkeys(names, "http://127.0.0.1:1")
    who = {"TS_USERNAME": "u", "TS_API_KEY": "k", "TS_ENVIRONMENT": "DEMO"}
    config = TopStepXConfig.from_settings(Settings("topstepx", settings | who))
    clock = ManualClock(START + timedelta(days=1))  # it stands still, so nobody may wait for a look
    impatient = OrderSafety(
        journal=JournalKind.MEMORY, look_ups=LookUps(deadline=0.0), risk_while_unknown=True
    )
    return OverCannedAnswers(config, clock=clock, safety=impatient)


@pytest.mark.parametrize("name", CALLS)
async def test_only_errors_of_ours_leave_a_call(
    name: str, provider: OverCannedAnswers, cases: int, seed: int
) -> None:
    path, call = CALLS[name]
    understood = 0
    async with provider:
        for body in Mutator([ANSWERS[path]], seed=seed).mutations(cases // 10):
            provider.canned.answers[path] = body
            try:
                result: Any = await call(provider)
            except OrderOutcomeUnknown as unknown:
                await provider.acknowledge(str(unknown.client_order_id))
                continue
            except TradeForgeError:
                continue
            except Exception as error:
                raise AssertionError(f"{error!r} for {body[:600]!r}") from error
            understood += 1
            for model in result if isinstance(result, list) else [result]:
                check_sane(model)
    assert understood > cases // 1_000


async def test_damage_never_reaches_an_order(
    provider: OverCannedAnswers, cases: int, seed: int
) -> None:
    """The level of a trailing stop is calculated from what the venue said."""
    path, call = CALLS["trail"]
    async with provider:
        for body in Mutator([ANSWERS[path]], seed=seed).mutations(cases // 10):
            provider.canned.answers[path] = body
            before = len(provider.canned.sent)
            try:
                order = await call(provider)
            except TradeForgeError:
                continue
            assert isinstance(order, Order)
            sent_now = provider.canned.sent[before:]
            ((_, sent),) = (one for one in sent_now if one[0] == "/api/Order/place")
            assert sent is not None
            assert re.search(rb'"trailPrice":-?[0-9.]+[,}]', sent)


async def test_a_damaged_login_gives_a_token_that_can_be_sent_or_none(
    provider: OverCannedAnswers, cases: int, seed: int
) -> None:
    path = "/api/Auth/loginKey"
    canned, tokens = Canned(), 0
    for body in Mutator([ANSWERS[path]], seed=seed).mutations(cases // 10):
        canned.answers[path] = body
        rest = Rest(canned, provider.config, ManualClock())
        try:
            token = await rest.session.token()
        except TradeForgeError:
            continue
        tokens += 1
        request = httpx.Request("GET", "http://127.0.0.1:1", headers={"x": token.text.reveal()})
        assert request.headers["x"].isprintable()
        assert token.renew_at.tzinfo is UTC
    assert tokens > cases // 100
    await canned.close()


class TestFound:
    """What this has found, each once more by name."""

    @staticmethod
    def bars(*times: str) -> bytes:
        rows = ",".join(f'{{"t":"{time}","o":1,"h":1,"l":1,"c":1,"v":1}}' for time in times)
        return f'{{"bars":[{rows}],"success":true}}'.encode()

    async def test_bars_with_and_without_a_time_zone(self, provider: OverCannedAnswers) -> None:
        async with provider:
            answer = self.bars("2026-08-19T20:51:31", "2026-08-19T20:51:31Z")
            provider.canned.answers["/api/History/retrieveBars"] = answer
            with pytest.raises(DecodeError, match="time zone"):
                await provider.get_historical_bars(C, start=START)

    async def test_a_bar_from_before_the_period(self, provider: OverCannedAnswers) -> None:
        async with provider:
            answer = self.bars("1970-01-01T00:00:00Z")
            provider.canned.answers["/api/History/retrieveBars"] = answer
            (bar,) = await provider.get_historical_bars(C, start=START, limit=1)
            (bar,) = await provider.get_historical_bars(C, start=START)
        assert bar.time.year == 1970

    @pytest.mark.parametrize("created", ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
    async def test_an_entry_of_an_impossible_time(
        self, created: str, provider: OverCannedAnswers
    ) -> None:
        async with provider:
            answer = ORDER.replace(b"2026-08-19T14:15:48+00:00", created.encode())
            provider.canned.answers["/api/Order/searchById"] = b'{"order":' + answer + b"," + OK
            family = await provider.get_order_family(A, "5001")
        assert family.exits == []

    @pytest.mark.parametrize("created", ["0001-01-01T00:00:00Z", "2026-08-19T14:15:48"])
    async def test_a_full_page_of_orders_of_an_impossible_time(
        self, created: str, provider: OverCannedAnswers
    ) -> None:
        order = ORDER.replace(b"2026-08-19T14:15:48+00:00", created.encode())
        page = b",".join(order.replace(b"5001", b"%d" % number) for number in range(500))
        async with provider:
            provider.canned.answers["/api/Order/v2/query"] = b'{"orders":[' + page + b"]," + OK
            with pytest.raises(DecodeError):
                await provider.get_open_orders(A)

    async def test_a_last_price_that_is_no_number(self, provider: OverCannedAnswers) -> None:
        async with provider:
            answer = ANSWERS["/api/History/retrieveBars"].replace(b"29547.25", b'"NaN"')
            provider.canned.answers["/api/History/retrieveBars"] = answer
            with pytest.raises(NotSent, match="c is NaN"):
                await CALLS["trail"][1](provider)
        assert "/api/Order/place" not in [path for path, _ in provider.canned.sent]

    @pytest.mark.parametrize("token", ["a\\r\\nb", "\u00e9", "a\\u0000"])
    async def test_a_token_that_no_header_can_carry(
        self, token: str, provider: OverCannedAnswers
    ) -> None:
        canned = Canned()
        canned.answers["/api/Auth/loginKey"] = f'{{"token":"{token}","success":true}}'.encode()
        with pytest.raises(DecodeError, match="token"):
            await Rest(canned, provider.config, ManualClock()).session.token()
        await canned.close()
