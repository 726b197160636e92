"""What is listed: the pairs and contracts of this venue, and what it says of each."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from tradeforge_bybit.sandbox.literals import text
from tradeforge_testing.exchange import Instrument, Kind

Row = dict[str, Any]

_LAUNCHED = "1585526400000"
_SPOT_NOTIONAL = _NOTIONAL = Decimal(5)


@frozen(kw_only=True)
class Listing:
    """An instrument and the filters that its orders pass."""

    category: str
    symbol: str
    symbol_id: int
    base: str
    quote: str
    settle: str
    instrument: Instrument
    largest: Decimal
    least_value: Decimal
    band: Decimal
    """How far above the last price a buy may be, and how far below it a sell, as a fraction."""

    @property
    def is_spot(self) -> bool:
        return self.category == "spot"

    def row(self) -> Row:
        return _spot_row(self) if self.is_spot else _contract_row(self)


def instrument_id(category: str, symbol: str) -> str:
    return f"{category}:{symbol}"


def listings() -> Mapping[str, Listing]:
    """By the id of the instrument."""
    return {one.instrument.id: one for one in _listed()}


def whole_listings() -> Mapping[str, Listing]:
    """Contracts with lots of one, whose sizes are those of the exchange: for toolkits."""
    listed = [
        _linear("SOL", 20, "0.01", "1", "150", "79770"),
        _linear("BNB", 21, "0.05", "1", "600", "20000"),
    ]
    return {one.instrument.id: one for one in listed}


def _listed() -> Iterator[Listing]:
    yield _linear("BTC", 5, "0.1", "0.001", "60000", "1190")
    yield _linear("ETH", 6, "0.01", "0.01", "3000", "7240")
    yield _inverse("BTC", 1, "0.1", "60000")
    yield _spot("BTC", 9, "0.1", "0.000001", "60000", 1000)
    yield _spot("ETH", 10, "0.01", "0.00001", "3000", 2000)


def _linear(base: str, symbol_id: int, tick: str, lot: str, start: str, largest: str) -> Listing:
    symbol = f"{base}USDT"
    return Listing(
        category="linear",
        symbol=symbol,
        symbol_id=symbol_id,
        base=base,
        quote="USDT",
        settle="USDT",
        instrument=_instrument(
            "linear", symbol, base, tick, lot, start, 10, Decimal(100), maker="0.0002"
        ),
        largest=Decimal(largest),
        least_value=_NOTIONAL,
        band=Decimal("0.01"),
    )


def _inverse(base: str, symbol_id: int, tick: str, start: str) -> Listing:
    symbol = f"{base}USD"
    return Listing(
        category="inverse",
        symbol=symbol,
        symbol_id=symbol_id,
        base=base,
        quote="USD",
        settle=base,
        instrument=_instrument(
            "inverse",
            symbol,
            base,
            tick,
            "1",
            start,
            1000,
            Decimal(100),
            maker="0.0002",
            kind=Kind.INVERSE,
            money=base,
        ),
        largest=Decimal(25_000_000),
        least_value=Decimal(0),
        band=Decimal("0.01"),
    )


def _spot(base: str, symbol_id: int, tick: str, lot: str, start: str, liquidity: int) -> Listing:
    symbol = f"{base}USDT"
    return Listing(
        category="spot",
        symbol=symbol,
        symbol_id=symbol_id,
        base=base,
        quote="USDT",
        settle="USDT",
        instrument=_instrument(
            "spot",
            symbol,
            base,
            tick,
            lot,
            start,
            liquidity,
            None,
            maker="0.001",
            taker="0.001",
            kind=Kind.SPOT,
        ),
        largest=Decimal(83),
        least_value=_SPOT_NOTIONAL,
        band=Decimal("0.01"),
    )


def _instrument(
    category: str,
    symbol: str,
    base: str,
    tick: str,
    lot: str,
    start: str,
    liquidity: int,
    leverage: Decimal | None,
    *,
    maker: str,
    taker: str = "0.00055",
    kind: Kind = Kind.FUTURE,
    money: str = "",
) -> Instrument:
    return Instrument(
        id=instrument_id(category, symbol),
        symbol=symbol,
        root=symbol,
        description=f"{symbol} ({category})",
        tick_size=Decimal(tick),
        tick_value=Decimal(tick) * Decimal(lot),
        start_price=Decimal(start),
        fee=Decimal(0),
        commission=Decimal(0),
        kind=kind,
        lot=Decimal(lot),
        base=base,
        money=money,
        maker_rate=Decimal(maker),
        taker_rate=Decimal(taker),
        max_leverage=leverage,
        liquidity=liquidity,
    )


def _contract_row(listing: Listing) -> Row:
    tick, lot = listing.instrument.tick_size, listing.instrument.lot
    return {
        "symbol": listing.symbol,
        "symbolId": listing.symbol_id,
        "contractType": _CONTRACT_TYPES[listing.category],
        "status": "Trading" if listing.instrument.active else "Closed",
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "launchTime": _LAUNCHED,
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(_scale(tick)),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": "100.00",
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": text(tick),
            "maxPrice": "1999999.80",
            "tickSize": text(tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": text(listing.largest),
            "minOrderQty": text(lot),
            "qtyStep": text(lot),
            "postOnlyMaxOrderQty": text(listing.largest),
            "maxMktOrderQty": text(listing.largest / 2),
            "minNotionalValue": text(listing.least_value),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": listing.settle,
        "copyTrading": "both" if listing.category == "linear" else "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": text(listing.band), "priceLimitRatioY": "0.02"},
        "symbolType": "",
        "displayName": "",
        "forbidUplWithdrawal": False,
    }


_CONTRACT_TYPES = {"linear": "LinearPerpetual", "inverse": "InversePerpetual"}


def _spot_row(listing: Listing) -> Row:
    lot = listing.instrument.lot
    return {
        "symbolId": listing.symbol_id,
        "symbol": listing.symbol,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": "Trading" if listing.instrument.active else "Closed",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": text(lot),
            "quotePrecision": "0.0000001",
            "minOrderQty": text(lot),
            "maxOrderQty": text(listing.largest),
            "minOrderAmt": text(listing.least_value),
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": text(listing.largest),
            "maxMarketOrderQty": text(listing.largest / 2),
            "postOnlyMaxLimitOrderSize": "60000",
        },
        "priceFilter": {"tickSize": text(listing.instrument.tick_size)},
        "riskParameters": {"priceLimitRatioX": text(listing.band), "priceLimitRatioY": "0.02"},
        "symbolType": "",
        "xstockMultiplier": "",
    }


def _scale(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))
