"""What a subscription names: one type or several, and what is none."""

import pytest

from tradeforge_core import MarketDataType, NotSupported, UserDataType
from tradeforge_core.streams.topics import topics_of

QUOTE, TRADE = MarketDataType.QUOTE, MarketDataType.TRADE
SUPPORTED = [TRADE, QUOTE]


def test_one_type_needs_no_list() -> None:
    assert topics_of("ABC", QUOTE, SUPPORTED) == topics_of("ABC", [QUOTE], SUPPORTED)
    assert len(topics_of(["1", "2"], UserDataType.ORDER_UPDATE, list(UserDataType))) == 2


def test_the_word_for_a_type_is_the_type() -> None:
    for given in ("quote", ["quote"]):
        (topic,) = topics_of("ABC", given, SUPPORTED)  # type: ignore[arg-type]
        assert topic.kind is QUOTE


@pytest.mark.parametrize("given", ["quotes", ["quotes"], [QUOTE, "quotes"], ["quotes", None]])
def test_what_is_no_type_is_named_whole(given: object) -> None:
    with pytest.raises(ValueError, match="'quotes' is no type of data; .* has: quote, trade"):
        topics_of("ABC", given, SUPPORTED)  # type: ignore[arg-type]


def test_a_type_of_the_other_stream_is_not_supported() -> None:
    with pytest.raises(NotSupported, match="no stream of order_update$"):
        topics_of("ABC", UserDataType.ORDER_UPDATE, SUPPORTED)
