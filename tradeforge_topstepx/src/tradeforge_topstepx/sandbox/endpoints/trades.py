"""Trade: the fills of an account, newest first."""

from tradeforge_topstepx.sandbox import refusals, wire
from tradeforge_topstepx.sandbox.bodies import TradePeriod, aware
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Payload
from tradeforge_topstepx.sandbox.venue import Venue


def search(venue: Venue, body: TradePeriod) -> Payload:
    fills = venue.books.fills(body.accountId)
    if body.startTimestamp is not None:
        fills = [one for one in fills if one.time >= aware(body.startTimestamp)]
    if body.endTimestamp is not None:
        fills = [one for one in fills if one.time <= aware(body.endTimestamp)]
    newest_first = sorted(fills, key=lambda one: one.id, reverse=True)
    return {"trades": [wire.trade(one) for one in newest_first]}


ENDPOINTS = (Endpoint("/api/Trade/search", TradePeriod, search, ("trades",), refusals.LIST),)
