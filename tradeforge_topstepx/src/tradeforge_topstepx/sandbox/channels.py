"""What can be subscribed to at the two hubs of the gateway."""

from tradeforge_testing.sandbox.signalr.hub import Channel

USER_CHANNELS = {
    "Accounts": Channel("GatewayUserAccount", None),
    "Orders": Channel("GatewayUserOrder", int),
    "Positions": Channel("GatewayUserPosition", int),
    "Trades": Channel("GatewayUserTrade", int),
}
MARKET_CHANNELS = {
    "ContractQuotes": Channel("GatewayQuote", str),
    "ContractTrades": Channel("GatewayTrade", str),
    "ContractMarketDepth": Channel("GatewayDepth", str),
}
