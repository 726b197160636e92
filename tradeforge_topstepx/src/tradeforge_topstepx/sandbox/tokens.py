"""The bearer tokens: JSON web tokens, signed here, valid for a day, and easy to take back."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import HTTPConnection

from tradeforge_core.kit.chance import random_bits
from tradeforge_core.kit.clock import Clock

LIFETIME = timedelta(hours=24)


class TokenIssuer:
    """Issues tokens, and knows which of them still count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = random_bits(256).to_bytes(32)
        self._revoked: set[str] = set()

    def issue(self, username: str) -> str:
        now = self._clock.now()
        claims = {
            "unique_name": username,
            "jti": f"{random_bits(128):032x}",
            "nbf": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "iat": int(now.timestamp()),
        }
        unsigned = f"{TOKEN_HEAD}.{_encode(claims)}"
        return f"{unsigned}.{self._signature(unsigned)}"

    def accepts(self, token: str | None) -> bool:
        if token is None or token in self._revoked:
            return False
        unsigned, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(unsigned).encode()):
            return False
        return self._clock.now().timestamp() < float(_decode(unsigned.partition(".")[2])["exp"])

    def username(self, token: str) -> str:
        """Who an accepted token was issued to."""
        return str(_decode(token.split(".")[1])["unique_name"])

    def revoke(self, token: str) -> None:
        self._revoked.add(token)

    def expire_all(self) -> None:
        """Refuse every token issued so far; a new login works."""
        self._key = random_bits(256).to_bytes(32)
        self._revoked.clear()

    def _signature(self, unsigned: str) -> str:
        return _base64(hmac.digest(self._key, unsigned.encode(), hashlib.sha256))


def header_token(connection: HTTPConnection) -> str | None:
    """The token of the `Authorization` header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def hub_token(connection: HTTPConnection) -> str | None:
    """The token of a hub request: browsers cannot set headers, so the query counts as well."""
    return header_token(connection) or connection.query_params.get("access_token")


def challenge(token: str | None) -> dict[str, str]:
    """The header that goes with a 401; it only calls a token invalid if there was one."""
    return {"WWW-Authenticate": _INVALID if token else "Bearer"}


_INVALID = 'Bearer error="invalid_token", error_description="The token is not valid any more"'


def _encode(part: dict[str, Any]) -> str:
    return _base64(msgspec.json.encode(part))


def _decode(part: str) -> dict[str, Any]:
    return msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict)


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


TOKEN_HEAD = _encode({"alg": "HS256", "typ": "JWT"})
"""What every token begins with."""
