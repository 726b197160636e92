"""The order path: what is checked before an order leaves, and what is known after."""
