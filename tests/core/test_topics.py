"""What a subscription names: one type or several, and what is none."""

import pytest

from tradeforge_core import (
    BarSpan,
    BarUnit,
    Capabilities,
    MarketDataType,
    NotSupported,
    Topic,
    UserDataType,
    from_json,
    to_json,
)
from tradeforge_core.streams.topics import market_topics, names_of, topics_of

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


FIVE = BarSpan(BarUnit.MINUTE, 5)
BARS = Capabilities(
    market_data=frozenset({QUOTE, MarketDataType.BAR}), live_bars=frozenset({BarSpan(), FIVE})
)


def test_bars_are_of_a_minute_where_nothing_is_said() -> None:
    assert market_topics("ABC", MarketDataType.BAR, BARS) == (
        Topic(MarketDataType.BAR, "ABC", BarSpan(BarUnit.MINUTE, 1)),
    )
    assert market_topics("ABC", ["bar"], BARS) == market_topics("ABC", BarSpan(), BARS)  # type: ignore[list-item]


def test_a_span_stands_in_place_of_a_kind() -> None:
    quote, bar = market_topics("ABC", [QUOTE, FIVE], BARS)
    assert (quote.span, bar) == (None, Topic(MarketDataType.BAR, "ABC", FIVE))
    topics = market_topics(["ABC", "DEF"], [FIVE, BarSpan(), FIVE], BARS)
    assert len(topics) == len(set(topics)) == 4
    assert sorted(topics) == sorted(topics, reverse=True)[::-1]
    assert names_of(topics[:2]) == "bar (1 minute) of ABC, bar (5 minute) of ABC"


def test_a_span_that_is_not_declared_is_not_supported() -> None:
    with pytest.raises(NotSupported, match="no live bars of 2 hour; it has: 1 minute, 5 minute"):
        market_topics("ABC", BarSpan(BarUnit.HOUR, 2), BARS)
    with pytest.raises(NotSupported, match="no live bars of 1 minute; it has: none"):
        market_topics("ABC", MarketDataType.BAR, Capabilities(market_data=BARS.market_data))
    with pytest.raises(NotSupported, match="no stream of bar$"):
        market_topics("ABC", FIVE, Capabilities())


@pytest.mark.parametrize("size", [0, -1])
def test_a_span_is_at_least_one(size: int) -> None:
    with pytest.raises(ValueError, match="'size' must be >= 1"):
        BarSpan(BarUnit.MINUTE, size)


def test_a_topic_is_short_in_json_and_comes_back() -> None:
    plain, bars = Topic(QUOTE, "ABC"), Topic(MarketDataType.BAR, "ABC", FIVE)
    assert to_json(plain) == '["quote", "ABC"]'
    assert to_json(bars) == '["bar", "ABC", {"unit": "minute", "size": 5}]'
    assert [from_json(Topic, to_json(one)) for one in (plain, bars)] == [plain, bars]
