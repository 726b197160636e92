"""What somebody would write with pydantic: the events of TradeForge, validated from the message."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Quote(_Frozen):
    bid: Decimal | None = Field(default=None, alias="bestBid")
    ask: Decimal | None = Field(default=None, alias="bestAsk")
    last: Decimal | None = Field(default=None, alias="lastPrice")
    volume: Decimal | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    change: Decimal | None = None
    change_percent: Decimal | None = Field(default=None, alias="changePercent")
    time: datetime | None = Field(default=None, alias="lastUpdated")


class DepthRow(_Frozen):
    type: int
    price: Decimal | None = None
    size: Decimal | None = Field(default=None, alias="volume")
    time: datetime | None = Field(default=None, alias="timestamp")


class Trade(_Frozen):
    price: Decimal
    size: Decimal = Field(alias="volume")
    type: int
    time: datetime | None = Field(default=None, alias="timestamp")


class QuoteEvent(_Frozen):
    contract_id: str
    data: Quote


class DepthEvent(_Frozen):
    contract_id: str
    data: list[DepthRow | None]


class TradeEvent(_Frozen):
    contract_id: str
    data: list[Trade | None]


MODELS: dict[str, Any] = {"quotes": QuoteEvent, "depth": DepthEvent, "trades": TradeEvent}
