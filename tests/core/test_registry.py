"""From a name to a provider, with real distributions in a folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tradeforge_core import (
    ConfigError,
    ProviderLoadError,
    ProviderNotFound,
    Sandbox,
    installed_providers,
    load_provider,
    load_sandbox,
)

if TYPE_CHECKING:
    from tests.core.conftest import Install

PROVIDERS = "tradeforge.providers"
SANDBOXES = "tradeforge.sandboxes"

PROVIDER = """
from types import SimpleNamespace

from tradeforge_core import ProviderInfo, hookimpl

def create(settings, plugins):
    return SimpleNamespace(settings=settings, plugins=plugins)

@hookimpl
def tradeforge_provider():
    return ProviderInfo(name="acme", title="Acme", create=create)
"""
SANDBOX = """
from tradeforge_core import Sandbox

class AcmeSandbox(Sandbox):
    def __init__(self, port, seed):
        self.port, self.seed = port, seed
    @property
    def settings(self):
        return {}
    @property
    def symbol(self):
        return "ACME"
    async def __aenter__(self):
        return self
    async def __aexit__(self, *exc_info):
        pass

def create(*, port, seed, control):
    return AcmeSandbox(port, seed)
"""


def test_a_provider_gets_the_settings_and_the_add_ons(installed: "Install") -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_one"}, {"acme_one": PROVIDER})
    add_on = object()
    created: object = load_provider("acme", {"ACME_KEY": "k"}, plugins=[add_on])
    settings, plugins = created.settings, created.plugins  # type: ignore[attr-defined]
    assert settings["ACME_KEY"] == "k"
    assert plugins is not None


def test_an_unknown_name_is_answered_with_what_to_do(installed: "Install") -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_two"})
    with pytest.raises(ProviderNotFound) as caught:
        load_provider("acne")
    message = str(caught.value)
    assert "'acne'" in message
    assert "Did you mean 'acme'" in message
    assert "acme" in message.partition("Installed: ")[2]
    assert "pip install 'tradeforge-acme'" in message


def test_a_name_like_no_other_is_not_compared(installed: "Install") -> None:
    with pytest.raises(ProviderNotFound) as caught:
        load_provider("zzzzzz")
    assert "Did you mean" not in str(caught.value)
    assert "pip install 'tradeforge-zzzzzz'" in str(caught.value)


@pytest.mark.parametrize("name", ["", "ACME", "../acme", "acme ", "acme\n"])
def test_a_name_is_matched_exactly(installed: "Install", name: str) -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_three"}, {"acme_three": PROVIDER})
    with pytest.raises(ProviderNotFound):
        load_provider(name)


@pytest.mark.parametrize("name", [None, 5, ["acme"]])
def test_a_name_is_text(name: object) -> None:
    with pytest.raises(TypeError, match="the name of a provider is a str"):
        load_provider(name)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the name of a sandbox is a str"):
        load_sandbox(name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("s3cret", "settings map names to values.*: they are not str"),
        (["s3cret"], "settings map names to values.*: they are not list"),
        ({"ACME_KEY": 7331}, "the value of the setting 'ACME_KEY' is a str, not int"),
        ({"ACME_KEY": None}, "the value of the setting 'ACME_KEY' is a str, not NoneType"),
        ({7331: "s3cret"}, "the name of a setting is a str, not int"),
    ],
)
def test_settings_are_a_mapping_of_text(settings: object, said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        load_provider("acme", settings)  # type: ignore[arg-type]
    assert "s3cret" not in str(caught.value)
    assert "7331" not in str(caught.value)


def test_a_broken_provider_is_listed_and_not_imported(installed: "Install") -> None:
    installed(
        "tradeforge-acme",
        PROVIDERS,
        {"acme": "acme_broken"},
        {"acme_broken": "raise RuntimeError('never import me')"},
        version="2.5",
    )
    (listed,) = [one for one in installed_providers() if one.name == "acme"]
    assert (listed.distribution, listed.version) == ("tradeforge-acme", "2.5")
    assert (listed.module, listed.has_sandbox) == ("acme_broken", False)
    assert "acme_broken" not in sys.modules


def test_a_malformed_entry_does_not_hide_the_others(installed: "Install") -> None:
    installed("tradeforge-bad", PROVIDERS, {"bad": "not-a-module:thing"})
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_four"}, folder="other")
    names = [one.name for one in installed_providers()]
    assert "bad" in names
    assert "acme" in names
    with pytest.raises(ProviderLoadError, match="tradeforge-bad 1.0"):
        load_provider("bad")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import a_module_that_is_nowhere", "ModuleNotFoundError"),
        ("def oops(:", "SyntaxError"),
    ],
)
def test_what_breaks_an_import_is_told(installed: "Install", source: str, said: str) -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_five"}, {"acme_five": source})
    with pytest.raises(ProviderLoadError) as caught:
        load_provider("acme")
    message = str(caught.value)
    assert "tradeforge-acme 1.0" in message
    assert said in message
    assert caught.value.__cause__ is not None
    sys.modules.pop("acme_five", None)


def _answering(answer: str) -> str:
    return f"""
from tradeforge_core import ConfigError, ProviderInfo, hookimpl

def late(settings, plugins):
    import a_module_that_is_nowhere

def refusing(settings, plugins):
    raise ConfigError("KEY is not set", variables=["KEY"])

@hookimpl
def tradeforge_provider():
    {answer}
"""


@pytest.mark.parametrize(
    ("number", "answer"),
    [*enumerate(["return 'nonsense'", "return None", "return {}", "raise KeyError('lost')"])],
)
def test_a_hook_that_answers_nonsense(installed: "Install", number: int, answer: str) -> None:
    module = f"acme_nonsense_{number}"
    installed("tradeforge-acme", PROVIDERS, {"acme": module}, {module: _answering(answer)})
    with pytest.raises(ProviderLoadError, match="tradeforge-acme 1.0"):
        load_provider("acme")


def test_a_module_without_the_hook(installed: "Install") -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_no_hook"}, {"acme_no_hook": "x = 1"})
    with pytest.raises(ProviderLoadError, match="tradeforge_provider"):
        load_provider("acme")


def test_a_hook_that_asks_for_what_there_is_not(installed: "Install") -> None:
    source = _answering("return 1").replace("tradeforge_provider()", "tradeforge_provider(name)")
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_wants"}, {"acme_wants": source})
    with pytest.raises(ProviderLoadError, match="tradeforge-acme 1.0"):
        load_provider("acme")


def test_what_is_imported_late_and_missing_is_told_too(installed: "Install") -> None:
    source = _answering("return ProviderInfo(name='acme', title='Acme', create=late)")
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_late"}, {"acme_late": source})
    with pytest.raises(ProviderLoadError, match="a_module_that_is_nowhere"):
        load_provider("acme")


def test_an_error_of_the_settings_stays_what_it_is(installed: "Install") -> None:
    source = _answering("return ProviderInfo(name='acme', title='Acme', create=refusing)")
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_key"}, {"acme_key": source})
    with pytest.raises(ConfigError, match="KEY is not set"):
        load_provider("acme")


def test_two_distributions_of_one_name_are_both_named(installed: "Install") -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_six"}, {"acme_six": PROVIDER})
    installed("evil-acme", PROVIDERS, {"acme": "acme_evil"}, {"acme_evil": "1 / 0"}, version="6.6")
    with pytest.raises(ProviderLoadError) as caught:
        load_provider("acme")
    assert "tradeforge-acme 1.0" in str(caught.value)
    assert "evil-acme 6.6" in str(caught.value)
    assert "acme_evil" not in sys.modules
    assert [one.name for one in installed_providers()].count("acme") == 2


def test_a_distribution_that_is_on_the_path_twice_counts_once(installed: "Install") -> None:
    modules = {"acme_seven": PROVIDER}
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_seven"}, modules)
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_seven"}, modules, folder="again")
    load_provider("acme")
    assert [one.name for one in installed_providers()].count("acme") == 1


def test_a_sandbox_is_made_as_asked(installed: "Install") -> None:
    installed("tradeforge-acme", SANDBOXES, {"acme": "acme_box"}, {"acme_box": SANDBOX})
    sandbox = load_sandbox("acme", port=99, seed=3)
    assert isinstance(sandbox, Sandbox)
    assert vars(sandbox) == {"port": 99, "seed": 3}


@pytest.mark.parametrize(
    ("number", "source"), [*enumerate(["import a_module_that_is_nowhere", "x = 1", "create = 3"])]
)
def test_a_broken_sandbox_says_how_to_install_it(
    installed: "Install", number: int, source: str
) -> None:
    module = f"acme_box_{number}"
    installed("tradeforge-acme", SANDBOXES, {"acme": module}, {module: source})
    with pytest.raises(ProviderLoadError, match="sandbox 'acme'") as caught:
        load_sandbox("acme")
    assert "pip install --upgrade 'tradeforge-acme[sandbox]'" in str(caught.value)


def test_an_unknown_sandbox(installed: "Install") -> None:
    with pytest.raises(ProviderNotFound, match=r"tradeforge-zzzzzz\[sandbox\]"):
        load_sandbox("zzzzzz")


def test_a_provider_with_a_sandbox_is_listed_as_such(installed: "Install") -> None:
    installed("tradeforge-acme", PROVIDERS, {"acme": "acme_eight"})
    installed("tradeforge-acme-box", SANDBOXES, {"acme": "acme_box"}, folder="box")
    (listed,) = [one for one in installed_providers() if one.name == "acme"]
    assert listed.has_sandbox


def test_the_path_has_no_such_packages_by_itself(tmp_path: Path) -> None:
    assert "acme" not in [one.name for one in installed_providers()]
