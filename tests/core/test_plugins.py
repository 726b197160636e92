"""Add-ons: a check that breaks refuses, an observer that breaks harms nothing."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from tradeforge_core import (
    HttpRequestDetails,
    OrderContext,
    OrderRequest,
    OrderSide,
    PluginLoadError,
    Plugins,
    StatusChanged,
    StreamConnectionStatus,
    Veto,
    hookimpl,
    hookspecs,
)
from tradeforge_core.orders.intents import Operation
from tradeforge_core.outcomes import NotSent
from tradeforge_core.plugins import new_manager

if TYPE_CHECKING:
    from tests.core.conftest import Install, Make

ORDER = OrderRequest.market("1", "ABC", OrderSide.BUY, 1)
DETAILS = HttpRequestDetails(provider="acme", method="GET", path="/x", status=200, seconds=0.1)
OUTCOME = NotSent(
    client_order_id="mine",
    operation=Operation.PLACE,
    account_id="1",
    reason="no room",
    time=datetime(2026, 3, 2, 14, 30, tzinfo=UTC),
)


def _change(make: "Make") -> StatusChanged:
    return StatusChanged(
        stream="market",
        status=StreamConnectionStatus.LIVE,
        previous=StreamConnectionStatus.SUBSCRIBING,
        generation=1,
        received=make.quote().received,
    )


def _check(name: str, check: Any) -> object:
    """An add-on of one check, made of a function of the arguments that it wants."""
    return type(name, (), {"tradeforge_check_order": staticmethod(hookimpl(check))})()


async def _vetoes(make: "Make", *add_ons: object) -> list[str]:
    plugins = Plugins(add_ons, installed=False)
    context = OrderContext(provider="acme", contract=make.contract())
    return await plugins.vetoes(ORDER, context)


async def test_without_add_ons_nothing_is_refused(make: "Make") -> None:
    assert await _vetoes(make) == []


async def test_every_reason_is_collected(make: "Make") -> None:
    async def later(request: OrderRequest) -> Veto:
        return Veto(f"{request.size} is too many")

    def broken() -> None:
        raise ZeroDivisionError("no limit")

    async def broken_later() -> None:
        raise RuntimeError("no answer")

    reasons = await _vetoes(
        make,
        _check("First", lambda context: Veto(f"not at {context.provider}")),
        _check("Second", later),
        _check("Third", lambda: None),
        _check("Fourth", broken),
        _check("Fifth", broken_later),
        _check("Sixth", lambda: "yes"),
        _check("Seventh", lambda: False),
    )
    told = "\n".join(reasons)
    assert len(reasons) == 6
    assert "not at acme" in told
    assert "1 is too many" in told
    assert "Fourth failed: ZeroDivisionError('no limit')" in told
    assert "Fifth failed: RuntimeError('no answer')" in told
    assert "answered 'yes', which is neither a Veto nor None" in told
    assert "answered False" in told


@pytest.mark.parametrize("answer", [0, "", [], True, Veto, ("a",)])
async def test_only_none_lets_it_through(make: "Make", answer: object) -> None:
    assert len(await _vetoes(make, _check("Odd", lambda: answer))) == 1


async def test_a_veto_without_a_reason_is_a_veto(make: "Make") -> None:
    assert await _vetoes(make, _check("Terse", lambda: Veto(""))) == [""]


class Observer:
    """Sees all there is to see."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @hookimpl
    def tradeforge_order_outcome(self, provider: str, outcome: object) -> None:
        self.seen.append((provider, outcome))

    @hookimpl
    def tradeforge_event(self, provider: str, event: object) -> None:
        self.seen.append((provider, event))

    @hookimpl
    def tradeforge_status(self, provider: str, change: object) -> None:
        self.seen.append((provider, change))

    @hookimpl
    def tradeforge_health(self, provider: str, event: object) -> None:
        self.seen.append((provider, event))

    @hookimpl
    def tradeforge_http_request(self, details: object) -> None:
        self.seen.append(details)


class Clumsy:
    @hookimpl
    def tradeforge_order_outcome(self) -> None:
        raise ValueError("outcome")

    @hookimpl
    def tradeforge_event(self) -> None:
        raise ValueError("event")

    @hookimpl
    def tradeforge_status(self) -> None:
        raise ValueError("status")

    @hookimpl
    def tradeforge_health(self) -> None:
        raise ValueError("health")

    @hookimpl
    def tradeforge_http_request(self) -> None:
        raise ValueError("request")


def test_a_broken_observer_is_logged_and_harms_nobody(
    make: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    before, after = Observer(), Observer()
    plugins = Plugins([before, Clumsy(), after], installed=False)
    event, change = make.quote(), _change(make)
    with caplog.at_level(logging.ERROR, "tradeforge_core"):
        plugins.saw_outcome("acme", OUTCOME)
        plugins.saw_event("acme", event)
        plugins.saw_status("acme", change)
        plugins.saw_health("acme", change)
        plugins.saw_http_request(DETAILS)
    changes = [("acme", change)] * 2
    expected = [("acme", OUTCOME), ("acme", event), *changes, DETAILS]
    assert before.seen == after.seen == expected
    assert [record.message.partition(" in ")[2] for record in caplog.records] == [
        "tradeforge_order_outcome",
        "tradeforge_event",
        "tradeforge_status",
        "tradeforge_health",
        "tradeforge_http_request",
    ]
    assert all(record.exc_info for record in caplog.records)


def test_a_hook_may_take_fewer_arguments(make: "Make") -> None:
    seen: list[str] = []

    class Modest:
        @hookimpl
        def tradeforge_event(self, provider: str) -> None:
            seen.append(provider)

        @hookimpl
        def tradeforge_status(self) -> None:
            seen.append("status")

    plugins = Plugins([Modest()], installed=False)
    plugins.saw_event("acme", make.quote())
    plugins.saw_status("acme", _change(make))
    assert seen == ["acme", "status"]


def test_a_misspelt_hook_is_an_error() -> None:
    class Misspelt:
        @hookimpl
        def tradeforge_chek_order(self) -> None: ...

    with pytest.raises(pluggy.PluginValidationError, match="tradeforge_chek_order"):
        Plugins([Misspelt()], installed=False)


def test_a_hook_that_wants_what_there_is_not_is_an_error() -> None:
    class Greedy:
        @hookimpl
        def tradeforge_event(self, password: str) -> None: ...

    with pytest.raises(pluggy.PluginValidationError, match="password"):
        Plugins([Greedy()], installed=False)


def test_whether_anybody_watches_events() -> None:
    assert not Plugins(installed=False).watches_events
    assert not Plugins([_check("Check", lambda: None)], installed=False).watches_events
    assert Plugins([Observer()], installed=False).watches_events


def test_every_hook_is_tried_by_a_test() -> None:
    tried = {name for name in (*vars(Observer), "tradeforge_check_order", "tradeforge_provider")}
    hooks = {name for name in vars(hookspecs) if name.startswith("tradeforge_")}
    assert hooks == {name for name in tried if name.startswith("tradeforge_")}
    assert all(getattr(new_manager().hook, name).spec for name in hooks)


ADD_ON = """
from tradeforge_core import Veto, hookimpl

@hookimpl
def tradeforge_check_order(request):
    return Veto("installed")
"""


async def test_installed_add_ons_are_in_force(make: "Make", installed: "Install") -> None:
    modules = {"addon_good": ADD_ON}
    installed("acme-guard", "tradeforge.plugins", {"guard": "addon_good"}, modules)
    context = OrderContext(provider="acme", contract=make.contract())
    assert await Plugins().vetoes(ORDER, context) == ["installed"]
    assert await Plugins(installed=False).vetoes(ORDER, context) == []


async def test_an_add_on_that_is_installed_and_handed_in_counts_once(
    make: "Make", installed: "Install"
) -> None:
    import importlib

    modules = {"addon_twice": ADD_ON}
    installed("acme-guard", "tradeforge.plugins", {"guard": "addon_twice"}, modules)
    context = OrderContext(provider="acme", contract=make.contract())
    plugins = Plugins([importlib.import_module("addon_twice")])
    assert await plugins.vetoes(ORDER, context) == ["installed"]


@pytest.mark.parametrize(
    "source", ["1 / 0", "import a_module_that_is_nowhere", "def oops(:"], ids=["0", "1", "2"]
)
def test_a_broken_add_on_stops_everything(
    installed: "Install", source: str, request: pytest.FixtureRequest
) -> None:
    module = f"addon_broken_{request.node.callspec.id}"
    installed("acme-guard", "tradeforge.plugins", {"guard": module}, {module: source}, version="3")
    with pytest.raises(PluginLoadError, match="'guard' of acme-guard 3") as caught:
        Plugins()
    assert caught.value.__cause__ is not None
    with pytest.raises(PluginLoadError):
        Plugins()  # also the second time
    Plugins(installed=False)
