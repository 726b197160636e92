"""From the venue's messages to the models: what does not fit becomes a `DecodeError`."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import tradeforge_core as tf
from tradeforge_core.kit.json_words import model_of

_OF_CONTRACT = {"contract_id": "instrument_id"}
_OF_ORDER = {**_OF_CONTRACT, "client_order_id": "tag"}

to_account = partial(model_of, tf.Account)
to_contract = partial(model_of, tf.Contract, size_step=Decimal(1), asset_class=tf.AssetClass.FUTURE)
to_bar = partial(model_of, tf.Bar, partial=False)
to_order = partial(model_of, tf.Order, names=_OF_ORDER)
to_position = partial(model_of, tf.Position, names=_OF_CONTRACT)
to_trade = partial(model_of, tf.Trade, names=_OF_CONTRACT)


def to_event(topic: tf.Topic, row: dict[str, Any], received: datetime) -> tf.Event:
    match topic.kind:
        case tf.MarketDataType.QUOTE:
            return model_of(tf.QuoteEvent, row, _OF_CONTRACT, received=received)
        case tf.UserDataType.ORDER_UPDATE:
            return tf.OrderUpdateEvent(order=to_order(row), received=received)
        case tf.UserDataType.USER_TRADE:
            return tf.UserTradeEvent(trade=to_trade(row), received=received)
        case tf.UserDataType.POSITION_UPDATE:
            return tf.PositionUpdateEvent(position=to_position(row), received=received)
    return tf.AccountUpdateEvent(account=to_account(row), received=received)
