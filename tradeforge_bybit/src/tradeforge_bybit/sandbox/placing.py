"""A request for an order becomes a ticket of the exchange and a slip of what else was said."""

import re
from collections.abc import Mapping
from decimal import Decimal

from attrs import evolve, frozen

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.answers import Failure, parameter_error, refused
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.literals import SIDE_OF, text
from tradeforge_bybit.sandbox.partial_exits import (
    STOP_LOSS,
    TAKE_PROFIT,
    PartialExit,
    partial_exits,
)
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.slips import CONDITIONAL, TPSL, Slip
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.enums import OrderSide, OrderType, TimeInForce
from tradeforge_testing.exchange import ExchangeOrder, Leg, Reject, Ticket

TIMES = {"GTC": None, "PostOnly": None, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
LEGS = {0: None, 1: OrderSide.BUY, 2: OrderSide.SELL}
_LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_UNNAMED = "~"
"""No name of a client begins with it."""
_BEYOND = Decimal("1.001")
"""How far from its trigger an order that counts money can trade with all of it."""
_PROTECTED = Decimal("0.05")
"""How far from the last price a market order trades at most."""


@frozen
class Asked:
    ticket: Ticket
    slip: Slip
    exits: Mapping[str, PartialExit]


def place(venue: Venue, said: Said) -> ExchangeOrder:
    """The order as it stands at once. Raises `Failure` where nothing is booked."""
    listing = say.listing(venue, said)
    asked = understand(venue, listing, said)
    if not asked.ticket.size:
        raise _bad_size(listing)
    fault = venue.exchange.fault(asked.ticket)
    if fault not in _ASKED_LAST:
        raise _failure(fault, listing, asked.ticket)
    check_filters(venue, listing, asked)
    if fault is not None:
        raise _failure(fault, listing, asked.ticket)
    for slip in (asked.slip, *(one.slip for one in asked.exits.values())):
        venue.keep(slip)
    return venue.exchange.place(asked.ticket)


_ASKED_LAST = (None, Reject.INSUFFICIENT_FUNDS, Reject.REDUCE_ONLY)


def _failure(fault: Reject, listing: Listing, ticket: Ticket) -> Failure:
    if fault is Reject.STOP_ON_WRONG_SIDE and ticket.direction is OrderSide.SELL:
        return Failure(110093, "expect Falling, but trigger_price >= current")
    return refused(fault, listing.category)


# --- what is asked for ---


def understand(venue: Venue, listing: Listing, said: Said) -> Asked:
    side = SIDE_OF.get(say.word(said, "side"))
    if side is None:
        raise (
            Failure(170117, "Invalid side.") if listing.is_spot else parameter_error("Side invalid")
        )
    order_type = say.word(said, "orderType")
    if order_type not in ("Market", "Limit"):
        raise _either(listing, Failure(170116, "Invalid orderType."), "OrderType invalid")
    slip = _slip(venue, listing, said, order_type, side)
    trigger, rising = _trigger(venue, listing, said)
    base = say.price(said, "price") or trigger or slip.last_price or Decimal(0)
    _check_exits(listing, slip, side, base)
    size, slip = _size(venue, listing, said, slip, side)
    exits = partial_exits(venue, said, slip, side)
    ticket = Ticket(
        account_id=venue.account.id,
        instrument_id=listing.instrument.id,
        side=side,
        type=_type(order_type, trigger),
        size=size,
        limit_price=say.price(said, "price") if order_type == "Limit" else None,
        stop_price=trigger,
        tag=slip.tag,
        rising=rising,
        time_in_force=TimeInForce.IOC if order_type == "Market" else TIMES[slip.time_in_force],
        post_only=slip.time_in_force == "PostOnly",
        reduce_only=say.flag(said, "reduceOnly") or say.flag(said, "closeOnTrigger"),
        hedge_side=leg_of(venue, listing, said),
        stop_loss=_leg(exits, STOP_LOSS),
        take_profit=_leg(exits, TAKE_PROFIT),
    )
    return Asked(_whole_position(venue, said, ticket), slip, exits)


def _leg(exits: Mapping[str, PartialExit], kind: str) -> Leg | None:
    return exits[kind].leg if kind in exits else None


def _either(listing: Listing, spot: Failure, text: str) -> Failure:
    """Spot has a code of its own for what contracts call a wrong parameter."""
    return spot if listing.is_spot else parameter_error(text)


def _slip(venue: Venue, listing: Listing, said: Said, order_type: str, side: OrderSide) -> Slip:
    link_id = say.maybe_word(said, "orderLinkId")
    if link_id and not _LINK_ID.fullmatch(link_id):
        raise parameter_error("OrderLinkId invalid")
    if not link_id and listing.is_spot:
        link_id = str(1_609_920_528_000_000_000 + venue.serial())
    last = venue.exchange.quote(listing.instrument.id).last
    is_conditional = bool(say.price(said, "triggerPrice"))
    return Slip(
        tag=link_id or f"{_UNNAMED}{venue.serial()}",
        link_id=link_id,
        order_type=order_type,
        time_in_force=_time_in_force(said, listing, order_type),
        price=_protective(listing, side, last) if order_type == "Market" else None,
        market_unit=say.one_of(said, "marketUnit", ("", "baseCoin", "quoteCoin"), ""),
        last_price=last,
        trigger_by=_trigger_by(said, "triggerBy") if is_conditional else "",
        stop_order_type=_stop_order_type(said, listing) if is_conditional else "",
        take_profit=say.price(said, "takeProfit"),
        stop_loss=say.price(said, "stopLoss"),
        tp_trigger_by=_trigger_by(said, "tpTriggerBy") if said.get("takeProfit") else "",
        sl_trigger_by=_trigger_by(said, "slTriggerBy") if said.get("stopLoss") else "",
        tpsl_mode=say.one_of(said, "tpslMode", ("", "Full", "Partial"), ""),
        close_on_trigger=say.flag(said, "closeOnTrigger"),
        is_leverage=str(say.whole(said, "isLeverage", 0, 1)) if listing.is_spot else "",
    )


def _stop_order_type(said: Said, listing: Listing) -> str:
    kind = say.maybe_word(said, "orderFilter")
    if listing.is_spot and kind not in ("", "Order", CONDITIONAL, TPSL):
        raise Failure(170201, "Invalid orderFilter.")
    return TPSL if listing.is_spot and kind == TPSL else "Stop"


def _time_in_force(said: Said, listing: Listing, order_type: str) -> str:
    given = say.maybe_word(said, "timeInForce") or "GTC"
    if given not in TIMES:
        raise _either(listing, Failure(170115, "Invalid timeInForce."), "TimeInForce invalid")
    return "IOC" if order_type == "Market" else given


def _trigger_by(said: Said, name: str) -> str:
    return say.one_of(said, name, ("LastPrice", "IndexPrice", "MarkPrice"), "LastPrice")


def _protective(listing: Listing, side: OrderSide, last: Decimal) -> Decimal:
    factor = 1 + _PROTECTED if side is OrderSide.BUY else 1 - _PROTECTED
    ticks = int(last * factor / listing.instrument.tick_size)
    return listing.instrument.to_price(ticks)


def _type(order_type: str, trigger: Decimal | None) -> OrderType:
    if trigger is None:
        return OrderType.MARKET if order_type == "Market" else OrderType.LIMIT
    return OrderType.STOP if order_type == "Market" else OrderType.STOP_LIMIT


def _trigger(venue: Venue, listing: Listing, said: Said) -> tuple[Decimal | None, bool | None]:
    trigger = say.price(said, "triggerPrice")
    if trigger is None:
        return None, None
    if listing.is_spot:  # where it comes from is where the market is now
        return trigger, trigger > venue.exchange.quote(listing.instrument.id).last
    way = say.whole(said, "triggerDirection", 0, 2)
    if not way:
        raise parameter_error("TriggerDirection invalid")
    return trigger, way == 1


def leg_of(venue: Venue, listing: Listing, said: Said) -> OrderSide | None:
    """The position that the order is for; it has to go with the mode of the contract."""
    index = say.whole(said, "positionIdx", 0, 2)
    if listing.is_spot:
        return None
    if bool(index) != (listing.instrument.id in venue.hedged):
        raise Failure(10001, "position idx not match position mode")
    return LEGS[index]


def _check_exits(listing: Listing, slip: Slip, side: OrderSide, price: Decimal) -> None:
    """Only contracts have exits here, each on its side of the price."""
    if slip.take_profit is None and slip.stop_loss is None:
        return
    if listing.is_spot:
        raise Failure(10001, "params error: the sandbox has exits of contracts only")
    prices = (slip.take_profit, slip.stop_loss)
    if any(one is not None and one % listing.instrument.tick_size for one in prices):
        raise parameter_error("TakeProfit or StopLoss invalid")
    sign = 1 if side is OrderSide.BUY else -1
    if slip.take_profit is not None and (slip.take_profit - price) * sign <= 0:
        raise parameter_error("TakeProfit is on the wrong side of base_price")
    if slip.stop_loss is not None and (slip.stop_loss - price) * sign >= 0:
        raise parameter_error("StopLoss is on the wrong side of base_price")


# --- how much ---


def _size(
    venue: Venue, listing: Listing, said: Said, slip: Slip, side: OrderSide
) -> tuple[int, Slip]:
    """In lots; a spot market buy counts money unless it says otherwise."""
    qty = say.amount(said, "qty")
    if qty is None:
        raise parameter_error("qty is required")
    unit = slip.market_unit or ("quoteCoin" if side is OrderSide.BUY else "baseCoin")
    if listing.is_spot and slip.order_type == "Market":
        slip = evolve(slip, market_unit=unit)
        if unit == "quoteCoin":
            trigger = say.price(said, "triggerPrice")
            return _of_money(venue, listing, side, qty, trigger), evolve(slip, qty=qty)
    return lots(listing, qty), slip


def lots(listing: Listing, qty: Decimal) -> int:
    if qty % listing.instrument.lot:
        raise refused(Reject.BAD_SIZE, listing.category)
    return int(qty / listing.instrument.lot)


def _of_money(
    venue: Venue, listing: Listing, side: OrderSide, money: Decimal, trigger: Decimal | None
) -> int:
    """What there will be for so much money."""
    if money < listing.least_value:
        raise Failure(170140, "Order value exceeded lower limit.")
    if trigger is not None:
        return lots_of_money(listing, money, trigger)
    bids, asks = venue.exchange.depth(listing.instrument.id)
    size, left = 0, money
    for level in asks if side is OrderSide.BUY else bids:
        taken = min(level.size, int(left / (level.price * listing.instrument.lot)))
        size += taken
        left -= listing.instrument.value(taken, level.price)
        if taken < level.size:
            break
    return size


def lots_of_money(listing: Listing, money: Decimal, trigger: Decimal) -> int:
    """Behind a trigger: nobody knows the book that there will be, so a little is kept back."""
    return int(money / (trigger * _BEYOND * listing.instrument.lot))


def _whole_position(venue: Venue, said: Said, ticket: Ticket) -> Ticket:
    """Without a size, an order that closes is as large as the position."""
    if ticket.size or not (ticket.reduce_only and say.flag(said, "closeOnTrigger")):
        return ticket
    held = [
        abs(one.size)
        for one in venue.exchange.positions(venue.account.id)
        if (one.instrument_id, one.hedge_side) == (ticket.instrument_id, ticket.hedge_side)
    ]
    return evolve(ticket, size=sum(held))


# --- whether it passes ---


def check_filters(venue: Venue, listing: Listing, asked: Asked) -> None:
    """Raises `Failure` for what the exchange itself has nothing against."""
    ticket = asked.ticket
    size = listing.instrument.to_size(ticket.size)
    if size > (listing.largest / 2 if ticket.type is OrderType.MARKET else listing.largest):
        raise (
            Failure(170124, "Order amount too large.")
            if listing.is_spot
            else Failure(10001, "The number of contracts exceeds maximum limit allowed")
        )
    last = venue.exchange.quote(listing.instrument.id).last
    _check_value(listing, ticket, last)
    if ticket.limit_price is not None and ticket.stop_price is None:
        check_band(listing, ticket.side, ticket.limit_price, last)


def _bad_size(listing: Listing) -> Failure:
    if listing.is_spot:
        return Failure(170136, "Order quantity exceeded lower limit.")
    return Failure(10001, "The number of contracts is below the minimum allowed")


def _check_value(listing: Listing, ticket: Ticket, last: Decimal) -> None:
    price = ticket.limit_price or ticket.stop_price or last
    if ticket.reduce_only or listing.instrument.value(ticket.size, price) >= listing.least_value:
        return
    if listing.is_spot:
        raise Failure(170140, "Order value exceeded lower limit.")
    raise Failure(
        110094,
        f"Order does not meet minimum order value {text(listing.least_value)}{listing.quote}",
    )


def check_band(listing: Listing, side: OrderSide, price: Decimal, last: Decimal) -> None:
    """A buy may not be far above the market, nor a sell far below it."""
    if side is OrderSide.BUY and price > last * (1 + listing.band):
        raise (
            Failure(170193, "Buy order price cannot be higher than the limit.")
            if listing.is_spot
            else Failure(30208, "The order price is higher than the maximum buying price.")
        )
    if side is OrderSide.SELL and price < last * (1 - listing.band):
        raise (
            Failure(170194, "Sell order price cannot be lower than the limit.")
            if listing.is_spot
            else Failure(30209, "The order price is lower than the minimum selling price.")
        )
