"""For authors of providers: what every provider needs to reach its venue."""
