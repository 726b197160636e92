"""How the gateway answers, where a fault has to look like it."""

import msgspec
from starlette.responses import Response

from tradeforge_testing.sandbox.planned_faults import PlannedFault
from tradeforge_testing.sandbox.spoiling import Manners
from tradeforge_topstepx.sandbox import endpoints
from tradeforge_topstepx.sandbox.endpoint import envelope
from tradeforge_topstepx.sandbox.rest import json_response, problem

_MEMBERS = {one.path: one.payload for one in endpoints.ALL}


def _success(path: str) -> Response:
    nulls = dict.fromkeys(_MEMBERS.get(path, ()))
    return json_response({**nulls, **envelope(0, None)})


def _enveloped(answer: Response, planned: PlannedFault) -> Response:
    assert planned.code is not None
    members = msgspec.json.decode(answer.body) | (planned.body or {})
    return json_response(members | envelope(planned.code, planned.message))


MANNERS = Manners(
    success=_success,
    envelope=_enveloped,
    problem=lambda: problem("The request field is required."),
)
