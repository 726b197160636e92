"""The add-ons in force, and how they are called: one by one, so that none can hurt another.

A check that raises is a veto: an order is never let through because its risk check broke. An
observer that raises is logged and never hurts the trade.
"""

import inspect
import logging
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pluggy
from attrs import frozen

from tradeforge_core import hookspecs
from tradeforge_core.errors import PluginLoadError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

    from tradeforge_core.events import Event, HealthEvent, StatusChanged
    from tradeforge_core.models import Contract, OrderRequest
    from tradeforge_core.outcomes import OrderOutcome

ADD_ONS = "tradeforge.plugins"

_log = logging.getLogger("tradeforge_core")


@frozen
class Veto:
    """An add-on's refusal of an order."""

    reason: str


@frozen(kw_only=True)
class OrderContext:
    """What a check may want to know besides the request."""

    provider: str
    contract: "Contract"


@frozen(kw_only=True)
class HttpRequestDetails:
    """One finished request. `status` is None when there was no answer; `error` then says why."""

    provider: str
    method: str
    path: str
    status: int | None
    seconds: float
    error: str | None = None


class Plugins:
    """The installed add-ons together with those handed in."""

    def __init__(self, add_ons: Iterable[object] = (), *, installed: bool = True) -> None:
        self._manager = new_manager()
        for add_on in (*(_installed_add_ons() if installed else ()), *add_ons):
            if not self._manager.is_registered(add_on):
                self._manager.register(add_on)
        self._manager.check_pending()
        self.watches_events = bool(self._manager.hook.tradeforge_event.get_hookimpls())
        """Whether any add-on wants events; known from the start, so that none costs nothing."""

    async def vetoes(self, request: "OrderRequest", context: OrderContext) -> list[str]:
        """Every reason against the order, in the order in which the add-ons were registered."""
        reasons = []
        for name, call in self._calls("tradeforge_check_order", request=request, context=context):
            try:
                answer = call()
                veto = await answer if inspect.isawaitable(answer) else answer
            except Exception as error:  # noqa: BLE001  # whatever breaks in a check is a veto
                reasons.append(f"{name} failed: {error!r}")
                continue
            if isinstance(veto, Veto):
                reasons.append(veto.reason)
            elif veto is not None:
                reasons.append(f"{name} answered {veto!r}, which is neither a Veto nor None")
        return reasons

    def saw_outcome(self, provider: str, outcome: "OrderOutcome") -> None:
        self._observe("tradeforge_order_outcome", provider=provider, outcome=outcome)

    def saw_event(self, provider: str, event: "Event") -> None:
        self._observe("tradeforge_event", provider=provider, event=event)

    def saw_status(self, provider: str, change: "StatusChanged") -> None:
        self._observe("tradeforge_status", provider=provider, change=change)

    def saw_health(self, provider: str, event: "HealthEvent") -> None:
        self._observe("tradeforge_health", provider=provider, event=event)

    def saw_stream_event(self, provider: str, event: "HealthEvent") -> None:
        """Tell those who watch the health, and those who watch events: it is one too."""
        self.saw_health(provider, event)
        if self.watches_events:
            self.saw_event(provider, event)

    def saw_http_request(self, details: HttpRequestDetails) -> None:
        self._observe("tradeforge_http_request", details=details)

    def _observe(self, hook: str, **arguments: object) -> None:
        for name, call in self._calls(hook, **arguments):
            try:
                call()
            except Exception:  # noqa: BLE001  # an observer must never hurt the trade
                _log.exception("the add-on %s failed in %s", name, hook)

    def _calls(self, hook: str, **arguments: object) -> "Iterator[tuple[str, Any]]":
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            wanted = {name: arguments[name] for name in implementation.argnames}
            yield _name(implementation.plugin), _bind(implementation.function, wanted)


def _name(add_on: object) -> str:
    """Of a module its name, of any other object that of its class."""
    return str(getattr(add_on, "__name__", type(add_on).__name__))


def _bind(function: Any, arguments: dict[str, object]) -> Any:
    return lambda: function(**arguments)


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows the hooks of TradeForge and no plugin."""
    manager = pluggy.PluginManager("tradeforge")
    manager.add_hookspecs(hookspecs)
    return manager


def entry_points(group: str) -> "EntryPoints":
    """What the installed distributions offer under the name of the group."""
    # only here: it takes a sixth of the time that the whole import of the core may take
    from importlib import metadata

    return metadata.entry_points(group=group)


@cache
def _installed_add_ons() -> tuple[object, ...]:
    return tuple(_load(entry_point) for entry_point in entry_points(ADD_ONS))


def _load(entry_point: "EntryPoint") -> object:
    try:
        return entry_point.load()
    except Exception as error:
        owner = f"{entry_point.dist.name} {entry_point.dist.version}" if entry_point.dist else "?"
        raise PluginLoadError(
            f"the add-on {entry_point.name!r} of {owner}"
            f" cannot be loaded: {error!r}. Repair or uninstall it: without it an order might pass"
            f" a check that you count on."
        ) from error
