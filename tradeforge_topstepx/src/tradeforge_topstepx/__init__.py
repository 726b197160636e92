"""The TopStepX provider: the ProjectX Gateway API behind the interface of `tradeforge_core`.

Use it by `tradeforge_core.load_provider("topstepx")`.
"""
