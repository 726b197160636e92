"""What a fill costs and what it brings, coin by coin."""

from collections.abc import Mapping
from decimal import Decimal

from attrs import evolve

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.records import ExchangeAccount, Fill, Instrument, Kind

_DIGITS = Decimal("0.00000001")


def charge(
    instrument: Instrument, side: OrderSide, ticks: int, size: int, *, maker: bool
) -> tuple[Decimal, str]:
    """The fee of a fill, and the coin that it is paid in: spot charges what was received."""
    rate = instrument.maker_rate if maker else instrument.taker_rate
    if instrument.kind is Kind.SPOT and side is OrderSide.BUY:
        return _rounded(instrument.to_size(size) * rate), instrument.base
    fixed = size * instrument.fee
    if not rate:
        return fixed, instrument.money
    value = instrument.value(size, instrument.to_price(ticks))
    return fixed + _rounded(value * rate), instrument.money


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_DIGITS)


def gains(fill: Fill, instrument: Instrument) -> Mapping[str, Decimal]:
    """What the fill put on the account, by coin; "" is the account's own money."""
    if fill.voided:
        return {}
    if instrument.kind is Kind.SPOT:
        return _exchanged(fill, instrument)
    profit = (fill.realized_pnl or Decimal()) - fill.fees - fill.commissions
    return {instrument.money: profit}


def _exchanged(fill: Fill, instrument: Instrument) -> Mapping[str, Decimal]:
    size, value = instrument.to_size(fill.size), instrument.value(fill.size, fill.price)
    if fill.side is OrderSide.BUY:
        return {instrument.base: size - fill.fees, instrument.money: -value}
    return {instrument.base: -size, instrument.money: value - fill.fees}


def paid(account: ExchangeAccount, amounts: Mapping[str, Decimal]) -> ExchangeAccount:
    """The account with that added to what it has."""
    coins = {**account.coins}
    for coin in amounts.keys() - {""}:
        coins[coin] = account.has(coin) + amounts[coin]
    balance = account.balance + amounts.get("", Decimal())
    return evolve(account, balance=balance, coins=coins)
