"""What proves to the venue that a request is yours: a signature over its very bytes."""

import base64
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from tradeforge_bybit._server_time import ServerTime
from tradeforge_bybit.config import BybitConfig
from tradeforge_core import ConfigError, Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

RECV_WINDOW = 5_000
"""Milliseconds that a request may be under way; what comes later is refused by the venue."""
_SOCKET_EXPIRES = 10_000
"""Milliseconds that a login of a socket may be under way."""

Sign = Callable[[str], str]
"""From a text to its signature, in the letters of a header."""


@frozen
class Signer:
    """Signs with one API key, at the venue's time."""

    api_key: Secret
    _sign: Sign
    _time: ServerTime

    @classmethod
    def of(cls, config: BybitConfig, time: ServerTime) -> "Signer":
        """Raises `ConfigError` for a private key that is none."""
        if config.api_secret:
            return cls(config.api_key, _hmac(config.api_secret), time)
        return cls(config.api_key, _rsa(config.private_key), time)

    def headers(self, payload: str) -> dict[str, str]:
        """Of a REST request that leaves now: the payload is its query or its body, as sent."""
        timestamp, key = str(self._time.milliseconds()), self.api_key.reveal()
        return {
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": timestamp,
            "X-BAPI-RECV-WINDOW": str(RECV_WINDOW),
            "X-BAPI-SIGN": self._sign(f"{timestamp}{key}{RECV_WINDOW}{payload}"),
        }

    def socket_login(self) -> list[str | int]:
        """The arguments of `auth` on a socket that logs in now."""
        expires = self._time.milliseconds() + _SOCKET_EXPIRES
        return [self.api_key.reveal(), expires, self._sign(f"GET/realtime{expires}")]

    def order_header(self) -> dict[str, str]:
        """The header of an order, change or cancel that leaves now by the socket."""
        return {
            "X-BAPI-TIMESTAMP": str(self._time.milliseconds()),
            "X-BAPI-RECV-WINDOW": str(RECV_WINDOW),
        }


def _hmac(secret: Secret) -> Sign:
    def sign(text: str) -> str:
        return hmac.new(secret.reveal().encode(), text.encode(), "sha256").hexdigest()

    return sign


def _rsa(pem: Secret) -> Sign:
    key = _private_key(pem)
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    def sign(text: str) -> str:
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode()

    return sign


def _private_key(pem: Secret) -> "RSAPrivateKey":
    try:  # only here: a key with a secret needs nothing of it
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ConfigError(
            "an RSA key needs an extra: pip install 'tradeforge-bybit[rsa]'", variables=_VARIABLES
        ) from None
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # its text may quote the key
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(
            "the private key is not an RSA key as PEM, without a password", variables=_VARIABLES
        )
    return key


_VARIABLES = ("BYBIT_PRIVATE_KEY", "BYBIT_PRIVATE_KEY_FILE")
