"""Order safety, errors, resources, secrets and concurrency."""

import asyncio
from collections.abc import Awaitable

from attrs import evolve

from tradeforge_core import (
    InvalidOrder,
    MarketClosed,
    NotSent,
    Order,
    OrderOutcomeEvent,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderStatus,
    OrderVetoed,
    RiskLimits,
    TradeForgeError,
)
from tradeforge_core.outcomes import Accepted, Rejected, Resolution, Unknown
from tradeforge_core.outcomes import NotSent as NotSentOutcome
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.conformance.proving import Suite, proves
from tradeforge_testing.conformance.suite.capabilities import request_of
from tradeforge_testing.conformance.suite.orders import resting_type
from tradeforge_testing.conformance.trial import BUY, SELL, Trial
from tradeforge_testing.proxy import Drop, Now

_ANY = (
    *("F01", "F03", "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F13", "F16", "F17"),
    *("F19", "F20", "F50", "F77"),
)
"""What can become of a request."""


class Safety(Suite):
    @proves("TF-SAF-020", "TF-SAF-030", follows=False, under=("F07",), lives=2)
    async def test_a_look_that_fails_proves_nothing(self, on: Trial) -> None:
        """`_find_by_client_id` raises what fails, and finds what is there, without a stream."""
        await on.contract()
        request = on.market()
        await on.strike(Action.PLACE)
        placing = asyncio.create_task(on.broker.place_order(request))
        await asyncio.sleep(0.2)
        on.stage.proxy.refuse()
        on.stage.proxy.plan(Drop(rst=True), when=Now())
        await asyncio.wait([placing], timeout=120)
        assert placing.done(), "the caller still waits after two minutes"
        assert not placing.cancelled()
        placing.exception()
        assert request.client_order_id is not None
        outcome = await on.broker.outcome(request.client_order_id)
        said = outcome.resolution if isinstance(outcome, Unknown) else None
        if _standing(on, request.client_order_id):
            assert said is not Resolution.ABSENT, "it is there, and called absent"
            assert not isinstance(outcome, Rejected | NotSentOutcome), f"it is there: {outcome}"
        await on.heal()
        await _find_out(on, request)

    @proves(
        "TF-SAF-010", "TF-SAF-020", "TF-SAF-030", "TF-ERR-010", "TF-ERR-040", under=_ANY, lives=2
    )
    async def test_one_intent_is_one_order_whatever_breaks(self, on: Trial) -> None:
        """`_submit_order` is one request, and only documented words are a rejection."""
        await on.contract()
        request = on.market()
        await on.strike(Action.PLACE)
        try:
            async with asyncio.timeout(60):
                await on.broker.place_order(request)
        except (OrderOutcomeUnknown, NotSent, OrderRejected) as told:
            assert isinstance(told, TradeForgeError)
        await on.heal()
        await _find_out(on, request)

    @proves("TF-SAF-040")
    async def test_a_cancelled_caller_is_free_at_once(self, on: Trial) -> None:
        """The core owns the request: a provider must not swallow a cancellation."""
        await on.contract()
        for pause in (0.0, 0.001, 0.002, 0.004):
            request = on.market()
            placing = asyncio.create_task(on.broker.place_order(request))
            await asyncio.sleep(pause)
            waits = placing.cancel()
            await asyncio.wait([placing], timeout=1)
            assert placing.done(), "the caller was not freed"
            assert placing.cancelled() or not waits, "the cancellation was swallowed"
            await asyncio.sleep(5)
            told = [
                one.outcome
                for one in on.told(OrderOutcomeEvent)
                if one.outcome.client_order_id == request.client_order_id
            ]
            there = _standing(on, str(request.client_order_id))
            assert there <= 1
            assert not there or isinstance(told[-1], Accepted)

    @proves("TF-SAF-050")
    async def test_a_name_is_used_once(self, on: Trial) -> None:
        """The client order id has to go to the venue, and to come back."""
        request = on.market()
        await on.broker.place_order(request)
        await on.raises((InvalidOrder, OrderRejected), on.broker.place_order(request))
        assert len(on.of_name(request.client_order_id)) == 1
        assert on.held == 1

    @proves("TF-SAF-060", "TF-SAF-010", under=("F03", "F07", "F08", "F09"), beside=Action.CANCEL)
    async def test_a_cancel_whose_answer_is_lost_is_found_out(self, on: Trial) -> None:
        """`_submit_cancel` is one request, and `_fetch_order` tells what became of it."""
        order = await on.broker.place_order(request_of(on, resting_type(on)))
        await on.strike(Action.CANCEL)
        try:
            await on.broker.cancel_order(on.account_id, order.id)
        except TradeForgeError:
            await on.heal()
            return  # nothing was promised
        true = on.exchange.order(int(on.account_id), int(order.id))
        assert true.status is OrderStatus.CANCELLED

    @proves("TF-SAF-070", connected=False)
    async def test_limits_and_the_kill_switch_hold(self, on: Trial) -> None:
        """The core checks them by `_fetch_open_orders` and `_fetch_positions`."""
        limits = RiskLimits(max_position=2)
        on.broker.safety = evolve(on.broker.safety, limits=limits)
        await on.broker.connect()
        await on.follow()
        await on.buy(2)
        await on.raises(OrderVetoed, on.buy())
        on.broker.halt("a test")
        await on.raises(OrderVetoed, on.broker.place_order(on.market(SELL, 5)))
        await on.sell()
        await on.broker.close_position(on.account_id, on.contract_id)
        on.broker.resume()
        assert on.held == 0


class Errors(Suite):
    @proves("TF-ERR-010", "TF-ERR-020", "TF-ERR-040", under=_ANY, beside=Action.READ)
    async def test_a_read_gives_the_thing_or_raises(self, on: Trial) -> None:
        """Half of a JSON, a page of HTML, an empty answer: none of them is an empty list."""
        await on.buy(2)
        await on.strike(Action.READ)
        for _ in range(2):
            try:
                async with asyncio.timeout(120):
                    positions = await on.broker.get_positions(on.account_id)
            except TradeForgeError:
                continue
            assert [one.size for one in positions] == [2]

    @proves("TF-ERR-030")
    async def test_a_closed_market_is_told_as_such(self, on: Trial) -> None:
        """The venue's code or text for it."""
        on.exchange.close_market()
        await on.raises(MarketClosed, on.buy())
        assert await on.broker.get_accounts()


class Resources(Suite):
    @proves("TF-RES-010", under=("F03", "F07", "F44"), beside=Action.PLACE)
    async def test_leaving_in_the_middle_leaves_nothing(self, on: Trial) -> None:
        """`_log_out` closes every client and every connection; what is left is named below."""
        await on.strike(Action.PLACE)
        placing = asyncio.create_task(on.buy())
        await asyncio.sleep(0.5)
        await on.broker.disconnect()
        await asyncio.wait([placing], timeout=1)
        assert placing.done(), "the caller still waits after disconnect()"
        placing.exception()

    @proves("TF-RES-010", "TF-RES-020")
    async def test_ten_lives_leave_as_little_as_one(self, on: Trial) -> None:
        """What `_log_in` opens, `_log_out` closes."""
        counts = []
        for _ in range(10):
            await on.broker.disconnect()
            await asyncio.sleep(5)
            counts.append(len(asyncio.all_tasks()))
            assert not on.stage.proxy.open_connections, "connections are left"
            await on.broker.connect()
            await on.follow()
        assert counts[-1] <= counts[0], f"tasks after each disconnect: {counts}"

    @proves("TF-RES-030")
    async def test_the_venues_limits_are_kept(self, on: Trial) -> None:
        """The provider's budgets, and which request counts for which; the venue counts them too."""
        asked = 0
        async with asyncio.timeout(600):
            reads = (on.broker.get_positions(on.account_id) for _ in range(400))
            for result in await asyncio.gather(*reads, return_exceptions=True):
                asked += not isinstance(result, BaseException)
        assert asked

    @proves("TF-SEC-010", "TF-SEC-020", under=("F03", "F08", "F10", "F19"), beside=Action.PLACE)
    async def test_no_secret_is_said(self, on: Trial) -> None:
        """Settings and tokens are `Secret`; what else is logged, by any library, is looked at."""
        await on.strike(Action.PLACE)
        try:
            await on.buy()
        except TradeForgeError as error:
            on.canaries.look_at(error)
        for reported in on.errors:
            on.canaries.look_at(reported)

    @proves("TF-SEC-030", connected=False, under=_ANY, beside=Action.CONNECT)
    async def test_no_secret_is_in_an_error_of_the_login(self, on: Trial) -> None:
        """The request of a login must not be in the error that it ends with."""
        await on.strike(Action.CONNECT)
        try:
            await on.broker.connect()
        except TradeForgeError as error:
            on.canaries.look_at(error)


class Concurrency(Suite):
    @proves("TF-CNC-010")
    async def test_many_calls_at_once_give_what_they_give_alone(self, on: Trial) -> None:
        """Nothing that a call needs may be kept on the provider between its awaits."""
        await on.buy()
        contracts = sorted(on.exchange.instruments)[:5]

        def calls() -> list[Awaitable[object]]:
            return [
                on.broker.get_accounts(),
                on.broker.get_positions(on.account_id),
                *map(on.broker.get_contract, contracts),
            ]

        alone = [await call for call in calls()]
        many = [asyncio.gather(*calls()) for _ in range(10)]
        for result in await asyncio.gather(*many):
            assert result == alone

    @proves("TF-CNC-020")
    async def test_many_orders_at_once_are_each_there_once(self, on: Trial) -> None:
        """Each answer belongs to its request."""
        requests = [on.market(BUY, 1 + number % 3) for number in range(20)]
        orders = await asyncio.gather(*map(on.broker.place_order, requests))
        for request, order in zip(requests, orders, strict=True):
            (booked,) = on.of_name(request.client_order_id)
            assert (order.id, order.size) == (str(booked.id), request.size)

    @proves("TF-CNC-040")
    async def test_a_burst_of_cancelled_calls_does_no_harm(self, on: Trial) -> None:
        """A pool of connections dies of it, if its client is not shielded."""
        for _ in range(4):
            calls = [asyncio.create_task(on.broker.get_accounts()) for _ in range(60)]
            await asyncio.sleep(0.002)
            for call in calls[:-1]:
                call.cancel()
            _, waiting = await asyncio.wait(calls, timeout=300)
            assert not waiting, f"{len(waiting)} of {len(calls)} calls hang"
            assert calls[-1].result()
        assert isinstance(await on.buy(), Order)


async def _find_out(on: Trial, request: OrderRequest) -> None:
    """What becomes known within a minute has to be what the venue's books say."""
    assert request.client_order_id is not None
    standing = _standing(on, request.client_order_id)
    assert standing <= 1, f"{standing} orders of one intent"
    assert on.held == standing, f"{on.held} are held, and {standing} were to be"
    outcome = await on.broker.resolve(request.client_order_id, timeout=60)
    match outcome:
        case Accepted():
            assert standing == 1, "called accepted, and it is not there"
        case Rejected() | NotSentOutcome():
            assert standing == 0, f"called {type(outcome).__name__}, and it is there"
        case Unknown():
            assert standing == 0, "it is there, and a minute of looks has not found it"
            await on.broker.acknowledge(request.client_order_id)


def _standing(on: Trial, name: str) -> int:
    return sum(one.status is not OrderStatus.REJECTED for one in on.of_name(name))
