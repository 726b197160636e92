"""Accounts, contracts and history."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from tradeforge_core import BarUnit, NotFound
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.conformance.proving import Suite, proves
from tradeforge_testing.conformance.trial import Trial
from tradeforge_testing.exchange.records import Bar


class Accounts(Suite):
    @proves("TF-ACC-010")
    async def test_accounts_are_the_venues(self, on: Trial) -> None:
        """The mapping of accounts: ids as text, balances from the venue's digits."""
        said = {(one.id, one.name, one.balance) for one in await on.broker.get_accounts()}
        active = [one for one in on.exchange.accounts() if one.can_trade]
        true = {(str(one.id), one.name, one.balance) for one in active}
        assert said == true
        await on.buy()
        await on.sell()
        (account,) = [one for one in await on.broker.get_accounts() if one.id == on.account_id]
        assert account.balance == on.exchange.account(int(on.account_id)).balance

    @proves("TF-ACC-020")
    async def test_a_locked_account_says_so(self, on: Trial) -> None:
        """`Account.can_trade`."""
        on.exchange.set_can_trade(int(on.account_id), can_trade=False)
        locked = [one for one in await on.broker.get_accounts() if one.id == on.account_id]
        assert not any(one.can_trade for one in locked)
        on.exchange.set_can_trade(int(on.account_id), can_trade=True)


class Contracts(Suite):
    @proves("TF-CON-010")
    async def test_contracts_have_the_venues_ticks(self, on: Trial) -> None:
        """The mapping of contracts: Decimal from the digits, never by way of a float."""
        for contract_id, true in on.exchange.instruments.items():
            contract = await on.broker.get_contract(contract_id)
            assert (contract.tick_size, contract.tick_value) == (true.tick_size, true.tick_value)
            assert isinstance(contract.tick_size, Decimal)

    @proves("TF-CON-020")
    async def test_a_contract_is_found_by_its_id(self, on: Trial) -> None:
        """The look-up by id, and what the venue says of an unknown one."""
        for found in await on.broker.search_contracts(on.instrument.root):
            assert await on.broker.get_contract(found.id) == found
        await on.raises(NotFound, on.broker.get_contract(on.contract_id + "X"))

    @proves("TF-CON-030")
    async def test_symbol_and_root_are_exact(self, on: Trial) -> None:
        """A venue's search finds what merely contains the text: the provider has to choose."""
        by_symbol = await on.broker.get_contract_by_symbol(on.instrument.symbol)
        assert by_symbol.id == on.contract_id
        by_root = await on.broker.get_contract_by_symbol(on.instrument.root)
        assert by_root.root == on.instrument.root
        await on.raises(NotFound, on.broker.get_contract_by_symbol(on.instrument.root[:-1] + "~"))

    @proves("TF-CON-040")
    async def test_a_search_may_find_nothing(self, on: Trial) -> None:
        """An empty answer is a list."""
        assert await on.broker.search_contracts("NO SUCH CONTRACT") == []


class History(Suite):
    @proves("TF-HIS-010")
    async def test_bars_are_in_order(self, on: Trial) -> None:
        """The order of the venue's answer, and the joint of its pages."""
        unit = min(on.capabilities.bar_units, key=list(BarUnit).index)
        start, end = on.began - timedelta(minutes=30), on.began
        bars = await on.broker.get_historical_bars(on.contract_id, start=start, end=end, unit=unit)
        times = [one.time for one in bars]
        assert times == sorted(set(times))
        assert all(one.tzinfo is not None and start <= one <= end for one in times)

    @proves("TF-HIS-020", lives=2)
    async def test_bars_are_the_venues(self, on: Trial) -> None:
        """The mapping of bars."""
        start, end = on.began - timedelta(hours=2), on.began
        bars = await on.broker.get_historical_bars(on.contract_id, start=start, end=end)
        true = {
            one.time: (one.open, one.high, one.low, one.close, Decimal(one.volume))
            for one in _minutes(on, start, end)
        }
        assert bars
        for bar in bars:
            assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == true[bar.time]

    @proves("TF-HIS-030")
    async def test_a_long_span_is_complete(self, on: Trial) -> None:
        """Paging: a venue cuts answers off at its own number of bars, some without a word."""
        start, end = on.began - timedelta(days=16), on.began
        bars = await on.broker.get_historical_bars(on.contract_id, start=start, end=end)
        true = _minutes(on, start, end)
        times = Counter(one.time for one in bars)
        assert max(times.values()) == 1
        missing = {one.time for one in true if one.time + timedelta(minutes=1) <= end} - set(times)
        assert not missing, f"{len(missing)} of {len(true)} bars are missing, from {min(missing)}"

    @proves("TF-HIS-040")
    async def test_the_forming_bar_is_marked_or_left_out(self, on: Trial) -> None:
        """`include_partial`, and the time at which a bar is complete."""
        await asyncio.sleep(_into_a_minute(on))
        on.exchange.advance()
        bars = await on.broker.get_historical_bars(on.contract_id, start=_before(on, hours=1))
        assert not any(one.partial for one in bars)
        on.exchange.advance()
        more = await on.broker.get_historical_bars(
            on.contract_id, start=_before(on, hours=1), include_partial=True
        )
        assert all(not one.partial for one in more[:-1])
        now = current_clock().now()
        early = [one for one in (*bars, *more) if one.time + timedelta(minutes=1) > now]
        assert all(one.partial for one in early), f"at {now} this was called complete: {early}"
        complete = [one.time for one in more if not one.partial]
        assert complete == [one.time for one in bars] or complete[:-1] == [o.time for o in bars]

    @proves("TF-HIS-050")
    async def test_a_naive_time_is_refused(self, on: Trial) -> None:
        """The core refuses it: a provider that reads times by itself must, too."""
        sent = on.sent
        naive = on.began.replace(tzinfo=None)
        await on.raises(
            (ValueError, TypeError), on.broker.get_historical_bars(on.contract_id, start=naive)
        )
        assert on.sent == sent


def _minutes(on: Trial, start: datetime, end: datetime) -> list[Bar]:
    return on.exchange.bars(on.contract_id, start=start, end=end, seconds=60, limit=100_000)


def _into_a_minute(on: Trial) -> float:
    """Seconds until half of a later minute is over."""
    return 90.0 - on.began.timestamp() % 60


def _before(on: Trial, *, hours: int) -> datetime:
    return on.began - timedelta(hours=hours)
