"""Hello for TradeForge."""
