"""Account: the accounts of the user."""

from tradeforge_topstepx.sandbox import wire
from tradeforge_topstepx.sandbox.bodies import SearchAccounts
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Payload
from tradeforge_topstepx.sandbox.venue import Venue


def search(venue: Venue, body: SearchAccounts) -> Payload:
    accounts = venue.exchange.accounts()
    shown = [one for one in accounts if one.can_trade or not body.onlyActiveAccounts]
    return {"accounts": [wire.account(one) for one in shown]}


ENDPOINTS = (Endpoint("/api/Account/search", SearchAccounts, search, ("accounts",)),)
