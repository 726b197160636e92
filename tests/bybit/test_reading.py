"""What is read from Bybit: contracts, bars, the account, positions, orders and fills."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.bybit.small_venue import ACCOUNT, Answer, SmallVenue, position

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    AssetClass,
    AuthenticationError,
    BarUnit,
    DecodeError,
    NotFound,
    NotSupported,
    OrderBook,
    OrderSide,
)

LINEAR = "linear:BTCUSDT"
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def ms(time: datetime) -> str:
    return str(int(time.timestamp() * 1000))


# --- the account ---


async def test_a_key_has_one_account(broker: BybitProvider) -> None:
    (account,) = await broker.get_accounts()
    assert (account.id, account.name, account.currency) == (ACCOUNT, "UNIFIED", "USD")
    assert (account.balance, account.can_trade) == (Decimal("1000.5"), True)
    assert account.simulated


@pytest.mark.parametrize(("code", "hint"), [(10003, "BYBIT_API_KEY"), (10004, "API_SECRET")])
async def test_a_key_that_is_not_accepted_says_what_to_check(
    venue: SmallVenue, broker: BybitProvider, code: int, hint: str
) -> None:
    venue.tell("/v5/account/wallet-balance", Answer(code=code, text="error sign!"))
    with pytest.raises(AuthenticationError, match=hint):
        await broker.get_accounts()


async def test_a_key_that_may_only_read_says_so(venue: SmallVenue, broker: BybitProvider) -> None:
    venue.tell("/v5/user/query-api", Answer(result={"userID": int(ACCOUNT), "readOnly": 1}))
    (account,) = await broker.get_accounts()
    assert not account.can_trade


# --- the clock ---


@pytest.mark.parametrize("ahead", [-3600.0, 3600.0])
async def test_a_clock_that_is_wrong_is_set_by_the_venues(
    venue: SmallVenue, broker: BybitProvider, ahead: float
) -> None:
    venue.ahead = ahead
    assert (await broker._rest.wallet()).accountType == "UNIFIED"
    paths = [one.path for one in venue.requests[-3:]]
    wallet = "/v5/account/wallet-balance"
    assert paths == [wallet, "/v5/market/time", wallet]


async def test_a_read_is_not_asked_for_ever(venue: SmallVenue, broker: BybitProvider) -> None:
    wallet = "/v5/account/wallet-balance"
    venue.tell(wallet, *[Answer(code=10002, text="time")] * 3)
    with pytest.raises(AuthenticationError, match="time outside the window"):
        await broker._rest.wallet()
    assert len(venue.asked(wallet)) == 2


@pytest.mark.parametrize("nano", ["", "x", "9" * 40, "-1"])
async def test_a_time_that_is_none_is_not_taken(
    venue: SmallVenue, broker: BybitProvider, nano: str
) -> None:
    venue.tell("/v5/market/time", Answer(result={"timeSecond": "1", "timeNano": nano}))
    with pytest.raises(DecodeError):
        await broker._rest.measure_time()


# --- contracts ---


async def test_a_contract_by_its_id(broker: BybitProvider) -> None:
    contract = await broker.get_contract(LINEAR)
    assert (contract.symbol, contract.tick_size, contract.asset_class) == (
        "BTCUSDT",
        Decimal("0.1"),
        AssetClass.PERPETUAL,
    )
    assert not (await broker.get_contract("linear:NEWUSDT")).active


@pytest.mark.parametrize("contract_id", ["", "BTCUSDT", "linear:", "option:X", "linear:btcusdt"])
async def test_what_is_no_id_is_not_asked_for(
    venue: SmallVenue, broker: BybitProvider, contract_id: str
) -> None:
    with pytest.raises(NotFound, match="an id here is like linear:BTCUSDT"):
        await broker.get_contract(contract_id)
    assert venue.asked("/v5/market/instruments-info") == []


async def test_a_symbol_that_the_venue_does_not_know(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    answers = [Answer(code=10001, text="params error: symbol invalid")] * 4
    venue.tell("/v5/market/instruments-info", *answers)
    with pytest.raises(NotFound, match="search for it by its symbol"):
        await broker.get_contract("linear:NOSUCH")


@pytest.mark.parametrize(
    ("symbol", "contract_id"),
    [
        ("BTCUSDT", LINEAR),
        ("btcusdt", LINEAR),
        ("spot:BTCUSDT", "spot:BTCUSDT"),
        ("inverse:BTCUSD", "inverse:BTCUSD"),
        ("BTC", "linear:BTC-25DEC26"),
    ],
)
async def test_a_contract_by_its_symbol(
    broker: BybitProvider, symbol: str, contract_id: str
) -> None:
    assert (await broker.get_contract_by_symbol(symbol)).id == contract_id


async def test_the_first_to_expire_is_chosen_and_said_so(broker: BybitProvider) -> None:
    front = await broker.resolve_front_month("BTC")
    assert front.reason == "the first of BTC to expire, before BTC-26MAR27"


async def test_what_came_near_is_told(broker: BybitProvider) -> None:
    with pytest.raises(NotFound, match="found BTCUSDT, ETHUSDT"):
        await broker.get_contract_by_symbol("USDT")
    with pytest.raises(NotFound, match="no category 'option'"):
        await broker.get_contract_by_symbol("option:BTC")


async def test_a_search_is_in_every_category(broker: BybitProvider) -> None:
    found = await broker.search_contracts(" btcusd ")
    assert [one.id for one in found] == [LINEAR, "inverse:BTCUSD", "spot:BTCUSDT"]


# --- bars ---


def candles(count: int, *, until: datetime) -> list[list[str]]:
    return [
        [ms(until - HOUR * back), "1", "4", "0.5", str(count - back), "7", "9"]
        for back in range(count)
    ]


async def test_bars_of_many_pages_come_oldest_first(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    last = NOW.replace(minute=0, second=0, microsecond=0) - HOUR
    venue.candles = candles(2500, until=last)
    bars = await broker.get_historical_bars(
        LINEAR, start=last - 2400 * HOUR, end=last, unit=BarUnit.HOUR
    )
    assert [int(one.close) for one in bars] == list(range(100, 2501))
    assert bars[-1].time == last
    assert len(venue.asked("/v5/market/kline")) == 3


async def test_the_forming_bar_comes_only_if_it_is_asked_for(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    venue.candles = candles(5, until=this_hour)
    ask = {"start": this_hour - 10 * HOUR, "unit": BarUnit.HOUR, "limit": 3}
    complete = await broker.get_historical_bars(LINEAR, **ask)  # type: ignore[arg-type]
    assert [int(one.close) for one in complete] == [2, 3, 4]
    ask["include_partial"] = True
    forming = await broker.get_historical_bars(LINEAR, **ask)  # type: ignore[arg-type]
    assert [(int(one.close), one.partial) for one in forming] == [
        (3, False),
        (4, False),
        (5, True),
    ]


async def test_a_span_that_the_venue_does_not_have(broker: BybitProvider) -> None:
    with pytest.raises(NotSupported, match="sizes are: 1, 3, 5, 15, 30"):
        await broker.get_historical_bars(LINEAR, start=NOW - HOUR, size=7)
    with pytest.raises(NotSupported):
        await broker.get_historical_bars(LINEAR, start=NOW - HOUR, unit=BarUnit.SECOND)


# --- positions ---


async def test_positions_of_every_kind(venue: SmallVenue, broker: BybitProvider) -> None:
    venue.positions = [
        position("2"),
        position("3", "Sell", 2, "ETHUSDT"),
        position("1", "Buy", 1, "ETHUSDT"),
        position("0", symbol="XRPUSDT"),
        position("100", "Sell") | {"category": "inverse", "symbol": "BTCUSD", "settleCoin": "BTC"},
    ]
    held = await broker.get_positions(ACCOUNT)
    assert {(one.contract_id, one.hedge_side, one.size) for one in held} == {
        (LINEAR, None, 2),
        ("linear:ETHUSDT", OrderSide.SELL, -3),
        ("linear:ETHUSDT", OrderSide.BUY, 1),
        ("inverse:BTCUSD", None, -100),
    }


# --- the market ---


async def test_a_book_begins_with_what_rest_tells(venue: SmallVenue, broker: BybitProvider) -> None:
    said = {"s": "BTCUSDT", "b": [["99", "1"]], "a": [["100", "2"]], "ts": 1, "u": 7}
    venue.tell("/v5/market/orderbook", Answer(result=said))
    book = OrderBook(LINEAR)
    book.apply(await broker.order_book_of(LINEAR, depth=1))
    assert (book.best_bid(), book.best_ask()) == ((99, 1), (100, 2))
    assert venue.asked("/v5/market/orderbook") == [
        {"category": "linear", "symbol": "BTCUSDT", "limit": "1"}
    ]


async def test_a_ticker(venue: SmallVenue, broker: BybitProvider) -> None:
    row = {"symbol": "BTCUSDT", "lastPrice": "100.5", "markPrice": ""}
    venue.tell("/v5/market/tickers", Answer(result={"list": [row]}), Answer(result={"list": []}))
    ticker = await broker.ticker_of(LINEAR)
    assert (ticker.last, ticker.mark) == (Decimal("100.5"), None)
    with pytest.raises(NotFound, match="no ticker"):
        await broker.ticker_of(LINEAR)


async def test_fees(venue: SmallVenue, broker: BybitProvider) -> None:
    fees = await broker.fees_of(LINEAR)
    assert (fees.maker, fees.taker) == (Decimal("0.0001"), Decimal("0.0006"))
    venue.tell("/v5/account/fee-rate", Answer(result={"list": []}))
    with pytest.raises(NotFound, match="names no fees"):
        await broker.fees_of(LINEAR)
