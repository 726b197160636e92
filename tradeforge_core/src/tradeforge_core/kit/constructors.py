"""Constructors of the events that come by the thousand: the same arguments, a third of the cost."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import attrs

from tradeforge_core.events import DepthEvent, MarketTradeEvent, QuoteEvent

P = ParamSpec("P")
T = TypeVar("T")


def _constructor_of(cls: Callable[P, T]) -> Callable[P, T]:
    """What makes instances of a frozen class without a check for each member that it is new.

    A class that is not frozen, with the same members in the same places, makes the instance and
    hands it over when it is complete. That needs classes without a slot for weak references.
    """
    fields = attrs.fields(cast("type[attrs.AttrsInstance]", cls))

    def hand_over(instance: Any) -> None:
        instance.__class__ = cls

    draft: Any = attrs.make_class(
        "Draft",
        {one.name: attrs.field(default=one.default) for one in fields},
        class_body={"__attrs_post_init__": hand_over},
        slots=True,
        weakref_slot=False,
        eq=False,
        repr=False,
    )
    return cast("Callable[P, T]", draft)


new_quote = _constructor_of(QuoteEvent)
new_market_trade = _constructor_of(MarketTradeEvent)
new_depth = _constructor_of(DepthEvent)
