"""The main job over real sockets: look, trade, look again. The sandbox's books are the oracle."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import pytest

from tradeforge_core import (
    Account,
    AuthenticationError,
    BarUnit,
    Contract,
    Disconnected,
    InvalidOrder,
    MarketClosed,
    NotFound,
    NotSupported,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderVetoed,
    TimeInForce,
    Veto,
    hookimpl,
    load_provider,
)
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


def far_below(contract: Contract, sandbox: TopStepXSandbox) -> Decimal:
    last = sandbox.exchange.quote(contract.id).last
    return contract.round_price(last * Decimal("0.9"), rounding=ROUND_FLOOR)


def bid(contract: Contract, account: Account, price: Decimal) -> OrderRequest:
    return OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, price)


class TestLookingAround:
    async def test_accounts_are_those_of_the_venue(
        self, broker: TopStepXProvider, sandbox: TopStepXSandbox
    ) -> None:
        accounts = await broker.get_accounts()
        theirs = [one for one in sandbox.exchange.accounts() if one.can_trade]
        assert [account.id for account in accounts] == [str(one.id) for one in theirs]
        assert [account.balance for account in accounts] == [one.balance for one in theirs]

    async def test_a_locked_account_shows_among_all_of_them(
        self, broker: TopStepXProvider, sandbox: TopStepXSandbox
    ) -> None:
        active = await broker.get_accounts()
        assert all(account.can_trade for account in active)
        everybody = await broker.all_accounts()
        assert [account.id for account in everybody] == [
            str(one.id) for one in sandbox.exchange.accounts()
        ]
        locked = [account for account in everybody if account not in active]
        assert [account.can_trade for account in locked] == [False]

    async def test_a_root_finds_its_front_contract_and_no_other_product(
        self, broker: TopStepXProvider
    ) -> None:
        for root in ("NQ", "MNQ", "ES", "MES", "CL", "GC"):
            contract = await broker.get_contract_by_symbol(root.lower())
            assert contract.root == root
            assert contract.active

    async def test_a_whole_symbol_finds_that_contract(
        self, broker: TopStepXProvider, contract: Contract
    ) -> None:
        assert await broker.get_contract_by_symbol(contract.symbol) == contract

    async def test_an_unknown_symbol_is_named(self, broker: TopStepXProvider) -> None:
        with pytest.raises(NotFound, match="'NOPE'"):
            await broker.get_contract_by_symbol("NOPE")

    async def test_an_unknown_contract_is_named(self, broker: TopStepXProvider) -> None:
        with pytest.raises(NotFound, match=r"'CON.F.US.NOPE.Z26'") as caught:
            await broker.get_contract("CON.F.US.NOPE.Z26")
        assert caught.value.name == "ContractNotFound"

    async def test_a_search_may_find_nothing(self, broker: TopStepXProvider) -> None:
        assert await broker.search_contracts("no such thing") == []

    async def test_ping_and_the_end_of_a_session(
        self, broker: TopStepXProvider, sandbox: TopStepXSandbox
    ) -> None:
        await broker.ping()
        await broker.end_session()
        assert await broker.get_accounts(), "a new login follows by itself"
        assert sandbox.requests["/api/Auth/loginKey"] == 2


class TestBars:
    async def test_bars_are_complete_ascending_and_aligned(
        self, broker: TopStepXProvider, contract: Contract
    ) -> None:
        end = datetime.now(UTC)
        bars = await broker.get_historical_bars(contract.id, start=end - timedelta(hours=2))
        times = [bar.time for bar in bars]
        assert times == sorted(set(times))
        assert 100 <= len(bars) <= 120
        assert all(time.second == 0 for time in times)
        assert times[-1] + timedelta(minutes=1) <= end

    async def test_the_newest_are_kept_under_a_limit(
        self, broker: TopStepXProvider, contract: Contract
    ) -> None:
        start = datetime.now(UTC) - timedelta(hours=2)
        every = await broker.get_historical_bars(contract.id, start=start)
        assert (await broker.get_historical_bars(contract.id, start=start, limit=10))[-5:] == every[
            -5:
        ]

    async def test_more_bars_than_one_answer_holds(
        self, broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
    ) -> None:
        end = datetime(2026, 1, 31, tzinfo=UTC)
        bars = await broker.get_historical_bars(
            contract.id, start=end - timedelta(minutes=25_000), end=end
        )
        times = {bar.time for bar in bars}
        assert len(times) == len(bars) > 20_000
        assert sandbox.requests["/api/History/retrieveBars"] == 2

    async def test_a_long_span_comes_a_page_at_a_time(
        self, broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
    ) -> None:
        end = datetime(2026, 1, 31, tzinfo=UTC)
        start = end - timedelta(minutes=25_000)
        whole = await broker.get_historical_bars(contract.id, start=start, end=end)
        before = sandbox.requests["/api/History/retrieveBars"]
        paged = [bar async for bar in broker.iter_bars(contract.id, start=start, end=end)]
        assert paged == whole
        assert sandbox.requests["/api/History/retrieveBars"] == before + 3

    async def test_the_forming_bar_comes_only_when_asked_for_and_is_marked(
        self, broker: TopStepXProvider, contract: Contract
    ) -> None:
        start = datetime.now(UTC) - timedelta(hours=3)
        hours = {"start": start, "unit": BarUnit.HOUR}
        complete = await broker.get_historical_bars(contract.id, **hours)  # type: ignore[arg-type]
        every = await broker.get_historical_bars(contract.id, include_partial=True, **hours)  # type: ignore[arg-type]
        assert not any(bar.partial for bar in complete)
        assert [bar.partial for bar in every] == [False] * len(complete) + [True]

    async def test_other_units(self, broker: TopStepXProvider, contract: Contract) -> None:
        bars = await broker.get_historical_bars(
            contract.id, start=datetime.now(UTC) - timedelta(days=1), unit=BarUnit.HOUR, size=4
        )
        assert {bar.time.hour % 4 for bar in bars} == {0}

    async def test_an_unknown_contract(self, broker: TopStepXProvider) -> None:
        with pytest.raises(NotFound):
            await broker.get_historical_bars("CON.X", start=HOUR_AGO)

    @pytest.mark.parametrize("wrong", [{"size": 0}, {"limit": 0}, {"end": HOUR_AGO - timedelta(1)}])
    async def test_a_question_without_sense(
        self, broker: TopStepXProvider, contract: Contract, wrong: dict[str, object]
    ) -> None:
        with pytest.raises(ValueError, match="must be at least 1|is before"):
            await broker.get_historical_bars(contract.id, start=HOUR_AGO, **wrong)  # type: ignore[arg-type]

    async def test_a_naive_time_is_refused(
        self, broker: TopStepXProvider, contract: Contract
    ) -> None:
        with pytest.raises(ValueError, match="time zone"):
            await broker.get_historical_bars(contract.id, start=datetime(2026, 1, 1))  # noqa: DTZ001


class TestOrders:
    async def test_in_and_out_of_a_position(
        self, broker: TopStepXProvider, account: Account, contract: Contract
    ) -> None:
        request = OrderRequest.market(account.id, contract.id, OrderSide.BUY, 2)
        accepted = await broker.place_order(request)
        order = await broker.get_order(account.id, accepted.id)
        assert order.status is OrderStatus.FILLED
        assert order.client_order_id == accepted.client_order_id
        (position,) = await broker.get_positions(account.id)
        assert (position.contract_id, position.size) == (contract.id, 2)
        await broker.close_position(account.id, contract.id, size=1)
        (position,) = await broker.get_positions(account.id)
        assert position.size == 1
        await broker.close_position(account.id, contract.id)
        assert await broker.get_positions(account.id) == []

    async def test_the_books_agree_after_a_short_trade(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.SELL, "3"))
        (position,) = await broker.get_positions(account.id)
        assert position.size == -3
        await broker.close_position(account.id, contract.id)
        trades = await broker.get_trade_history(account.id, start=HOUR_AGO)
        fills = sandbox.exchange.fills(int(account.id))
        assert [(t.id, t.price, t.realized_pnl) for t in trades] == [
            (str(f.id), f.price, f.realized_pnl) for f in fills
        ]
        costs = sum(t.fees + t.commissions for t in trades if t.fees and t.commissions)
        profit = sum(t.realized_pnl or 0 for t in trades)
        (after, *_) = await broker.get_accounts()
        assert after.balance == account.balance + profit - costs

    async def test_the_life_of_a_limit_order(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        price = far_below(contract, sandbox)
        placed = await broker.place_order(bid(contract, account, price))
        (order,) = await broker.get_open_orders(account.id)
        assert (order.id, order.status) == (placed.id, OrderStatus.WORKING)
        assert (order.limit_price, order.type) == (price, OrderType.LIMIT)
        lower = price - contract.tick_size
        await broker.modify_order(account.id, order.id, size=3, limit_price=lower)
        changed = await broker.get_order(account.id, order.id)
        assert (changed.size, changed.limit_price) == (3, lower)
        await broker.cancel_order(account.id, order.id)
        assert await broker.get_open_orders(account.id) == []
        history = await broker.get_order_history(account.id, start=HOUR_AGO)
        assert [one.status for one in history] == [OrderStatus.CANCELLED]

    async def test_a_stop_order_waits_and_then_fills(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        price = sandbox.exchange.quote(contract.id).ask + 40 * contract.tick_size
        stop = OrderRequest.stop(account.id, contract.id, OrderSide.BUY, 1, price)
        placed = await broker.place_order(stop)
        assert (await broker.get_order(account.id, placed.id)).stop_price == price
        sandbox.exchange.move_to(contract.id, price + 4 * contract.tick_size)
        filled = await broker.get_order(account.id, placed.id)
        assert filled.status is OrderStatus.FILLED

    async def test_an_order_is_found_by_its_client_id(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        placed = await broker.place_order(bid(contract, account, far_below(contract, sandbox)))
        assert placed.client_order_id is not None
        found = await broker.find_order(account.id, placed.client_order_id)
        assert found.id == placed.id
        with pytest.raises(NotFound):
            await broker.find_order(account.id, "tf1" + "0" * 26)

    async def test_an_id_of_the_caller_is_kept(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        request = OrderRequest(
            account_id=account.id,
            contract_id=contract.id,
            side=OrderSide.BUY,
            type=OrderType.LIMIT,
            size=1,
            limit_price=far_below(contract, sandbox),
            client_order_id="mine-1",
        )
        assert (await broker.place_order(request)).client_order_id == "mine-1"
        assert (await broker.find_order(account.id, "mine-1")).client_order_id == "mine-1"


class TestRefusals:
    """Nothing of these may reach the venue, or the venue must have said no itself."""

    async def test_off_tick_and_size_zero_never_leave(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        wrong = OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 0, "29500.10")
        with pytest.raises(InvalidOrder) as caught:
            await broker.place_order(wrong)
        assert len(caught.value.problems) == 2
        with pytest.raises(InvalidOrder, match="multiple of 1"):
            await broker.place_order(
                OrderRequest.market(account.id, contract.id, OrderSide.BUY, "1.7")
            )
        assert sandbox.requests["/api/Order/place"] == 0

    async def test_what_the_provider_cannot_express(
        self, broker: TopStepXProvider, account: Account, contract: Contract
    ) -> None:
        request = OrderRequest(
            account_id=account.id,
            contract_id=contract.id,
            side=OrderSide.BUY,
            type=OrderType.STOP_LIMIT,
            size=1,
        )
        with pytest.raises(NotSupported, match="stop_limit"):
            await broker.place_order(request)
        with pytest.raises(NotSupported, match="time in force"):
            await broker.place_order(
                OrderRequest(
                    account_id=account.id,
                    contract_id=contract.id,
                    side=OrderSide.BUY,
                    type=OrderType.MARKET,
                    size=1,
                    time_in_force=TimeInForce.IOC,
                )
            )

    async def test_an_unknown_contract(self, broker: TopStepXProvider, account: Account) -> None:
        with pytest.raises(NotFound, match="CON.NOPE"):
            await broker.place_order(OrderRequest.market(account.id, "CON.NOPE", OrderSide.BUY, 1))

    @pytest.mark.parametrize("account_id", ["77", "mine", "", "-1"])
    async def test_an_unknown_account(
        self, broker: TopStepXProvider, contract: Contract, account_id: str
    ) -> None:
        request = OrderRequest.market(account_id, contract.id, OrderSide.BUY, 1)
        with pytest.raises((NotFound, OrderRejected)):
            await broker.place_order(request)

    async def test_a_closed_market(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        sandbox.exchange.close_market()
        with pytest.raises(MarketClosed) as caught:
            await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        assert caught.value.order_id is not None
        rejected = await broker.get_order(account.id, caught.value.order_id)
        assert rejected.status is OrderStatus.REJECTED

    async def test_a_client_id_is_used_once(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        request = OrderRequest(
            account_id=account.id,
            contract_id=contract.id,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=1,
            client_order_id="only-once",
        )
        await broker.place_order(request)
        with pytest.raises(InvalidOrder, match="names one order for ever"):
            await broker.place_order(request)
        assert sandbox.requests["/api/Order/place"] == 1
        (position,) = sandbox.exchange.positions(int(account.id))
        assert position.size == 1

    async def test_there_is_nothing_to_cancel_change_or_close(
        self, broker: TopStepXProvider, account: Account, contract: Contract
    ) -> None:
        with pytest.raises(NotFound):
            await broker.cancel_order(account.id, "123")
        with pytest.raises(NotFound):
            await broker.modify_order(account.id, "123", size=1)
        with pytest.raises(NotFound):
            await broker.get_order(account.id, "no-number")
        with pytest.raises(NotFound):
            await broker.close_position(account.id, contract.id)

    async def test_more_than_the_position_cannot_be_closed(
        self, broker: TopStepXProvider, account: Account, contract: Contract
    ) -> None:
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        with pytest.raises(OrderRejected) as caught:
            await broker.close_position(account.id, contract.id, size=2)
        assert caught.value.name == "InvalidCloseSize"

    async def test_a_change_of_nothing(
        self,
        broker: TopStepXProvider,
        account: Account,
        contract: Contract,
        sandbox: TopStepXSandbox,
    ) -> None:
        placed = await broker.place_order(bid(contract, account, far_below(contract, sandbox)))
        with pytest.raises(InvalidOrder, match="nothing is to be changed"):
            await broker.modify_order(account.id, placed.id)
        with pytest.raises(InvalidOrder, match="not on the tick"):
            await broker.modify_order(account.id, placed.id, limit_price="1.1")
        assert sandbox.requests["/api/Order/modify"] == 0

    async def test_an_add_on_says_no(self, sandbox: TopStepXSandbox) -> None:
        class NoMondays:
            @hookimpl
            def tradeforge_check_order(self) -> Veto:
                return Veto("it is a Monday")

        provider = load_provider("topstepx", sandbox.settings, plugins=[NoMondays()])
        async with provider as broker:
            contract = await broker.get_contract_by_symbol("MNQ")
            (account, *_) = await broker.get_accounts()
            with pytest.raises(OrderVetoed, match="it is a Monday"):
                await broker.place_order(
                    OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
                )
        assert sandbox.requests["/api/Order/place"] == 0


class TestLogin:
    async def test_a_wrong_key_says_what_to_check(self, sandbox: TopStepXSandbox) -> None:
        broker = load_provider("topstepx", sandbox.settings | {"TS_API_KEY": "wr0ng-k3y"})
        with pytest.raises(AuthenticationError, match="TS_API_KEY") as caught:
            await broker.connect()
        assert caught.value.name == "InvalidCredentials"
        assert "wr0ng-k3y" not in str(caught.value)

    async def test_a_registered_application_logs_in_by_its_own_way(
        self, sandbox: TopStepXSandbox
    ) -> None:
        app = {
            "TS_APP_ID": "app",
            "TS_PASSWORD": sandbox.settings["TS_API_KEY"],
            "TS_DEVICE_ID": "device",
            "TS_VERIFY_KEY": "verify",
        }
        async with load_provider("topstepx", sandbox.settings | app) as broker:
            assert await broker.get_accounts()
        assert sandbox.requests["/api/Auth/loginApp"] == 1
        assert sandbox.requests["/api/Auth/loginKey"] == 0

    async def test_nobody_is_there(self, sandbox: TopStepXSandbox) -> None:
        broker = load_provider("topstepx", sandbox.settings | {"TS_REST_URL": "http://127.0.0.1:1"})
        with pytest.raises(Disconnected) as caught:
            await broker.connect()
        assert not caught.value.sent

    async def test_before_and_after_the_connection(self, sandbox: TopStepXSandbox) -> None:
        broker = load_provider("topstepx", sandbox.settings)
        with pytest.raises(Disconnected, match="not connected yet"):
            await broker.get_accounts()
        await broker.connect()
        await broker.connect()
        assert sandbox.requests["/api/Auth/loginKey"] == 1
        await broker.disconnect()
        await broker.disconnect()
        with pytest.raises(Disconnected, match="connects again"):
            await broker.get_accounts()
        await broker.connect()
        assert await broker.get_accounts()
        await broker.disconnect()
