"""The sandbox toolkit: a simulated exchange, and what a venue's sandbox is built from."""
