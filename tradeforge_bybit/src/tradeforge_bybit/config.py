"""What Bybit needs to know: the key, what signs with it, and where the venue is."""

from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

import httpx
from attrs import field, frozen

from tradeforge_bybit.sites import DEMO, SITES, TESTNET, Hosts
from tradeforge_core import ConfigError, Secret, Settings
from tradeforge_core.kit.http import HttpTimeouts

ENVIRONMENTS = ("mainnet", "testnet", "demo")
CATEGORIES = ("linear", "inverse", "spot")
ORDER_ENTRIES = ("rest", "socket")
"""The way that orders, changes and cancels take to the venue."""
_URLS = {
    "rest": "BYBIT_REST_URL",
    "public": "BYBIT_PUBLIC_URL",
    "private": "BYBIT_PRIVATE_URL",
    "trade": "BYBIT_TRADE_URL",
}
_SIGNERS = ("BYBIT_API_SECRET", "BYBIT_PRIVATE_KEY", "BYBIT_PRIVATE_KEY_FILE")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@frozen(kw_only=True)
class BybitConfig:
    """The settings of one API key. Its repr does not say who you are.

    One of `api_secret` and `private_key` is empty: the other one signs. `public_url` is followed by
    the category; `trade_url` is None where the environment has no socket for orders.
    """

    api_key: Secret
    api_secret: Secret
    private_key: Secret
    """An RSA key as the text of a PEM file."""
    environment: str
    category: str
    """Where a symbol without a category is looked for."""
    rest_url: str
    public_url: str
    private_url: str
    trade_url: str | None
    order_entry: str = "rest"
    timeouts: HttpTimeouts = field(factory=HttpTimeouts)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises `ConfigError`, which names every variable that is missing or wrong."""
        settings = _without_blanks(settings)
        api_key, *_ = settings.require("BYBIT_API_KEY", _signed_by(settings), "BYBIT_ENVIRONMENT")
        environment = settings.choice("BYBIT_ENVIRONMENT", ENVIRONMENTS)
        urls = _urls(settings, environment)
        return cls(
            api_key=Secret(_for_header(api_key)),
            api_secret=Secret(settings.get("BYBIT_API_SECRET", "")),
            private_key=Secret(_private_key(settings)),
            environment=environment,
            category=_choice(settings, "BYBIT_CATEGORY", CATEGORIES),
            rest_url=urls["rest"],
            public_url=urls["public"],
            private_url=urls["private"],
            trade_url=urls.get("trade"),
            order_entry=_order_entry(settings, "trade" in urls),
        )


def _without_blanks(settings: Settings) -> Settings:
    stripped = {name: value.strip() for name, value in settings.items()}
    return Settings(settings.provider, {name: value for name, value in stripped.items() if value})


def _choice(settings: Settings, variable: str, choices: tuple[str, ...]) -> str:
    """The first of the choices where nothing is set."""
    return settings.choice(variable, choices) if variable in settings else choices[0]


def _signed_by(settings: Settings) -> str:
    """The variable that says what signs. Raises `ConfigError` where several do."""
    given = [variable for variable in _SIGNERS if variable in settings]
    if len(given) > 1:
        raise ConfigError(
            f"{' and '.join(given)} exclude each other: a key is either one with a secret or one"
            " that you have made yourself",
            variables=given,
        )
    return given[0] if given else _SIGNERS[0]


def _private_key(settings: Settings) -> str:
    variable = "BYBIT_PRIVATE_KEY_FILE"
    if variable not in settings:
        # in the environment a line break is often written as two characters
        return settings.get("BYBIT_PRIVATE_KEY", "").replace("\\n", "\n")
    try:
        return Path(settings[variable]).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no PEM file"
        raise ConfigError(f"{variable} cannot be read: {what}", variables=[variable]) from None


def _for_header(api_key: str) -> str:
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigError(
            "BYBIT_API_KEY has characters that no key has", variables=["BYBIT_API_KEY"]
        )
    return api_key


def _order_entry(settings: Settings, has_socket: bool) -> str:
    chosen = _choice(settings, "BYBIT_ORDER_ENTRY", ORDER_ENTRIES)
    if chosen == "socket" and not has_socket:
        raise ConfigError(
            "BYBIT_ORDER_ENTRY=socket is not there for BYBIT_ENVIRONMENT=demo: take it out",
            variables=["BYBIT_ORDER_ENTRY", "BYBIT_ENVIRONMENT"],
        )
    return chosen


# --- where it is ---


def _urls(settings: Settings, environment: str) -> dict[str, str]:
    hosts = _hosts(settings, environment)
    wanted = {
        member: settings.get(variable, getattr(hosts, member)) for member, variable in _URLS.items()
    }
    return {member: _checked_url(_URLS[member], url) for member, url in wanted.items() if url}


def _hosts(settings: Settings, environment: str) -> Hosts:
    site = _choice(settings, "BYBIT_SITE", tuple(SITES))
    if environment == "mainnet":
        return SITES[site]
    # where every address is given nothing is left to choose: so it is with a sandbox
    if "BYBIT_SITE" in settings and not all(variable in settings for variable in _URLS.values()):
        raise ConfigError(
            f"BYBIT_SITE and BYBIT_ENVIRONMENT={environment} exclude each other: only the mainnet"
            " has sites. Take out one of them",
            variables=["BYBIT_SITE", "BYBIT_ENVIRONMENT"],
        )
    return DEMO if environment == "demo" else TESTNET


def _checked_url(variable: str, url: str) -> str:
    """The URL without a slash at its end. No message has any of it: a password may be in there."""
    schemes = ("https", "http") if variable == "BYBIT_REST_URL" else ("wss", "ws")
    parts = _parts(url)
    if parts is None or parts.scheme not in schemes:
        raise ConfigError(
            f"{variable} is not a URL that begins with {schemes[0]}://, goes on with a host and"
            " maybe a port, and has no blanks and no control characters",
            variables=[variable],
        )
    if "@" in parts.netloc:
        raise ConfigError(
            f"{variable} has a user name or a password in it: take it out, up to the @"
            " (what identifies you is BYBIT_API_KEY)",
            variables=[variable],
        )
    if parts.scheme in ("http", "ws") and parts.hostname not in _LOOPBACK:
        raise ConfigError(
            f"{variable} would send your orders unencrypted to {parts.hostname}: use {schemes[0]}"
            " (the plain one is for a sandbox on this machine only)",
            variables=[variable],
        )
    return url.rstrip("/")


def _parts(url: str) -> SplitResult | None:
    """None for what cannot be connected to, whatever is at the other end."""
    if not url.isprintable() or " " in url:  # `urlsplit` passes over some of these in silence
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx.URL(url)  # it knows which names a host can have
    except (ValueError, httpx.InvalidURL):
        return None
    return parts if parts.hostname and port != 0 else None
