"""Position: what is open, and closing all or a part of it at the market."""

from tradeforge_testing.exchange import ExchangeOrder
from tradeforge_topstepx.sandbox import refusals, wire
from tradeforge_topstepx.sandbox.bodies import OfAccount, PartOfPosition, PositionOf
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Failure, Payload
from tradeforge_topstepx.sandbox.venue import Venue


def search_open(venue: Venue, body: OfAccount) -> Payload:
    listed = venue.exchange.instruments
    held = venue.books.positions(body.accountId)
    rows = [wire.position(one, wire.display_name(listed[one.instrument_id])) for one in held]
    return {"positions": rows}


def close(venue: Venue, body: PositionOf) -> Payload:
    """Working orders stay; the order that closes has no tag and its id is not told."""
    order = venue.exchange.close_position(body.accountId, body.contractId)
    return _outcome(order, refusals.CLOSE)


def close_part(venue: Venue, body: PartOfPosition) -> Payload:
    order = venue.exchange.close_position(body.accountId, body.contractId, body.size)
    return _outcome(order, refusals.CLOSE_PART)


def _outcome(order: ExchangeOrder, codes: refusals.Refusals) -> Payload:
    if order.reject is not None:
        raise Failure(*codes[order.reject])
    return {}


ENDPOINTS = (
    Endpoint("/api/Position/searchOpen", OfAccount, search_open, ("positions",), refusals.LIST),
    Endpoint("/api/Position/closeContract", PositionOf, close, (), refusals.CLOSE),
    Endpoint(
        "/api/Position/partialCloseContract", PartOfPosition, close_part, (), refusals.CLOSE_PART
    ),
)
