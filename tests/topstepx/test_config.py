"""The settings of TopStepX, good and bad."""

import pytest

from tradeforge_core import ConfigError, Settings, load_provider
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider

GOOD = {"TS_USERNAME": "me", "TS_API_KEY": "k3y-of-mine", "TS_ENVIRONMENT": "live"}


def config(**changes: str) -> TopStepXConfig:
    return TopStepXConfig.from_settings(Settings("topstepx", GOOD | changes))


def test_live_and_demo_have_their_urls() -> None:
    assert config().rest_url == "https://api.topstepx.com"
    assert config().user_hub_url == "https://rtc.topstepx.com/hubs/user"
    assert config().market_hub_url == "https://rtc.topstepx.com/hubs/market"
    assert config(TS_ENVIRONMENT="DEMO").rest_url == "https://gateway-api-demo.s2f.projectx.com"


def test_every_url_can_be_set() -> None:
    ours = config(
        TS_REST_URL="https://rest.example/",
        TS_USER_HUB_URL="wss://hub.example/hubs/user",
        TS_MARKET_HUB_URL="http://127.0.0.1:5000/hubs/market",
    )
    assert ours.rest_url == "https://rest.example"
    assert ours.user_hub_url == "wss://hub.example/hubs/user"
    assert ours.market_hub_url == "http://127.0.0.1:5000/hubs/market"


def test_the_capture_ids_are_optional() -> None:
    assert config().capture_account_id is None
    assert config(TS_CAPTURE_ACCOUNT_ID="12").capture_account_id == "12"
    assert config(TS_CAPTURE_CONTRACT_ID="CON.X").capture_contract_id == "CON.X"


@pytest.mark.parametrize(("value", "seconds"), [("default", 20.0), ("Fast", 1.5), ("", 20.0)])
def test_how_soon_a_loss_is_noticed_can_be_set(value: str, seconds: float) -> None:
    provider = TopStepXProvider(config(TS_LOSS_DETECTION=value))
    assert provider._hub_limits.ping_after == seconds


def test_another_speed_is_refused() -> None:
    with pytest.raises(ConfigError, match="TS_LOSS_DETECTION must be default or fast"):
        config(TS_LOSS_DETECTION="slow")


def test_a_missing_setting_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in GOOD:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError) as caught:
        load_provider("topstepx", settings={"TS_USERNAME": "me"})
    assert caught.value.variables == ("TS_API_KEY", "TS_ENVIRONMENT")
    assert "TS_API_KEY, TS_ENVIRONMENT" in str(caught.value)
    assert "tradeforge sandbox topstepx" in str(caught.value)


@pytest.mark.parametrize("value", ["PROD", "live demo", "1"])
def test_an_unknown_environment_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="TS_ENVIRONMENT must be LIVE or DEMO"):
        config(TS_ENVIRONMENT=value)


@pytest.mark.parametrize("url", ["api.topstepx.com", "ftp://x.example", "https://", "http:///x"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="TS_REST_URL is not a URL"):
        config(TS_REST_URL=url)


@pytest.mark.parametrize("url", ["http://api.topstepx.com", "ws://10.0.0.7/hubs/user"])
def test_credentials_never_leave_the_machine_unencrypted(url: str) -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        config(TS_USER_HUB_URL=url)


def test_the_key_is_not_in_the_repr() -> None:
    assert "k3y-of-mine" not in repr(config())
    assert config().api_key.reveal() == "k3y-of-mine"


def test_the_repr_does_not_say_who_it_is() -> None:
    ours = config(TS_USERNAME="its-me", **APP | {"TS_APP_ID": "my-app", "TS_DEVICE_ID": "my-pc"})
    assert not [one for one in ("its-me", "my-app", "my-pc", *SECRETS) if one in repr(ours)]


SECRETS = ("k3y-of-mine", "pa55word", "v3rify")
APP = {
    "TS_APP_ID": "app",
    "TS_PASSWORD": "pa55word",
    "TS_DEVICE_ID": "device",
    "TS_VERIFY_KEY": "v3rify",
}


def test_a_registered_application_needs_no_key() -> None:
    settings = {"TS_USERNAME": "me", "TS_ENVIRONMENT": "LIVE"} | APP
    ours = TopStepXConfig.from_settings(Settings("topstepx", settings))
    assert ours.app is not None
    assert (ours.app.app_id, ours.app.device_id) == ("app", "device")
    assert ours.app.password.reveal() == "pa55word"
    assert "pa55word" not in repr(ours)
    assert "v3rify" not in repr(ours)


@pytest.mark.parametrize("missing", ["TS_PASSWORD", "TS_DEVICE_ID", "TS_VERIFY_KEY"])
def test_the_login_of_an_application_is_whole_or_refused(missing: str) -> None:
    settings = {"TS_USERNAME": "me", "TS_ENVIRONMENT": "LIVE"} | APP | {missing: ""}
    present = {name: value for name, value in settings.items() if value}
    with pytest.raises(ConfigError, match=missing):
        TopStepXConfig.from_settings(Settings("topstepx", present))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:abc",
        "https://[::1",
        "https://rest.example:99999",
        "https://rest.example:0",
        "https://rest.example\nX: y",
        "https://rest.example\t",
        "https://rest example",
        "https://rest.example/a b",
        "https://rest.example/\x00",
        "https://ü$.example",
        "https://" + "a" * 70_000,
    ],
)
@pytest.mark.parametrize("variable", ["TS_REST_URL", "TS_USER_HUB_URL", "TS_MARKET_HUB_URL"])
def test_a_malformed_url_names_its_variable(variable: str, url: str) -> None:
    address = f"{url}:1" if url.endswith("\t") else url  # blanks at the end are no mistake
    with pytest.raises(ConfigError, match=f"{variable} is not a URL") as caught:
        config(**{variable: address})
    assert caught.value.variables == (variable,)
    with pytest.raises(ConfigError, match=variable):
        config(**{variable: address.replace("https:", "wss:")})


def test_rest_is_not_spoken_over_a_websocket() -> None:
    with pytest.raises(ConfigError, match="TS_REST_URL is not a URL that begins with https://"):
        config(TS_REST_URL="wss://rest.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://me:PA55@rest.example",
        "http://me:PA55@rest.example",
        "ftp://me:PA55@rest.example",
        "https://me:PA55@rest.example:abc",
        "https://me:PA 55@rest.example",
        "https://me:PA55@[::1",
        "https://PA55@rest.example",
        "https://me:PA55",
    ],
)
def test_credentials_in_a_url_are_refused_and_never_shown(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(TS_USER_HUB_URL=url)
    assert caught.value.variables == ("TS_USER_HUB_URL",)
    assert "PA55" not in repr(caught.value)
    assert caught.value.__context__ is None, "it would hold a part of the URL"


def test_blanks_around_a_value_do_not_count() -> None:
    ours = config(TS_USERNAME=" me\n", TS_API_KEY="\tk3y ", TS_REST_URL=" https://rest.example ")
    assert (ours.username, ours.api_key.reveal()) == ("me", "k3y")
    assert ours.rest_url == "https://rest.example"


@pytest.mark.parametrize("blank", [" ", "\t\n"])
def test_nothing_but_blanks_is_not_set(blank: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(TS_USERNAME=blank, TS_API_KEY=blank)
    assert caught.value.variables == ("TS_USERNAME", "TS_API_KEY")
    assert config(TS_FIRM=blank, TS_APP_ID=blank, TS_REST_URL=blank) == config()


def test_a_firm_has_no_demo_of_its_own() -> None:
    with pytest.raises(ConfigError, match="TS_FIRM and TS_ENVIRONMENT=DEMO exclude") as caught:
        config(TS_FIRM="bulenox", TS_ENVIRONMENT="demo")
    assert caught.value.variables == ("TS_FIRM", "TS_ENVIRONMENT")


def test_a_sandbox_can_be_used_next_to_a_firm() -> None:
    urls = {
        "TS_REST_URL": "http://127.0.0.1:5000",
        "TS_USER_HUB_URL": "http://127.0.0.1:5000/hubs/user",
        "TS_MARKET_HUB_URL": "http://127.0.0.1:5000/hubs/market",
    }
    ours = config(TS_FIRM="bulenox", TS_ENVIRONMENT="DEMO", **urls)
    assert ours.rest_url == "http://127.0.0.1:5000"
