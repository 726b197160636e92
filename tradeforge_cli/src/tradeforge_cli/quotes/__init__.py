"""Live quotes: what is known of each contract, and three ways to show it."""
