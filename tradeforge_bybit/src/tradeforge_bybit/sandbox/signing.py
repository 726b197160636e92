"""Who asks: the key, the time and the signature of a request, over the very bytes that came."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from hmac import compare_digest
from typing import TYPE_CHECKING

from attrs import define

from tradeforge_bybit.sandbox.answers import Failure, parameter_error

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

DEFAULT_WINDOW = 5000
_AHEAD = 1000
"""Milliseconds by which a client may be ahead of the venue, whatever its window."""


@define
class Credentials:
    """A key with a secret that the venue has made, or with an RSA key of its owner's."""

    api_key: str
    api_secret: str
    _public_key: "RSAPublicKey | None" = None

    def trust(self, pem: str) -> None:
        """Take signatures of this RSA key too, the public one as PEM. Raises `ValueError`."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        key = load_pem_public_key(pem.encode())
        if not isinstance(key, RSAPublicKey):
            raise ValueError("no RSA key: the venue takes no other")
        self._public_key = key

    def have_signed(self, text: bytes, sign: str) -> bool:
        secret = hmac.new(self.api_secret.encode(), text, hashlib.sha256).hexdigest()
        return compare_digest(secret.encode(), sign.encode()) or self._has_signed(text, sign)

    def _has_signed(self, text: bytes, sign: str) -> bool:
        """By the RSA key: PKCS#1 v1.5 over SHA-256, in base64."""
        if self._public_key is None:
            return False
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        try:
            signature = base64.b64decode(sign, validate=True)
            self._public_key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True


def check_request(
    credentials: Credentials, headers: Mapping[str, str], payload: bytes, now: int
) -> None:
    """Raises `Failure` for a request that is not from the owner of the key, or not of now.

    `payload` is the query of a GET and the body of a POST, as they came.
    """
    key, sign = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-sign", "")
    time, window = headers.get("x-bapi-timestamp", ""), headers.get("x-bapi-recv-window", "")
    if not (key and sign and time):
        raise Failure(
            10001,
            f"empty value: apiTimestamp[{time}] apiKey[{key}] apiSignature[{sign}]:"
            " openapi sign params error!",
        )
    if key != credentials.api_key:
        raise Failure(10003, "API key is invalid.")
    check_time(time, window, now)
    if not credentials.have_signed(f"{time}{key}{window}".encode() + payload, sign):
        raise Failure(10004, "error sign! please check your API signature generation algorithm.")


def check_time(time: str, window: str, now: int) -> None:
    """Raises `Failure` for a time outside the window before now and the second after it."""
    if not _is_number(time) or not _is_number(window or "0"):
        raise parameter_error("timestamp or recv_window invalid")
    width = int(window) if window else DEFAULT_WINDOW
    if not now - width <= int(time) < now + _AHEAD:
        raise Failure(
            10002,
            "invalid request, please check your server timestamp or recv_window param."
            f" req_timestamp[{time}],server_timestamp[{now}],recv_window[{width}]",
        )


def check_socket(credentials: Credentials, args: object, now: int) -> None:
    """Raises `Failure` unless the three arguments are the key, a time to come, and its signature.

    Some clients send the time as a number, others as a text.
    """
    if not isinstance(args, list) or len(args) != 3:
        raise Failure(10001, "Params Error")
    key, expires, sign = (str(each) for each in args)
    if key != credentials.api_key:
        raise Failure(10003, "API key is invalid.")
    if not _is_number(expires) or int(expires) <= now:
        raise Failure(10004, "Request expired")
    if not credentials.have_signed(f"GET/realtime{expires}".encode(), sign):
        raise Failure(10004, "Invalid sign")


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < 20
