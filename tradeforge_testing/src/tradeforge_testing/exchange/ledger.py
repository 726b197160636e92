"""The accounts: balances, fills and positions."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import count

from attrs import evolve, frozen

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.charges import charge, gains, paid
from tradeforge_testing.exchange.events import (
    AccountChanged,
    ExchangeEvent,
    FillMade,
    PositionChanged,
)
from tradeforge_testing.exchange.holding import Holding, rebook
from tradeforge_testing.exchange.records import (
    ExchangeAccount,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    Instrument,
    Kind,
)
from tradeforge_testing.exchange.refusal import Refused, Reject

_FIRST_ACCOUNT_ID = 1_001
_FIRST_FILL_ID = 5_200_000_000  # beyond int32, as ids of fills are at real venues
_FIRST_POSITION_ID = 700_001


@frozen
class Posting:
    """What one fill changed in the books."""

    fill: FillMade
    position: PositionChanged | None
    """None where there are no positions."""
    account: AccountChanged


_Key = tuple[int, str, OrderSide | None]


class Ledger:
    def __init__(self) -> None:
        self._accounts: dict[int, ExchangeAccount] = {}
        self._fills: dict[int, list[Fill]] = {}
        self._holdings: dict[_Key, Holding] = {}
        self._account_ids = count(_FIRST_ACCOUNT_ID)
        self._fill_ids = count(_FIRST_FILL_ID)
        self._position_ids = count(_FIRST_POSITION_ID)

    def open_account(
        self,
        name: str,
        balance: Decimal,
        *,
        can_trade: bool,
        simulated: bool,
        auto_oco: bool,
        coins: Mapping[str, Decimal],
    ) -> ExchangeAccount:
        account = ExchangeAccount(
            id=next(self._account_ids),
            name=name,
            balance=balance,
            can_trade=can_trade,
            simulated=simulated,
            auto_oco=auto_oco,
            coins=coins,
        )
        self._fills[account.id] = []
        return self.change(account)

    def accounts(self) -> list[ExchangeAccount]:
        return list(self._accounts.values())

    def account(self, account_id: int) -> ExchangeAccount:
        try:
            return self._accounts[account_id]
        except KeyError:
            raise Refused(Reject.UNKNOWN_ACCOUNT) from None

    def change(self, account: ExchangeAccount) -> ExchangeAccount:
        """Keep the account as it is given."""
        self._accounts[account.id] = account
        return account

    def fills(self, account_id: int) -> list[Fill]:
        return list(self._fills[self.account(account_id).id])

    def positions(self, account_id: int) -> list[ExchangePosition]:
        account = self.account(account_id)
        held = [
            holding.position()
            for (owner, *_), holding in self._holdings.items()
            if owner == account.id and holding.size
        ]
        return sorted(held, key=lambda position: position.id)

    def position_size(
        self, account_id: int, instrument_id: str, hedge_side: OrderSide | None = None
    ) -> int:
        """Signed; zero when flat."""
        holding = self._holdings.get((account_id, instrument_id, hedge_side))
        return holding.size if holding else 0

    def post(
        self,
        order: ExchangeOrder,
        instrument: Instrument,
        ticks: int,
        size: int,
        now: datetime,
        *,
        maker: bool,
    ) -> Posting:
        """Book a fill of the order: the position first, then the money."""
        holding = None if instrument.kind is Kind.SPOT else self._holding(order, instrument)
        quantity = size if order.side is OrderSide.BUY else -size
        realized = None if holding is None else holding.apply(quantity, ticks, now)
        fees, coin = charge(instrument, order.side, ticks, size, maker=maker)
        fill = Fill(
            id=next(self._fill_ids),
            account_id=order.account_id,
            instrument_id=instrument.id,
            order_id=order.id,
            side=order.side,
            size=size,
            price=instrument.to_price(ticks),
            realized_pnl=realized,
            fees=fees,
            commissions=size * instrument.commission,
            time=now,
            maker=maker,
            fee_coin=coin,
            hedge_side=order.hedge_side,
        )
        self._fills[order.account_id].append(fill)
        account = self.change(paid(self._accounts[fill.account_id], gains(fill, instrument)))
        position = None if holding is None else PositionChanged(holding.position())
        return Posting(FillMade(fill), position, AccountChanged(account))

    def _holding(self, order: ExchangeOrder, instrument: Instrument) -> Holding:
        """The open position, or a new one with an id of its own."""
        key = order.account_id, instrument.id, order.hedge_side
        if not self.position_size(*key):
            self._holdings[key] = Holding(
                id=next(self._position_ids),
                account_id=order.account_id,
                instrument=instrument,
                hedge_side=order.hedge_side,
            )
        return self._holdings[key]

    def void(
        self, account_id: int, fill_id: int, instruments: Mapping[str, Instrument]
    ) -> list[ExchangeEvent]:
        """Book the instrument anew without the fill: what is different then, the fill first."""
        voided = evolve(self._valid_fill(account_id, fill_id), voided=True)
        key = account_id, voided.instrument_id, voided.hedge_side
        before = [each for each in self._fills[account_id] if _key(each) == key]
        kept = [voided if each.id == fill_id else each for each in before]
        instrument = instruments[voided.instrument_id]
        if key not in self._holdings:  # spot
            return [FillMade(voided), AccountChanged(self._put_back(instrument, before, kept))]
        self._holdings[key], after = rebook(self._holdings[key], kept)
        account = self._put_back(instrument, before, after)
        others = [new for new, old in zip(after, kept, strict=True) if new != old]
        return [
            *(FillMade(each) for each in (voided, *others)),
            PositionChanged(self._holdings[key].position()),
            AccountChanged(account),
        ]

    def _valid_fill(self, account_id: int, fill_id: int) -> Fill:
        fill = next((each for each in self.fills(account_id) if each.id == fill_id), None)
        if fill is None:
            raise Refused(Reject.UNKNOWN_FILL)
        if fill.voided:
            raise Refused(Reject.FILL_VOIDED)
        return fill

    def _put_back(
        self, instrument: Instrument, before: list[Fill], after: list[Fill]
    ) -> ExchangeAccount:
        """Put the new fills where the old ones are, and the difference on the account."""
        account_id = before[0].account_id
        new = {each.id: each for each in after}
        self._fills[account_id] = [new.get(each.id, each) for each in self._fills[account_id]]
        account = self.account(account_id)
        for old in before:
            taken = {coin: -amount for coin, amount in gains(old, instrument).items()}
            account = paid(paid(account, taken), gains(new[old.id], instrument))
        return self.change(account)


def _key(fill: Fill) -> _Key:
    return fill.account_id, fill.instrument_id, fill.hedge_side
