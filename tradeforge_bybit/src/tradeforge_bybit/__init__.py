"""The Bybit provider: the v5 API behind the interface of `tradeforge_core`."""
