"""A venue that does as it is told, a provider of it, and packages installed in a folder."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.patience import HANG, settle

from tradeforge_core import (
    Account,
    Bar,
    BarEvent,
    BarSpan,
    BarUnit,
    Capabilities,
    Contract,
    DepthEvent,
    DepthLevel,
    Disconnected,
    Event,
    FrontMonth,
    MarketDataType,
    MarketHours,
    MarketTradeEvent,
    NotFound,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    Plugins,
    Position,
    Provider,
    QuoteEvent,
    StreamConnectionStatus,
    Ticker,
    TickerEvent,
    TimeInForce,
    Topic,
    Trade,
    TradeForgeError,
    UserDataType,
)
from tradeforge_core.plugins import _installed_add_ons
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_testing import ManualClock

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)

Eventually = Callable[[Callable[[], object]], Awaitable[None]]
UntilIdle = Callable[["FakeProvider"], Awaitable[None]]
Install = Callable[..., Path]


class FakeLink(StreamLink):
    """One connection to the venue; tests lose it and speak through it."""

    def __init__(self, venue: "FakeVenue", stream: str) -> None:
        self.venue = venue
        self.stream = stream
        self.subscribed: set[Topic] = set()
        self.began: dict[Topic, Began] = {}
        self.closed = False
        self._heard_at = venue.clock.now()
        self._loss: asyncio.Queue[Exception | None] = asyncio.Queue()

    @property
    def heard_at(self) -> datetime:
        if self.venue.heard_error is not None:
            raise self.venue.heard_error
        return self._heard_at

    def ping(self) -> None:
        self._heard_at = self.venue.clock.now()

    async def open(self) -> None:
        self.venue.log.append(f"open {self.stream}")
        await self.venue.may_open.wait()
        if self.venue.open_errors:
            raise self.venue.open_errors.pop(0)

    async def listen(self) -> None:
        try:
            error = await self._loss.get()
            if error is not None:
                raise error
        finally:
            self.venue.readers_ended += 1

    async def subscribe(self, topic: Topic, began: Began) -> None:
        self.began[topic] = began
        self.venue.log.append(f"subscribe {topic.kind} {topic.key}")
        if topic in self.venue.holds:
            await self.venue.holds[topic].wait()
        if topic in self.venue.refusals:
            raise self.venue.refusals[topic]
        self.subscribed.add(topic)
        self.ping()
        began(self.heard_at)

    async def unsubscribe(self, topic: Topic) -> None:
        self.venue.log.append(f"unsubscribe {topic.kind} {topic.key}")
        if topic in self.venue.holds:
            await self.venue.holds[topic].wait()
        self.subscribed.discard(topic)

    async def close(self) -> None:
        await asyncio.sleep(0)  # so that there is an await to be cancelled at
        self.closed = True
        if self.venue.close_error is not None:
            raise self.venue.close_error

    def lose(self) -> None:
        self.end(Disconnected("the line was cut"))

    def end(self, error: Exception | None) -> None:
        """End this connection with the error; with None it ends without one."""
        self._loss.put_nowait(error)


class FakeVenue:
    """What the links of a provider talk to."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.links: list[FakeLink] = []
        self.providers: list[FakeProvider] = []
        self.log: list[str] = []
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.open_errors: list[Exception] = []
        self.make_error: Exception | None = None
        self.close_error: Exception | None = None
        self.heard_error: Exception | None = None
        self.refusals: dict[Topic, Exception] = {}
        self.holds: dict[Topic, asyncio.Event] = {}
        self.readers_ended = 0

    def make_link(self, stream: str) -> FakeLink:
        if self.make_error is not None:
            error, self.make_error = self.make_error, None
            raise error
        self.links.append(FakeLink(self, stream))
        return self.links[-1]

    @property
    def link(self) -> FakeLink:
        """The newest connection."""
        return self.links[-1]

    def hold(self, topic: Topic) -> asyncio.Event:
        """Let the venue answer for this topic only once the event is set."""
        return self.holds.setdefault(topic, asyncio.Event())

    def count(self, line: str) -> int:
        return self.log.count(line)


class FakeProvider(Provider):
    """A provider of the venue; what it answers is set by tests."""

    name = "fake"
    capabilities: ClassVar[Capabilities] = Capabilities(
        order_types=frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP}),
        times_in_force=frozenset({TimeInForce.DAY}),
        market_data=frozenset(MarketDataType),
        user_data=frozenset(UserDataType) - {UserDataType.ACCOUNT_UPDATE},
        bar_units=frozenset({BarUnit.MINUTE}),
        live_bars=frozenset({BarSpan(), BarSpan(BarUnit.MINUTE, 5)}),
    )
    stream_of = {
        MarketDataType.QUOTE: "market",
        MarketDataType.TRADE: "market",
        MarketDataType.DEPTH: "depth",
        MarketDataType.TICKER: "market",
        MarketDataType.BAR: "market",
        **dict.fromkeys(UserDataType, "user"),
    }

    def __init__(self, venue: FakeVenue, **options: Any) -> None:
        super().__init__(**options)
        self.venue = venue
        venue.providers.append(self)
        self.calls: list[str] = []
        self.log_in_errors: list[BaseException] = []
        self.may_log_in = asyncio.Event()
        self.may_log_in.set()
        self.contracts = {one: make.contract(one) for one in ("ABC", "DEF")}
        self.own_streams: dict[Topic, str] = {}
        self.hours: MarketHours | Exception | None = None
        self.contract_error: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.write_error: Exception | None = None
        self.look_error: Exception | None = None
        """What looks raise after a write."""
        self.written = False
        self.submitted: list[OrderRequest] = []
        self.booked: list[object] = []

    def publish(self, topic: Topic, event: Event) -> None:
        self._switchboard.publish(topic, event)

    def report(self, error: TradeForgeError) -> None:
        self._switchboard.report(error)

    async def _log_in(self) -> None:
        self.calls.append("log in")
        await self.may_log_in.wait()
        if self.log_in_errors:
            raise self.log_in_errors.pop(0)

    async def _log_out(self) -> None:
        await asyncio.sleep(0)
        self.calls.append("log out")

    def _stream_for(self, topic: Topic) -> str:
        return self.own_streams.get(topic) or super()._stream_for(topic)

    def _make_link(self, stream: str) -> StreamLink:
        return self.venue.make_link(stream)

    async def _fetch_accounts(self) -> list[Account]:
        return [make.account()]

    async def _search_contracts(self, text: str) -> list[Contract]:
        return [one for one in self.contracts.values() if text in one.symbol]

    async def _fetch_contract(self, contract_id: str) -> Contract:
        self.calls.append(f"contract {contract_id}")
        if self.contract_error is not None:
            raise self.contract_error
        if contract_id not in self.contracts:
            raise NotFound(f"no contract {contract_id}")
        return self.contracts[contract_id]

    async def _find_contract(self, symbol: str) -> FrontMonth:
        return FrontMonth(contract=await self._fetch_contract(symbol), reason="the only one")

    def market_hours(self, contract: Contract) -> MarketHours | None:
        if isinstance(self.hours, Exception):
            raise self.hours
        return self.hours

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        self.calls.append(f"bars {query.period.start:%H:%M} {query.period.end:%H:%M}")
        return []

    async def _submit_order(self, request: OrderRequest) -> Order:
        self.submitted.append(request)
        await self._write(request)
        return self._named(request.client_order_id)

    def _named(self, client_order_id: str | None) -> Order:
        """The order of this name; each name that was sent has an id of its own, from 7 on."""
        names = [one.client_order_id for one in self.submitted]
        number = names.index(client_order_id) if client_order_id in names else 0
        return make.order(id=str(7 + number), client_order_id=client_order_id)

    async def _submit_change(self, change: OrderChange) -> None:
        await self._write(change)

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        await self._write(order_id)

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        await self._write(size)

    async def _write(self, what: object) -> None:
        await self.may_answer.wait()
        self.written = True
        if self.write_error is not None:
            raise self.write_error
        self.booked.append(what)

    def _look(self) -> None:
        if self.written and self.look_error is not None:
            raise self.look_error

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        self._look()
        return make.order(id=order_id)

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        self._look()
        return [self._named(client_order_id)]

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        return [make.order()]

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        return []

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        return [make.order()]

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        self._look()
        return []

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        return []


class Make:
    """Models and events with as little as a test wants to say."""

    QUOTE = Topic(MarketDataType.QUOTE, "ABC")
    TRADE = Topic(MarketDataType.TRADE, "ABC")
    DEPTH = Topic(MarketDataType.DEPTH, "ABC")
    ORDER = Topic(UserDataType.ORDER_UPDATE, "1")
    OTHER_QUOTE = Topic(MarketDataType.QUOTE, "DEF")
    TICKER = Topic(MarketDataType.TICKER, "ABC")
    BAR = Topic(MarketDataType.BAR, "ABC", BarSpan())
    FIVE_MINUTES = Topic(MarketDataType.BAR, "ABC", BarSpan(size=5))

    def account(self) -> Account:
        return Account(id="1", name="first", balance=Decimal(50_000), can_trade=True)

    def contract(self, symbol: str = "ABC", **changes: Any) -> Contract:
        members: dict[str, Any] = {
            "id": symbol,
            "symbol": symbol,
            "root": symbol,
            "description": "The contract of the tests",
            "tick_size": Decimal("0.25"),
            "tick_value": Decimal("0.50"),
            "active": True,
        }
        return Contract(**members | changes)

    def order(self, **changes: Any) -> Order:
        members: dict[str, Any] = {
            "id": "7",
            "account_id": "1",
            "contract_id": "ABC",
            "side": OrderSide.BUY,
            "type": OrderType.MARKET,
            "status": OrderStatus.WORKING,
            "size": Decimal(1),
        }
        return Order(**members | changes)

    def quote(self, bid: int | str = 1, contract_id: str = "ABC") -> QuoteEvent:
        return QuoteEvent(
            contract_id, Decimal(bid), None, None, None, None, None, None, None, None, None, NOW
        )

    def trade(self, price: int | str = 1) -> MarketTradeEvent:
        return MarketTradeEvent("ABC", Decimal(price), Decimal(1), None, None, NOW)

    def ticker(self, last: int) -> TickerEvent:
        return TickerEvent(ticker=Ticker(contract_id="ABC", last=Decimal(last)), received=NOW)

    def bar(
        self, close: int, *, minute: int = 0, partial: bool = True, span: BarSpan | None = None
    ) -> BarEvent:
        bar = Bar(
            contract_id="ABC",
            time=NOW + timedelta(minutes=minute),
            open=Decimal(1),
            high=Decimal(9),
            low=Decimal(1),
            close=Decimal(close),
            volume=Decimal(5),
            partial=partial,
        )
        return BarEvent(bar=bar, span=span or BarSpan(), received=NOW)

    def depth(
        self,
        bids: dict[str, int] | None = None,
        asks: dict[str, int] | None = None,
        *,
        reset: bool = False,
        contract_id: str = "ABC",
    ) -> DepthEvent:
        return DepthEvent(
            contract_id, reset, _levels(bids or {}), _levels(asks or {}), None, None, None, NOW
        )

    def order_update(self, order_id: str = "7") -> OrderUpdateEvent:
        return OrderUpdateEvent(order=self.order(id=order_id), received=NOW)


def _levels(sizes: dict[str, int]) -> tuple[DepthLevel, ...]:
    return tuple(DepthLevel(Decimal(price), Decimal(size)) for price, size in sizes.items())


make = Make()


@pytest.fixture(name="make")
def _make() -> Make:
    return make


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def venue(clock: ManualClock) -> FakeVenue:
    return FakeVenue(clock)


@pytest.fixture
def options(clock: ManualClock) -> dict[str, Any]:
    """How every provider of the tests is made: no waits between attempts, no installed add-on."""
    return {
        "clock": clock,
        "plugins": Plugins(installed=False),
        "backoff": Backoff(base=0.0, attempts_a_minute=1000),
        "timeouts": StreamTimeouts(connect=5.0, confirm=5.0),
    }


@pytest.fixture
async def no_leaks() -> AsyncIterator[None]:
    """No task is left behind, whatever the test did."""
    before = asyncio.all_tasks()
    yield
    for _ in range(3):
        await asyncio.sleep(0)  # for tasks that have ended and are not yet forgotten
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left behind: {left}"


@pytest.fixture
async def new_broker(
    no_leaks: None, venue: FakeVenue, options: dict[str, Any]
) -> AsyncIterator[Callable[..., FakeProvider]]:
    """Makes providers, and disconnects them in the end."""
    made: list[FakeProvider] = []

    def new(**changes: Any) -> FakeProvider:
        made.append(FakeProvider(venue, **options | changes))
        return made[-1]

    yield new
    for broker in made:
        await broker.disconnect()


@pytest.fixture
async def broker(new_broker: Callable[..., FakeProvider]) -> FakeProvider:
    """Connected."""
    broker = new_broker()
    await broker.connect()
    return broker


@pytest.fixture
def eventually() -> Eventually:
    """Returns once the condition holds, and fails if it never does."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(HANG):
            while not condition():  # noqa: ASYNC110  # it is not the test that makes it true
                await asyncio.sleep(0)

    return wait


@pytest.fixture
def in_time(clock: ManualClock, venue: FakeVenue) -> Callable[[Awaitable[Any]], Awaitable[Any]]:
    """The result of something that waits for the clock, which stands still for the disk."""

    async def run(work: Awaitable[Any]) -> Any:
        task = asyncio.ensure_future(work)
        async with asyncio.timeout(HANG):
            await settle(venue.providers)
            while not task.done():
                clock.advance(0.1)
                await settle(venue.providers)
        return await task

    return run


@pytest.fixture
def until_idle(clock: ManualClock, eventually: Eventually) -> UntilIdle:
    """Lets time go on until no connection lingers."""

    async def wait(broker: FakeProvider) -> None:
        def is_idle() -> bool:
            clock.advance(5)
            return broker.status is StreamConnectionStatus.IDLE

        await eventually(is_idle)

    return wait


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution: real metadata and real modules, in a folder on the path."""
    _installed_add_ons.cache_clear()

    def install(
        distribution: str,
        group: str,
        entry_points: dict[str, str],
        modules: dict[str, str] | None = None,
        *,
        version: str = "1.0",
        folder: str = "site",
    ) -> Path:
        site = tmp_path / folder
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(metadata)
        lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entry_points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines))
        for name, source in (modules or {}).items():
            (site / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()
        return site

    yield install
    _installed_add_ons.cache_clear()
