"""`tradeforge record` and `tradeforge replay`: what happened, as one file."""
