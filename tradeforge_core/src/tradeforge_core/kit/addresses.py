"""Addresses from the settings: what cannot be one, or is not safe, is refused when it is read."""

from urllib.parse import SplitResult, urlsplit

import httpx

from tradeforge_core.errors import ConfigError

HTTP = ("https", "http")
SOCKET = ("wss", "ws")
_PLAIN = ("http", "ws")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked_url(variable: str, url: str, schemes: tuple[str, ...], *, login: str) -> str:
    """The URL without a slash at its end. Raises `ConfigError`, which names the variable.

    `login` is what to use in place of a user name in the URL. No message has any of the URL: a
    password may be in there.
    """
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
            f" (the login is {login})",
            variables=[variable],
        )
    if parts.scheme in _PLAIN and parts.hostname not in _LOOPBACK:
        raise ConfigError(
            f"{variable} would send your credentials unencrypted to {parts.hostname}:"
            " use https or wss (the plain ones are for a sandbox on this machine only)",
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
