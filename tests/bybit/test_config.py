"""The settings of Bybit, good and bad."""

import importlib.util
from pathlib import Path

import pytest

from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.sites import SITES
from tradeforge_core import ConfigError, Settings, load_provider

GOOD = {
    "BYBIT_API_KEY": "k3y-of-mine",
    "BYBIT_API_SECRET": "s3cret-of-mine",
    "BYBIT_ENVIRONMENT": "mainnet",
}
SANDBOX = {
    "BYBIT_REST_URL": "http://127.0.0.1:5000",
    "BYBIT_PUBLIC_URL": "ws://127.0.0.1:5000/v5/public",
    "BYBIT_PRIVATE_URL": "ws://127.0.0.1:5000/v5/private",
    "BYBIT_TRADE_URL": "ws://127.0.0.1:5000/v5/trade/",
}


def config(**changes: str) -> BybitConfig:
    return BybitConfig.from_settings(Settings("bybit", GOOD | changes))


def test_each_environment_has_its_urls() -> None:
    assert config().rest_url == "https://api.bybit.com"
    assert config().public_url == "wss://stream.bybit.com/v5/public"
    assert config().private_url == "wss://stream.bybit.com/v5/private"
    assert config().trade_url == "wss://stream.bybit.com/v5/trade"
    testnet = config(BYBIT_ENVIRONMENT="TestNet")
    assert testnet.environment == "testnet"
    assert testnet.rest_url == "https://api-testnet.bybit.com"
    assert testnet.private_url == "wss://stream-testnet.bybit.com/v5/private"


def test_the_demo_has_the_prices_of_the_mainnet_and_no_socket_for_orders() -> None:
    demo = config(BYBIT_ENVIRONMENT="demo")
    assert demo.rest_url == "https://api-demo.bybit.com"
    assert demo.public_url == "wss://stream.bybit.com/v5/public"
    assert demo.private_url == "wss://stream-demo.bybit.com/v5/private"
    assert demo.trade_url is None


def test_orders_of_the_demo_go_by_rest_only() -> None:
    with pytest.raises(ConfigError, match="BYBIT_ORDER_ENTRY=socket is not there"):
        config(BYBIT_ENVIRONMENT="demo", BYBIT_ORDER_ENTRY="socket")


def test_a_site_has_hosts_of_its_own() -> None:
    turkey = config(BYBIT_SITE="TR")
    assert (turkey.rest_url, turkey.private_url) == (
        "https://api.bybit.tr",
        "wss://stream.bybit.tr/v5/private",
    )
    assert config(BYBIT_SITE="global").rest_url == config().rest_url


def test_the_hosts_of_a_site_are_all_of_one_kind() -> None:
    for hosts in SITES.values():
        assert hosts.rest.startswith("https://api.")
        assert hosts.public.removesuffix("public") == hosts.private.removesuffix("private")


def test_only_the_mainnet_has_sites() -> None:
    with pytest.raises(ConfigError, match="exclude each other") as caught:
        config(BYBIT_SITE="nl", BYBIT_ENVIRONMENT="testnet")
    assert caught.value.variables == ("BYBIT_SITE", "BYBIT_ENVIRONMENT")


def test_a_site_in_the_environment_does_not_keep_anyone_from_a_sandbox() -> None:
    ours = config(BYBIT_SITE="nl", BYBIT_ENVIRONMENT="testnet", **SANDBOX)
    assert ours.rest_url == "http://127.0.0.1:5000"


def test_every_url_can_be_set() -> None:
    ours = config(**SANDBOX)
    assert ours.public_url == "ws://127.0.0.1:5000/v5/public"
    assert ours.trade_url == "ws://127.0.0.1:5000/v5/trade"


def test_what_is_not_set_has_a_default() -> None:
    assert config().category == "linear"
    assert config().order_entry == "rest"
    assert config(BYBIT_CATEGORY="Spot", BYBIT_ORDER_ENTRY="SOCKET").category == "spot"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BYBIT_ENVIRONMENT", "live", "must be mainnet or testnet or demo, not 'live'"),
        ("BYBIT_CATEGORY", "option", "must be linear or inverse or spot, not 'option'"),
        ("BYBIT_ORDER_ENTRY", "both", "must be rest or socket"),
        ("BYBIT_SITE", "us", "must be global or"),
        ("BYBIT_API_KEY", "two words", "characters that no key has"),
        ("BYBIT_API_KEY", "k\ney", "characters that no key has"),
        ("BYBIT_REST_URL", "wss://a.example", "begins with https://"),
        ("BYBIT_REST_URL", "https://a.example:99999", "is not a URL"),
        ("BYBIT_REST_URL", "https://a b.example", "is not a URL"),
        ("BYBIT_PUBLIC_URL", "https://a.example", "begins with wss://"),
        ("BYBIT_TRADE_URL", "ws://a.example/v5/trade", "unencrypted to a.example"),
        ("BYBIT_REST_URL", "http://a.example", "unencrypted to a.example"),
        ("BYBIT_PRIVATE_URL", "wss://me:word@a.example", "a user name or a password"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        config(**{variable: value})
    assert variable in caught.value.variables
    assert "word" not in str(caught.value).partition("password")[0]


def test_the_environment_has_no_default() -> None:
    """Nobody may trade with real money because he forgot a setting."""
    with pytest.raises(ConfigError, match="BYBIT_ENVIRONMENT is not set"):
        config(BYBIT_ENVIRONMENT="")


def test_a_missing_setting_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in GOOD:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError) as caught:
        load_provider("bybit", settings={"BYBIT_API_KEY": "k"})
    assert caught.value.variables == ("BYBIT_API_SECRET", "BYBIT_ENVIRONMENT")
    assert "tradeforge sandbox bybit" in str(caught.value)


def test_two_ways_to_sign_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="BYBIT_API_SECRET and BYBIT_PRIVATE_KEY exclude"):
        config(BYBIT_PRIVATE_KEY="-----BEGIN PRIVATE KEY-----")


def test_a_key_of_your_own_can_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN PRIVATE KEY-----\nMII\n")
    ours = config(BYBIT_API_SECRET="", BYBIT_PRIVATE_KEY_FILE=str(file))
    assert ours.private_key.reveal() == file.read_text()
    assert not ours.api_secret


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="BYBIT_PRIVATE_KEY_FILE cannot be read"):
        config(BYBIT_API_SECRET="", BYBIT_PRIVATE_KEY_FILE=str(file))


def test_the_repr_says_nothing_of_you() -> None:
    said = repr(config())
    assert "k3y" not in said and "s3cret" not in said


def test_the_provider_is_found_by_its_name_and_imports_late() -> None:
    assert load_provider("bybit", settings=GOOD).name == "bybit"
    assert importlib.util.find_spec("tradeforge_bybit.plugin") is not None
