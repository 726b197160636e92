"""Changes of orders at Bybit that change nothing, or that the venue will not make."""

import pytest
from tests.bybit.small_venue import ACCOUNT, Answer, SmallVenue

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import OrderOutcomeUnknown, OrderRejected, OrderRequest, OrderSide

AMEND = "/v5/order/amend"
SAME = "The order remains unchanged as the parameters entered match the existing ones."


def limit_order() -> OrderRequest:
    return OrderRequest.limit(ACCOUNT, "linear:BTCUSDT", OrderSide.BUY, "0.5", "100.5")


async def test_a_change_that_is_so_already_is_done(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    """As after one whose answer was lost, and that is asked for again."""
    order = await broker.place_order(limit_order())
    venue.tell(AMEND, Answer(code=10001, text=SAME))
    await broker.modify_order(ACCOUNT, order.id, limit_price="100.5")
    assert len(venue.asked(AMEND)) == 1


async def test_a_change_that_is_said_to_be_so_and_does_not_show_is_none(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit_order())
    broker._proofs.longest = 0.1
    venue.tell(AMEND, Answer(code=10001, text=SAME))
    with pytest.raises(OrderOutcomeUnknown):
        await broker.modify_order(ACCOUNT, order.id, limit_price="101")


async def test_another_parameter_error_is_a_refusal(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit_order())
    venue.tell(AMEND, Answer(code=10001, text="params error: qty err"))
    with pytest.raises(OrderRejected, match="qty err"):
        await broker.modify_order(ACCOUNT, order.id, size="0.6")
