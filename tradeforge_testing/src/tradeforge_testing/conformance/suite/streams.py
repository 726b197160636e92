"""Market data, user data, and how streams fare when they break."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial

from tradeforge_core import (
    AccountUpdateEvent,
    BookState,
    Event,
    Gap,
    MarketDataType,
    MarketTradeEvent,
    NotFound,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    PositionUpdateEvent,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.conformance.proving import Suite, proves, undeclared
from tradeforge_testing.conformance.trial import BUY, SELL, Trial
from tradeforge_testing.exchange import Ticket
from tradeforge_testing.proxy import Cut, Hold, NextConnection, Now

QUOTE, TRADE, DEPTH = MarketDataType.QUOTE, MarketDataType.TRADE, MarketDataType.DEPTH
LIVE = StreamConnectionStatus.LIVE


class MarketData(Suite):
    @proves("TF-MKT-010", "TF-MKT-020")
    async def test_quotes_are_the_venues(self, on: Trial) -> None:
        """The channel, its confirmation, and what a sparse message leaves as it was."""
        await on.broker.subscribe_market_data([on.contract_id], [QUOTE])
        for _ in range(20):
            on.exchange.advance()
            await asyncio.sleep(0.5)
        quotes, true = on.told(QuoteEvent), on.exchange.quote(on.contract_id)
        assert {one.contract_id for one in quotes} == {on.contract_id}
        last = quotes[-1]
        assert (last.bid, last.ask, last.last) == (true.bid, true.ask, true.last)
        assert all(isinstance(one.bid, Decimal) and one.bid > 0 for one in quotes)
        assert all(one.received.tzinfo is not None for one in quotes)

    @proves("TF-MKT-030")
    async def test_trades_are_told_once_and_in_order(self, on: Trial) -> None:
        """What is made of a message that holds several trades."""
        await on.broker.subscribe_market_data([on.contract_id], [TRADE])
        before = on.exchange.quote(on.contract_id).volume
        for _ in range(20):
            on.exchange.advance()
        await asyncio.sleep(2)
        trades = on.told(MarketTradeEvent)
        volume = on.exchange.quote(on.contract_id).volume - before
        assert sum(one.size for one in trades) == volume
        times = [one.time for one in trades if one.time is not None]
        assert times == sorted(times)

    @proves("TF-MKT-040")
    async def test_the_order_book_is_the_venues(self, on: Trial) -> None:
        """Snapshots, changes, levels that are taken away, and the check against crossing."""
        async with on.broker.order_book(on.contract_id) as book:
            for _ in range(30):
                on.exchange.advance()
                await asyncio.sleep(0.3)
                if book.state is BookState.LIVE and (bid := book.bids(1)) and (ask := book.asks(1)):
                    assert bid[0].price < ask[0].price, f"a crossed book is served: {bid} {ask}"
            bids, asks = on.exchange.depth(on.contract_id)
            assert [one.price for one in book.bids(5)] == [one.price for one in bids[:5]]
            assert [one.price for one in book.asks(5)] == [one.price for one in asks[:5]]
            assert [one.size for one in book.bids(5)] == [one.size for one in bids[:5]]

    @proves("TF-MKT-050", follows=False)
    async def test_what_has_ended_tells_nothing_more(self, on: Trial) -> None:
        """The venue has to be told, and what still comes must go nowhere."""
        other = min(on.exchange.instruments.keys() - {on.contract_id})
        await on.broker.subscribe_market_data([other], [QUOTE])  # keeps the connection
        async with on.broker.subscribe_market_data([on.contract_id], [QUOTE]):
            subscribed = await _advance(on, 10)
        await asyncio.sleep(5)
        heard = len(on.told(QuoteEvent))
        assert on.broker.status is LIVE
        ended = await _advance(on, 10)
        assert len(on.told(QuoteEvent)) == heard
        assert ended < subscribed / 2, f"the venue still sends: {ended} bytes after {subscribed}"

    @proves("TF-MKT-060")
    async def test_a_contract_that_there_is_not_is_not_found(self, on: Trial) -> None:
        """A venue may confirm the subscription all the same, and stay silent."""
        try:
            await on.broker.subscribe_market_data([on.contract_id + "X"], [QUOTE])
        except NotFound:
            return
        raise AssertionError("it was subscribed, and will stay silent")


class UserData(Suite):
    @proves("TF-USR-010", "TF-USR-020", "TF-USR-030")
    async def test_the_life_of_orders_is_told(self, on: Trial) -> None:
        """Every message of orders, fills and positions."""
        await on.buy(2)
        await on.sell(2)
        await asyncio.sleep(2)
        ends = {one.order.id: one.order.status for one in on.told(OrderUpdateEvent)}
        assert ends == {str(one.id): OrderStatus.FILLED for one in on.booked}
        _check_fills(on)
        positions = on.told(PositionUpdateEvent)
        if UserDataType.POSITION_UPDATE in on.capabilities.user_data:
            assert positions[-1].position.is_flat

    @proves("TF-USR-040")
    async def test_balances_are_told(self, on: Trial) -> None:
        """The mapping of account messages."""
        await on.buy()
        await on.sell()
        await asyncio.sleep(2)
        mine = [one for one in on.told(AccountUpdateEvent) if one.account.id == on.account_id]
        assert mine[-1].account.balance == on.exchange.account(int(on.account_id)).balance

    @proves("TF-USR-050", under=("F44", "F46"), beside=Action.PLACE)
    async def test_what_happened_while_it_was_away_is_told(self, on: Trial) -> None:
        """After a reconnect: subscribe again, look at what is there, tell what is new."""
        await on.strike(Action.PLACE)
        on.exchange.place(_ticket(on))
        on.exchange.place(_ticket(on))
        await asyncio.sleep(5)
        await on.heal()
        await on.until(lambda: len(on.told(UserTradeEvent)) >= 2, within=240)
        _check_fills(on)

    @proves("TF-USR-060", under=("F64", "F65", "F66", "F67"), beside=Action.PLACE)
    async def test_what_a_live_stream_loses_is_found(self, on: Trial) -> None:
        """The core audits the stream by reads: they have to be complete."""
        await on.strike(Action.PLACE)
        for side in (BUY, BUY, SELL):
            await on.broker.place_order(on.market(side))
        await on.heal()
        await on.until(lambda: len(on.told(UserTradeEvent)) >= 3, within=240)
        _check_fills(on)

    @proves("TF-USR-070")
    async def test_an_account_that_there_is_not_is_not_found(self, on: Trial) -> None:
        """A venue may confirm the subscription all the same, and stay silent."""
        try:
            await on.broker.subscribe_user_data(["99999"], [UserDataType.ORDER_UPDATE])
        except NotFound:
            return
        raise AssertionError("it was subscribed, and will stay silent")


class StreamHealth(Suite):
    @proves("TF-STR-010", "TF-STR-020", follows=False, under=("F46",), beside=Action.WAIT)
    async def test_a_lost_connection_is_told_and_comes_back(self, on: Trial) -> None:
        """`StreamLink.listen` has to end with the connection, and a new link has to be whole."""
        await on.broker.subscribe_market_data([on.contract_id], [QUOTE])
        await on.until(lambda: on.told(QuoteEvent), within=30)
        await on.strike(Action.WAIT)
        await asyncio.sleep(1)
        await on.heal()
        await on.until(lambda: on.told(Gap) and on.broker.status is LIVE, within=120)
        gap = on.told(Gap)[0]
        assert gap.since is not None
        assert any(one.key == on.contract_id for one in gap.topics)
        told = [type(one) for one in on.heard]
        lost = [one for one in on.told(StatusChanged) if one.previous is LIVE]
        assert lost, "nobody was told that the stream was lost"
        assert told.index(Gap) > on.heard.index(lost[0])
        heard = len(on.told(QuoteEvent))
        await on.until(lambda: len(on.told(QuoteEvent)) > heard, within=30)

    @proves("TF-STR-030", follows=False)
    async def test_a_half_open_connection_is_noticed(self, on: Trial) -> None:
        """`StreamLink.ping` and `heard_at`: what counts as a sign of life."""
        await on.broker.subscribe_market_data([on.contract_id], [QUOTE])
        await asyncio.sleep(1)
        on.stage.proxy.plan(Hold(), when=Now())
        await on.until(lambda: on.broker.status is not LIVE, within=35)

    @proves("TF-STR-040", follows=False)
    async def test_a_venue_that_hangs_up_is_not_stormed(self, on: Trial) -> None:
        """Nothing but the core's supervisor may connect."""
        await on.broker.subscribe_market_data([on.contract_id], [QUOTE])
        before = on.stage.proxy.connections
        on.stage.proxy.plan(Cut(), when=NextConnection(), count=1000)
        on.stage.proxy.plan(Cut(rst=True), when=Now())
        await asyncio.sleep(60)
        made = on.stage.proxy.connections - before
        assert made <= 10, f"{made} connections in a minute"

    @proves("TF-STR-050", follows=False, under=("F41",), beside=Action.WAIT)
    async def test_a_token_that_expired_is_renewed(self, on: Trial) -> None:
        """The token has to be asked for before every attempt, not once."""
        await on.broker.subscribe_market_data([on.contract_id], [QUOTE])
        await on.strike(Action.WAIT)
        await asyncio.sleep(2)
        heard = len(on.told(QuoteEvent))
        await on.until(lambda: len(on.told(QuoteEvent)) > heard, within=90)

    @proves("TF-STR-060", under=("F53",), beside=Action.PLACE)
    async def test_a_message_that_is_not_understood_ends_nothing(self, on: Trial) -> None:
        """A decoder has to report what it does not understand, and go on."""
        if UserDataType.USER_TRADE not in on.capabilities.user_data:
            undeclared("user:user_trade")
        await on.strike(Action.PLACE)
        await on.buy()
        await asyncio.sleep(2)  # a venue may tell it later than it answers
        await on.heal()
        await on.sell()
        await on.until(lambda: len(on.told(UserTradeEvent)) >= 2, within=240)
        _check_fills(on)
        lost = [one for one in on.told(StatusChanged) if one.previous is LIVE]
        assert not lost, f"it ended the stream: {lost[0].reason}"
        may_be_ignored = on.fault is None or "F54" in on.fault.rows
        assert may_be_ignored or on.told(Gap), "nobody was told what could not be read"

    @proves("TF-STR-070", "TF-CNC-030", follows=False)
    async def test_subscribers_do_not_harm_each_other(self, on: Trial) -> None:
        """The core owns the queues: a provider publishes, and calls no user."""

        @on.broker.on_event
        def break_down(event: object) -> None:
            raise RuntimeError("this one is broken")

        subscribe = partial(on.broker.subscribe_market_data, [on.contract_id], [QUOTE])
        async with subscribe() as slow:
            async with subscribe() as one, subscribe() as other:
                seen: tuple[list[Event], list[Event]] = ([], [])
                readers = [
                    asyncio.create_task(_read(one, seen[0])),
                    asyncio.create_task(_read(other, seen[1])),
                ]
                for _ in range(_MOST_STEPS):  # some change no quote
                    if len(_quotes(seen[1])) >= 5:
                        break
                    await _advance(on, 1)
                for reader in readers:
                    reader.cancel()
                await asyncio.wait(readers)
            quotes = [_quotes(some) for some in seen]
            assert not [one for one in seen[0] if isinstance(one, Gap)], "the stream has broken"
            assert len(quotes[1]) >= 5, f"five quotes were to be told, and {len(quotes[1])} were"
            assert quotes[0][-5:] == quotes[1][-5:], "the one took the data of the other"
            await asyncio.wait_for(anext(slow), 60)
            before = len(on.told(QuoteEvent))
            await _advance(on, 5)
            assert len(on.told(QuoteEvent)) > before, "who left took the data of all"


_MOST_STEPS = 40


def _quotes(heard: list[Event]) -> list[QuoteEvent]:
    return [one for one in heard if isinstance(one, QuoteEvent)]


async def _read(events: AsyncIterator[Event], into: list[Event]) -> None:
    async for one in events:
        into.append(one)


async def _advance(on: Trial, steps: int) -> int:
    """Let the market move so often, once a second; how many bytes the venue sent meanwhile."""
    before = on.came
    for _ in range(steps):
        on.exchange.advance()
        await asyncio.sleep(1)
    return on.came - before


def _check_fills(on: Trial) -> None:
    """Every fill of the venue was told, and none of them twice."""
    told = Counter(one.trade.id for one in on.told(UserTradeEvent))
    true = {str(one.id) for one in on.fills}
    twice = sorted(one for one, times in told.items() if times > 1)
    assert not twice, f"fills that were told twice: {twice}"
    assert set(told) == true, f"told {sorted(told)}, and the venue has {sorted(true)}"


def _ticket(on: Trial) -> Ticket:
    return Ticket(
        account_id=int(on.account_id),
        instrument_id=on.contract_id,
        side=BUY,
        type=OrderType.MARKET,
        size=1,
    )
