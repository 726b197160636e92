"""Whether the client and the venue agree, after everything has had the time to arrive."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal

from tradeforge_core import Disconnected, Trade, TransportError
from tradeforge_testing.conformance.trial import Trial
from tradeforge_testing.exchange import Fill

_PAUSES = (0.0, 1.0, 5.0, 15.0, 30.0, 70.0, 120.0)
"""Seconds before each look: lost messages are found by the audit, within a minute or two."""


async def differences(trial: Trial) -> list[str]:
    """What the client says and the venue's books deny; nothing if it is not connected."""
    trial.exchange.close_market()
    wrong: list[str] = []
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        try:
            wrong = [line async for line in _differences(trial)]
        except Disconnected as error:
            if not error.sent:
                return []  # the test itself has left
            wrong = [f"a read failed: {error}"]
        except TransportError as error:
            wrong = [f"a read failed: {error}"]
        if not wrong:
            return []
    return wrong


async def _differences(trial: Trial) -> AsyncIterator[str]:
    async for line in _of_account(trial):
        yield line
    async for line in _of_orders(trial):
        yield line
    async for line in _of_positions(trial):
        yield line
    async for line in _of_fills(trial):
        yield line
    for unsettled in trial.broker.unsettled_outcomes():
        if trial.of_name(unsettled.client_order_id):
            yield f"the venue has it and answers looks, and it is not known here: {unsettled}"


async def _of_account(trial: Trial) -> AsyncIterator[str]:
    said = {one.id: one.balance for one in await trial.broker.get_accounts()}
    true = {str(one.id): one.balance for one in trial.exchange.accounts() if one.can_trade}
    if said != true:
        yield f"accounts and balances are {true} at the venue, and {said} here"


async def _of_orders(trial: Trial) -> AsyncIterator[str]:
    said = {
        one.id: (one.size, one.filled_size)
        for one in await trial.broker.get_open_orders(trial.account_id)
    }
    true = {
        str(one.id): (Decimal(one.size), Decimal(one.filled_size))
        for one in trial.booked
        if not one.status.is_final
    }
    if said != true:
        yield f"open orders (size, filled) are {true} at the venue, and {said} here"
    await trial.broker.get_order_history(trial.account_id, start=trial.began)
    for order in trial.booked:
        known = trial.broker.orders[str(order.id)]
        if known.status.is_final != order.status.is_final:
            yield f"order {order.id} is {order.status} at the venue, and {known.status} here"


async def _of_positions(trial: Trial) -> AsyncIterator[str]:
    true = {
        one.instrument_id: Decimal(one.size)
        for one in trial.exchange.positions(int(trial.account_id))
        if one.size
    }
    asked = await trial.broker.get_positions(trial.account_id)
    for how, positions in (("asked for", asked), ("known", list(trial.broker.positions))):
        said = {one.contract_id: one.size for one in positions if one.size}
        if said != true:
            yield f"positions are {true} at the venue, and {said} here, {how}"


async def _of_fills(trial: Trial) -> AsyncIterator[str]:
    trades = await trial.broker.get_trade_history(trial.account_id, start=trial.began)
    said, true = Counter(map(_of_trade, trades)), Counter(map(_of_fill, trial.fills))
    if said != true:
        yield f"fills that differ: {true - said} at the venue, and {said - true} here"


def _of_trade(trade: Trade) -> tuple[str, str, Decimal, Decimal, bool]:
    return trade.id, trade.side, trade.size, trade.price, trade.voided


def _of_fill(fill: Fill) -> tuple[str, str, Decimal, Decimal, bool]:
    return str(fill.id), fill.side, Decimal(fill.size), fill.price, fill.voided
