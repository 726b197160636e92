"""The hooks. Mark an implementation with `hookimpl`; take only the arguments you need."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from tradeforge_core.events import Event, HealthEvent, StatusChanged
    from tradeforge_core.models import OrderRequest
    from tradeforge_core.outcomes import OrderOutcome
    from tradeforge_core.plugins import HttpRequestDetails, OrderContext, Veto
    from tradeforge_core.registry import ProviderInfo

_hookspec = pluggy.HookspecMarker("tradeforge")
hookimpl = pluggy.HookimplMarker("tradeforge")


@_hookspec
def tradeforge_provider() -> "ProviderInfo":  # type: ignore[empty-body]
    """The provider of this distribution; only for modules under `tradeforge.providers`."""


@_hookspec
def tradeforge_check_order(
    request: "OrderRequest", context: "OrderContext"
) -> "Veto | None | Awaitable[Veto | None]":
    """Refuse an order by returning, or awaiting, a `Veto`; raising refuses it too."""


@_hookspec
def tradeforge_order_outcome(provider: str, outcome: "OrderOutcome") -> None:
    """See what became of every request that changes something, as soon as it is known."""


@_hookspec
def tradeforge_event(provider: str, event: "Event") -> None:
    """See every event of every subscription; must be quick, and cannot hurt the trade."""


@_hookspec
def tradeforge_status(provider: str, change: "StatusChanged") -> None:
    """See every change of a stream's connection."""


@_hookspec
def tradeforge_health(provider: str, event: "HealthEvent") -> None:
    """See every health event of the streams, and nothing else: data costs nothing."""


@_hookspec
def tradeforge_http_request(details: "HttpRequestDetails") -> None:
    """See every finished request to the venue: method, path, status, duration; no bodies."""
