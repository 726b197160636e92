"""The demo's job: what a bot does, from the log-in to the flat position, by the public API."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import attrs

from tradeforge_cli.demo.record import WANTED, DemoRecord
from tradeforge_cli.figures import money_text, price_text, size_text
from tradeforge_core import (
    Account,
    BookState,
    Bracket,
    Contract,
    Event,
    NotFound,
    OrderBook,
    OrderRequest,
    OrderSide,
    OrderStatus,
    Provider,
    TradeForgeError,
    UserDataType,
)

_STEPS = 2
"""The size of the position, in steps of what can be ordered."""
_HISTORY = timedelta(hours=2)
_TICKS_AWAY, _PART_AWAY = 40, Decimal("0.001")
"""How far off the limit order and the stop loss rest: to be cancelled, not to be filled."""
_PATIENCE = 10.0
"""Seconds to wait for what has to come; what did not come is told at the end."""


class DemoJob:
    """Does the job once and notes everything in `record`; `symbol` is what it trades."""

    def __init__(self, broker: Provider, record: DemoRecord, symbol: str) -> None:
        self._broker = broker
        self._symbol = symbol
        self._record = record
        self._news = asyncio.Event()
        self._seconds = record.planned_seconds

    async def run(self) -> None:
        async with self._broker:
            account, contract = await self._look_around()
            await self._open_streams(account, contract)
            await self._open_position(account, contract)
            await self._rest_and_cancel(account, contract)
            await self._close_position(account, contract)
            await self._see_the_rest(account, contract)
        self._record.tell("disconnected")

    # --- by request ---

    async def _look_around(self) -> tuple[Account, Contract]:
        record = self._record
        record.accounts = await self._broker.get_accounts()
        record.tell(f"logged in; accounts: {', '.join(one.name for one in record.accounts)}")
        account = record.account = _tradable(record.accounts)
        record.tell(f"account {account.name}, balance {money_text(account.balance)}")
        contract = record.contract = await self._broker.get_contract_by_symbol(self._symbol)
        record.tell(f"contract {contract.symbol}: {contract.description}")
        await self._download_bars(contract)
        return account, contract

    async def _download_bars(self, contract: Contract) -> None:
        start = datetime.now(UTC) - _HISTORY
        bars = self._record.bars = await self._broker.get_historical_bars(contract.id, start=start)
        prices = [price for bar in bars for price in (bar.low, bar.high)]
        low, high = min(prices, default=None), max(prices, default=None)
        tick = contract.tick_size
        self._record.tell(
            f"{len(bars)} bars of a minute, {price_text(low, tick)} to {price_text(high, tick)}"
        )

    # --- by stream ---

    async def _open_streams(self, account: Account, contract: Contract) -> None:
        self._record.book = OrderBook(contract.id)
        self._broker.on_event(self._take)
        self._broker.on_error(self._take_error)
        await self._broker.subscribe_market_data(contract.id, self._broker.capabilities.market_data)
        await self._broker.subscribe_user_data(account.id, list(UserDataType))
        self._record.streaming_since = datetime.now(UTC)
        await self._until(self._sees_the_market)

    def _take(self, event: Event) -> None:
        self._record.take(event)
        self._news.set()

    def _take_error(self, error: TradeForgeError) -> None:
        self._record.take_error(error)
        self._news.set()

    def _sees_the_market(self) -> bool:
        record = self._record
        book_is_live = record.book is not None and record.book.state is BookState.LIVE
        return book_is_live and record.quote is not None and record.quote.bid is not None

    # --- orders ---

    async def _open_position(self, account: Account, contract: Contract) -> None:
        await self._at(0.15)
        size = _STEPS * contract.size_step
        entry = OrderRequest.market(account.id, contract.id, OrderSide.BUY, size)
        if self._broker.capabilities.brackets:
            entry = attrs.evolve(entry, bracket=self._exits(contract))
        exits = " with a stop loss and a take profit" if entry.bracket else ""
        self._record.tell(f"buying {size_text(size)} {contract.symbol} at the market{exits}")
        order = await self._broker.place_order(entry)
        self._record.entry_id = order.id
        await self._until(lambda: self._record.status_of(order.id) is OrderStatus.FILLED)

    async def _rest_and_cancel(self, account: Account, contract: Contract) -> None:
        await self._at(0.4)
        price = self._price_away(contract)
        size = contract.size_step
        shown = price_text(price, contract.tick_size)
        self._record.tell(f"bidding for {size_text(size)} at {shown}, far away")
        order = await self._broker.place_order(
            OrderRequest.limit(account.id, contract.id, OrderSide.BUY, size, price)
        )
        self._record.resting_id = order.id
        await self._until(lambda: self._record.status_of(order.id) is OrderStatus.WORKING)
        await self._at(0.6)
        self._record.tell("taking that order back")
        await self._broker.cancel_order(account.id, order.id)
        await self._until(lambda: self._record.status_of(order.id) is OrderStatus.CANCELLED)

    def _price_away(self, contract: Contract) -> Decimal:
        away = self._bid() - self._away(contract)
        return contract.round_price(away, rounding=ROUND_FLOOR)

    def _exits(self, contract: Contract) -> Bracket:
        away = self._away(contract)
        return Bracket(stop_loss=away, take_profit=2 * away)

    def _away(self, contract: Contract) -> Decimal:
        part = contract.round_price(_PART_AWAY * self._bid(), rounding=ROUND_FLOOR)
        return max(_TICKS_AWAY * contract.tick_size, part)

    def _bid(self) -> Decimal:
        quote, bars = self._record.quote, self._record.bars
        return quote.bid if quote and quote.bid is not None else bars[-1].close

    async def _close_position(self, account: Account, contract: Contract) -> None:
        await self._at(0.85)
        self._record.tell("closing the position; its exits go with it")
        await self._broker.close_position(account.id, contract.id)
        await self._until(lambda: self._record.is_flat)

    async def _see_the_rest(self, account: Account, contract: Contract) -> None:
        """Stream to the end of the time, and ask the venue itself what is held then."""
        await self._at(1.0)
        await self._until(lambda: all(self._record.seen[kind] for kind in WANTED))
        began = self._record.streaming_since or self._record.began
        self._record.streamed_seconds = (datetime.now(UTC) - began).total_seconds()
        positions = await self._broker.get_positions(account.id)
        held = [one.size for one in positions if one.contract_id == contract.id]
        self._record.position_after = sum(held, Decimal(0))

    # --- time ---

    async def _at(self, part: float) -> None:
        """Wait until this part of the planned time is over; the eye needs time as well."""
        began = self._record.streaming_since or self._record.began
        passed = (datetime.now(UTC) - began).total_seconds()
        await asyncio.sleep(max(0.0, part * self._seconds - passed))

    async def _until(self, has_happened: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not has_happened():
                    self._news.clear()
                    await self._news.wait()


def _tradable(accounts: list[Account]) -> Account:
    for account in accounts:
        if account.can_trade:
            return account
    raise NotFound("none of the accounts may trade")
