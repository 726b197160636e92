"""What TopStepX needs to know: who you are, and where the gateway is."""

from typing import Self

from attrs import field, frozen

from tradeforge_core import ConfigError, Secret, Settings
from tradeforge_core.kit.addresses import HTTP, SOCKET, checked_url
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_topstepx.firms import DEMO, FIRMS

_URLS = ("TS_REST_URL", "TS_USER_HUB_URL", "TS_MARKET_HUB_URL")
LOSS_DETECTION = ("default", "fast")
"""How soon a dead hub connection is noticed: within 35 s, or within 6 s."""


@frozen(kw_only=True)
class AppLogin:
    """The login of an application that the firm has registered, in place of an API key."""

    password: Secret
    device_id: str = field(repr=False)
    app_id: str = field(repr=False)
    verify_key: Secret


@frozen(kw_only=True)
class TopStepXConfig:
    """The settings of one TopStepX login. The `capture_` ids are for recording real traffic.

    Its repr does not say who you are.
    """

    username: str = field(repr=False)
    api_key: Secret
    """Empty where `app` is there."""
    app: AppLogin | None = None
    environment: str
    firm: str = "topstepx"
    rest_url: str
    user_hub_url: str
    market_hub_url: str
    loss_detection: str = "default"
    capture_contract_id: str | None = None
    capture_account_id: str | None = None
    timeouts: HttpTimeouts = field(factory=HttpTimeouts)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises `ConfigError`, which names every variable that is missing or wrong."""
        settings = settings.stripped()
        app = _app_login(settings)
        key = () if app else ("TS_API_KEY",)
        username, *_ = settings.require("TS_USERNAME", *key, "TS_ENVIRONMENT")
        environment = settings.choice("TS_ENVIRONMENT", ("LIVE", "DEMO"))
        firm = _chosen_firm(settings, environment)
        gateway = FIRMS[firm] if environment == "LIVE" else DEMO
        defaults = zip(_URLS, (gateway.rest, gateway.user_hub, gateway.market_hub), strict=True)
        rest, user_hub, market_hub = (
            checked_url(
                variable,
                settings.get(variable, default),
                HTTP if variable == "TS_REST_URL" else (*SOCKET, *HTTP),
                login="TS_USERNAME and TS_API_KEY",
            )
            for variable, default in defaults
        )
        return cls(
            username=username,
            api_key=Secret(settings.get("TS_API_KEY", "")),
            app=app,
            environment=environment,
            firm=firm,
            rest_url=rest,
            user_hub_url=user_hub,
            market_hub_url=market_hub,
            loss_detection=_loss_detection(settings),
            capture_contract_id=settings.get("TS_CAPTURE_CONTRACT_ID"),
            capture_account_id=settings.get("TS_CAPTURE_ACCOUNT_ID"),
        )


def _loss_detection(settings: Settings) -> str:
    if "TS_LOSS_DETECTION" not in settings:
        return "default"
    return settings.choice("TS_LOSS_DETECTION", LOSS_DETECTION)


def _app_login(settings: Settings) -> AppLogin | None:
    if "TS_APP_ID" not in settings:
        return None
    app_id, password, device_id, verify_key = settings.require(
        "TS_APP_ID", "TS_PASSWORD", "TS_DEVICE_ID", "TS_VERIFY_KEY"
    )
    return AppLogin(
        password=Secret(password),
        device_id=device_id,
        app_id=app_id,
        verify_key=Secret(verify_key),
    )


def _chosen_firm(settings: Settings, environment: str) -> str:
    if "TS_FIRM" not in settings:
        return "topstepx"
    # where every address is given nothing is left to choose: so it is with a sandbox
    if environment == "DEMO" and not all(variable in settings for variable in _URLS):
        raise ConfigError(
            "TS_FIRM and TS_ENVIRONMENT=DEMO exclude each other: DEMO has hosts of its own and"
            " no firm has one. Take out TS_FIRM, or set TS_ENVIRONMENT=LIVE",
            variables=["TS_FIRM", "TS_ENVIRONMENT"],
        )
    return settings.choice("TS_FIRM", tuple(FIRMS))
