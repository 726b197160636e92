"""The Bybit provider: the v5 API of a unified account behind the interface of `tradeforge_core`.

Use it by `tradeforge_core.load_provider("bybit")`.
"""
