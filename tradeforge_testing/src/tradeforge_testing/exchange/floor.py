"""The markets of the exchange, and which of them are open."""

from collections.abc import Iterable
from datetime import datetime

from attrs import evolve

from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.records import Instrument
from tradeforge_testing.exchange.refusal import Refused, Reject


class Floor:
    def __init__(self, instruments: Iterable[Instrument], *, seed: int, now: datetime) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.is_session_open = True
        self._seed = seed
        self._markets: dict[str, Market] = {}
        self._halted: set[str] = set()
        for instrument in instruments:
            self.add(instrument, now)

    def add(self, instrument: Instrument, now: datetime) -> None:
        if instrument.id in self._markets:
            raise ValueError(f"{instrument.id}: two instruments have the same id")
        self._markets[instrument.id] = Market(instrument, seed=self._seed, now=now)
        self.instruments[instrument.id] = instrument

    def retire(self, market: Market) -> None:
        """Make the instrument inactive."""
        market.instrument = evolve(market.instrument, active=False)
        self.instruments[market.instrument.id] = market.instrument

    def markets(self) -> list[Market]:
        return list(self._markets.values())

    def market(self, instrument_id: str) -> Market:
        try:
            return self._markets[instrument_id]
        except KeyError:
            raise Refused(Reject.UNKNOWN_INSTRUMENT) from None

    def halt(self, instrument_id: str) -> None:
        self._halted.add(self.market(instrument_id).instrument.id)

    def resume(self, instrument_id: str) -> None:
        self._halted.discard(self.market(instrument_id).instrument.id)

    def is_halted(self, instrument_id: str) -> bool:
        return self.market(instrument_id).instrument.id in self._halted

    def is_open(self, market: Market) -> bool:
        """Whether anything can be traded there now."""
        halted = market.instrument.id in self._halted
        return self.is_session_open and market.instrument.active and not halted
