"""What TopStepX needs to know: who you are, and where the gateway is."""

from typing import Self
from urllib.parse import urlsplit

from attrs import field, frozen

from tradeforge_core import ConfigError, Secret, Settings
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_topstepx.firms import DEMO, FIRMS

_URLS = ("TS_REST_URL", "TS_USER_HUB_URL", "TS_MARKET_HUB_URL")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@frozen(kw_only=True)
class AppLogin:
    """The login of an application that the firm has registered, in place of an API key."""

    password: Secret
    device_id: str
    app_id: str
    verify_key: Secret


@frozen(kw_only=True)
class TopStepXConfig:
    """The settings of one TopStepX login. The `capture_` ids are for recording real traffic."""

    username: str
    api_key: Secret
    """Empty where `app` is there."""
    app: AppLogin | None = None
    environment: str
    firm: str = "topstepx"
    rest_url: str
    user_hub_url: str
    market_hub_url: str
    capture_contract_id: str | None = None
    capture_account_id: str | None = None
    timeouts: HttpTimeouts = field(factory=HttpTimeouts)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises `ConfigError`, which names every variable that is missing or wrong."""
        app = _app_login(settings)
        key = () if app else ("TS_API_KEY",)
        username, *_ = settings.require("TS_USERNAME", *key, "TS_ENVIRONMENT")
        environment = settings.choice("TS_ENVIRONMENT", ("LIVE", "DEMO"))
        firm = settings.choice("TS_FIRM", tuple(FIRMS)) if "TS_FIRM" in settings else "topstepx"
        gateway = FIRMS[firm] if environment == "LIVE" else DEMO
        defaults = zip(_URLS, (gateway.rest, gateway.user_hub, gateway.market_hub), strict=True)
        rest, user_hub, market_hub = (
            _checked_url(variable, settings.get(variable, default))
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
            capture_contract_id=settings.get("TS_CAPTURE_CONTRACT_ID"),
            capture_account_id=settings.get("TS_CAPTURE_ACCOUNT_ID"),
        )


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


def _checked_url(variable: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        raise ConfigError(f"{variable} is not a URL: {url!r}", variables=[variable])
    if parts.scheme in ("http", "ws") and parts.hostname not in _LOOPBACK:
        raise ConfigError(
            f"{variable} would send your credentials unencrypted to {parts.hostname}:"
            f" use https (plain http is for a sandbox on this machine only)",
            variables=[variable],
        )
    return url.rstrip("/")
