"""How this venue answers, where a fault has to look like it."""

import msgspec
from starlette.responses import Response

from tradeforge_bybit.sandbox.answers import envelope
from tradeforge_bybit.sandbox.rest import json_response
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_testing.sandbox.planned_faults import PlannedFault
from tradeforge_testing.sandbox.spoiling import Manners


def manners(venue: Venue) -> Manners:
    def success(path: str) -> Response:
        return json_response(envelope({}, venue.now))

    def enveloped(answer: Response, planned: PlannedFault) -> Response:
        """A failure has no result, whatever was done."""
        assert planned.code is not None
        said = msgspec.json.decode(answer.body)
        result = said["result"] if planned.code == 0 else {}
        text = "OK" if planned.message is None else planned.message
        content = envelope(result, venue.now, code=planned.code, text=text)
        return json_response(content | (planned.body or {}), _kept(answer))

    def problem() -> Response:
        failure = envelope({}, venue.now, code=10001, text="The request is malformed.")
        return json_response(failure)

    return Manners(success=success, envelope=enveloped, problem=problem)


def _kept(answer: Response) -> dict[str, str]:
    """The headers of the limits, which go with every answer."""
    return {name: text for name, text in answer.headers.items() if name.startswith("x-bapi-")}
