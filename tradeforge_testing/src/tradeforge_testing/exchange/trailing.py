"""Trailing stops: where they stand, and how they follow the market."""

from decimal import Decimal

from attrs import evolve

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.records import ExchangeOrder, Instrument


def trail_ticks(instrument: Instrument, trail_price: Decimal, last_ticks: int) -> int:
    """How far the trail price is from the last trade, on whichever side of it."""
    return abs(last_ticks - instrument.to_ticks(trail_price))


def level(side: OrderSide, last_ticks: int, distance: int) -> int:
    """The trigger at that distance from the last trade; there is no price below the first tick."""
    return last_ticks + distance if side is OrderSide.BUY else max(1, last_ticks - distance)


def trailing(
    order: ExchangeOrder, instrument: Instrument, trail_price: Decimal, last_ticks: int
) -> ExchangeOrder:
    """The order with the distance that the trail price stands for, and its first trigger."""
    distance = trail_ticks(instrument, trail_price, last_ticks)
    return evolve(
        order,
        stop_price=instrument.to_price(level(order.side, last_ticks, distance)),
        trail_ticks=distance,
        trail_distance=instrument.to_price(distance),
    )
