"""The demo: the whole job on a local venue, and three ways to watch it."""
