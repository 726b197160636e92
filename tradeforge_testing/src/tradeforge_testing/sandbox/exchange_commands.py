"""What can be done over HTTP to the exchange of any sandbox: one row for each command.

`BACK_OFFICE_COMMANDS` are for venues whose exits, fills and accounts can be meddled with.
"""

from decimal import Decimal
from typing import Annotated, Protocol

from msgspec import Meta

from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.control import Arguments, Command, Count

Steps = Annotated[int, Meta(ge=1, le=10_000)]


class HasExchange(Protocol):
    """A sandbox, as far as these commands know one."""

    @property
    def exchange(self) -> Exchange: ...


class Move(Arguments):
    contract_id: str
    price: Decimal


class Advance(Arguments):
    steps: Steps = 1


class OfOrder(Arguments):
    account_id: int
    order_id: int


class FillOrder(OfOrder):
    size: int | None = None
    price: Decimal | None = None


class LoseLegs(Arguments):
    account_id: int
    stop_loss: bool = True
    take_profit: bool = True
    count: Count = 1


class OfFill(Arguments):
    account_id: int
    fill_id: int


class OfContract(Arguments):
    contract_id: str


class SetAccount(Arguments):
    account_id: int
    can_trade: bool | None = None
    auto_oco: bool | None = None


def _advance(sandbox: HasExchange, given: Advance) -> None:
    for _ in range(given.steps):
        sandbox.exchange.advance()


def _set_account(sandbox: HasExchange, given: SetAccount) -> None:
    if given.can_trade is not None:
        sandbox.exchange.set_can_trade(given.account_id, given.can_trade)
    if given.auto_oco is not None:
        sandbox.exchange.set_auto_oco(given.account_id, given.auto_oco)


EXCHANGE_COMMANDS = (
    # The market
    Command(
        "move",
        "trade up or down to a price, filling and triggering what lies on the way",
        Move,
        lambda sandbox, it: sandbox.exchange.move_to(it.contract_id, it.price),
    ),
    Command("advance", "let every market make so many steps", Advance, _advance),
    Command(
        "open_market",
        "let all markets trade again",
        Arguments,
        lambda sandbox, it: sandbox.exchange.open_market(),
    ),
    Command(
        "close_market",
        "let no market trade",
        Arguments,
        lambda sandbox, it: sandbox.exchange.close_market(),
    ),
    Command(
        "halt",
        "let the market of one contract not trade",
        OfContract,
        lambda sandbox, it: sandbox.exchange.halt(it.contract_id),
    ),
    Command(
        "resume",
        "end the halt of a contract",
        OfContract,
        lambda sandbox, it: sandbox.exchange.resume(it.contract_id),
    ),
    Command(
        "expire_contract",
        "end trading in a contract for good; its orders expire",
        OfContract,
        lambda sandbox, it: sandbox.exchange.expire_contract(it.contract_id),
    ),
    # Orders and accounts
    Command(
        "fill_order",
        "fill an order, or a part of it, at its own price or another",
        FillOrder,
        lambda sandbox, it: sandbox.exchange.fill_order(
            it.account_id, it.order_id, it.size, it.price
        ),
    ),
    Command(
        "reject_order",
        "reject an order that was taken",
        OfOrder,
        lambda sandbox, it: sandbox.exchange.reject_order(it.account_id, it.order_id),
    ),
    Command(
        "expire_order",
        "expire an order",
        OfOrder,
        lambda sandbox, it: sandbox.exchange.expire_order(it.account_id, it.order_id),
    ),
)
BACK_OFFICE_COMMANDS = (
    Command(
        "lose_legs",
        "book the next entries of an account without their stop loss, take profit, or both",
        LoseLegs,
        lambda sandbox, it: sandbox.exchange.lose_legs(
            it.account_id, stop_loss=it.stop_loss, take_profit=it.take_profit, count=it.count
        ),
    ),
    Command(
        "void_fill",
        "take a trade back",
        OfFill,
        lambda sandbox, it: sandbox.exchange.void_fill(it.account_id, it.fill_id),
    ),
    Command(
        "set_account",
        "say whether an account may trade, and whether it is in the mode of Auto OCO Brackets",
        SetAccount,
        _set_account,
    ),
)
