"""The `tradeforge` command: a demo without an account, and your broker in the terminal."""
