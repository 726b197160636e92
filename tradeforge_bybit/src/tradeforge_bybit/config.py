"""What Bybit needs to know: the key, what signs with it, and where the venue is."""

from pathlib import Path
from typing import Self

from attrs import field, frozen

from tradeforge_bybit.sites import DEMO, SITES, TESTNET, Hosts
from tradeforge_core import ConfigError, Secret, Settings
from tradeforge_core.kit.addresses import HTTP, SOCKET, checked_url
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
        settings = settings.stripped()
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
    return {member: _checked(member, url) for member, url in wanted.items() if url}


def _checked(member: str, url: str) -> str:
    schemes = HTTP if member == "rest" else SOCKET
    return checked_url(_URLS[member], url, schemes, login="BYBIT_API_KEY")


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
