"""Contract: look for contracts, fetch one, list the front months.

The accounts here only have the simulated data subscription: asked for the live one, there is
nothing to list.
"""

from tradeforge_testing.exchange import Instrument
from tradeforge_topstepx.sandbox import wire
from tradeforge_topstepx.sandbox.bodies import AvailableContracts, ContractById, SearchContracts
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Failure, Payload
from tradeforge_topstepx.sandbox.venue import Venue

CONTRACT_NOT_FOUND = 1
MOST_FOUND = 20


def search(venue: Venue, body: SearchContracts) -> Payload:
    """Whatever has the text somewhere in its name or its description."""
    text = (body.searchText or "").casefold()
    found = [one for one in _listed(venue, live=body.live) if text in _searched(one)]
    return {"contracts": [wire.contract(one) for one in found[:MOST_FOUND]]}


def search_by_id(venue: Venue, body: ContractById) -> Payload:
    instrument = venue.exchange.instruments.get(body.contractId)
    if instrument is None:
        raise Failure(CONTRACT_NOT_FOUND)
    return {"contract": wire.contract(instrument)}


def available(venue: Venue, body: AvailableContracts) -> Payload:
    return {"contracts": [wire.contract(one) for one in _listed(venue, live=body.live)]}


def _listed(venue: Venue, *, live: bool) -> list[Instrument]:
    return [] if live else [one for one in venue.exchange.instruments.values() if one.active]


def _searched(instrument: Instrument) -> str:
    return f"{instrument.symbol} {instrument.description}".casefold()


ENDPOINTS = (
    Endpoint("/api/Contract/search", SearchContracts, search, ("contracts",)),
    Endpoint("/api/Contract/searchById", ContractById, search_by_id, ("contract",)),
    Endpoint("/api/Contract/available", AvailableContracts, available, ("contracts",)),
)
