"""The venue's words: where it takes what, how it says no, and how often it may be asked."""

import tradeforge_core as tf
from tradeforge_core.kit.json_rest import Refusals

LOGIN = "/login"
ACCOUNTS = "/accounts"
CONTRACTS = "/contracts"
BARS = "/bars"
PLACE = "/orders/place"
MODIFY = "/orders/modify"
CANCEL = "/orders/cancel"
ORDERS = "/orders"
POSITIONS = "/positions"
CLOSE = "/positions/close"
FILLS = "/fills"
STREAM = "/stream"

REQUESTS_A_MINUTE = 200
MOST_BARS = 5_000

REFUSALS = Refusals(
    status=422,
    words={
        "duplicate_tag": tf.DuplicateClientOrderId,
        "market_closed": tf.MarketClosed,
        "no_position": tf.NotFound,
        "unknown_account": tf.NotFound,
        "unknown_instrument": tf.NotFound,
        "unknown_order": tf.NotFound,
    },
    rest=tf.OrderRejected,
)
