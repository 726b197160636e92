"""The accounts: balances, fills and positions."""

from datetime import datetime
from decimal import Decimal
from itertools import count

from attrs import evolve, frozen

from tradeforge_core.enums import OrderSide
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
)
from tradeforge_testing.exchange.refusal import Refused, Reject

_FIRST_ACCOUNT_ID = 1_001
_FIRST_FILL_ID = 5_200_000_000  # beyond int32, as ids of fills are at real venues
_FIRST_POSITION_ID = 700_001


@frozen
class Posting:
    """What one fill changed in the books."""

    fill: FillMade
    position: PositionChanged
    account: AccountChanged


class Ledger:
    def __init__(self) -> None:
        self._accounts: dict[int, ExchangeAccount] = {}
        self._fills: dict[int, list[Fill]] = {}
        self._holdings: dict[tuple[int, str], Holding] = {}
        self._account_ids = count(_FIRST_ACCOUNT_ID)
        self._fill_ids = count(_FIRST_FILL_ID)
        self._position_ids = count(_FIRST_POSITION_ID)

    def open_account(
        self, name: str, balance: Decimal, *, can_trade: bool, simulated: bool, auto_oco: bool
    ) -> ExchangeAccount:
        account = ExchangeAccount(
            id=next(self._account_ids),
            name=name,
            balance=balance,
            can_trade=can_trade,
            simulated=simulated,
            auto_oco=auto_oco,
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
            for (owner, _), holding in self._holdings.items()
            if owner == account.id and holding.size
        ]
        return sorted(held, key=lambda position: position.id)

    def position_size(self, account_id: int, instrument_id: str) -> int:
        """Signed; zero when flat."""
        holding = self._holdings.get((account_id, instrument_id))
        return holding.size if holding else 0

    def post(
        self, order: ExchangeOrder, instrument: Instrument, ticks: int, size: int, now: datetime
    ) -> Posting:
        """Book a fill of the order: the position first, then the money."""
        holding = self._holding(order, instrument)
        quantity = size if order.side is OrderSide.BUY else -size
        realized = holding.apply(quantity, ticks, now)
        fill = Fill(
            id=next(self._fill_ids),
            account_id=order.account_id,
            instrument_id=instrument.id,
            order_id=order.id,
            side=order.side,
            size=size,
            price=instrument.to_price(ticks),
            realized_pnl=realized,
            fees=size * instrument.fee,
            commissions=size * instrument.commission,
            time=now,
        )
        self._fills[order.account_id].append(fill)
        account = self._charge(fill)
        return Posting(FillMade(fill), PositionChanged(holding.position()), AccountChanged(account))

    def _holding(self, order: ExchangeOrder, instrument: Instrument) -> Holding:
        """The open position, or a new one with an id of its own."""
        key = order.account_id, instrument.id
        if not self.position_size(*key):
            self._holdings[key] = Holding(
                id=next(self._position_ids), account_id=order.account_id, instrument=instrument
            )
        return self._holdings[key]

    def _charge(self, fill: Fill) -> ExchangeAccount:
        account = self._accounts[fill.account_id]
        return self.change(evolve(account, balance=account.balance + _gain(fill)))

    def void(self, account_id: int, fill_id: int) -> list[ExchangeEvent]:
        """Book the instrument anew without the fill: what is different then, the fill first."""
        voided = evolve(self._valid_fill(account_id, fill_id), voided=True)
        key = account_id, voided.instrument_id
        before = [each for each in self._fills[account_id] if each.instrument_id == key[1]]
        kept = [voided if each.id == fill_id else each for each in before]
        self._holdings[key], after = rebook(self._holdings[key], kept)
        account = self._exchange_fills(account_id, before, after)
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

    def _exchange_fills(
        self, account_id: int, before: list[Fill], after: list[Fill]
    ) -> ExchangeAccount:
        """Put the new fills where the old ones are, and the difference on the balance."""
        new = {each.id: each for each in after}
        self._fills[account_id] = [new.get(each.id, each) for each in self._fills[account_id]]
        gain = sum(map(_gain, after), Decimal()) - sum(map(_gain, before), Decimal())
        account = self.account(account_id)
        return self.change(evolve(account, balance=account.balance + gain))


def _gain(fill: Fill) -> Decimal:
    """What the fill put on the balance."""
    if fill.voided:
        return Decimal()
    return (fill.realized_pnl or Decimal()) - fill.fees - fill.commissions
