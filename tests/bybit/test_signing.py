"""Signatures, against vectors that were worked out by hand, and the clock that they bear."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from tradeforge_bybit._server_time import ServerTime
from tradeforge_bybit._signing import Signer
from tradeforge_bybit.config import BybitConfig
from tradeforge_core import ConfigError, Settings
from tradeforge_testing import ManualClock

MADE = 1_700_000_000_000
"""Milliseconds; the vectors are of this time."""


def clock_of_the_vectors() -> ManualClock:
    return ManualClock(datetime.fromtimestamp(MADE / 1000, UTC))


class Corrected(ManualClock):
    """Its wall clock can be set, as that of a machine."""

    correction = timedelta()

    def now(self) -> datetime:
        return super().now() + self.correction


def config(**changes: str) -> BybitConfig:
    settings = {
        "BYBIT_API_KEY": "testkey",
        "BYBIT_API_SECRET": "testsecret",
        "BYBIT_ENVIRONMENT": "testnet",
    }
    return BybitConfig.from_settings(Settings("bybit", settings | changes))


def signer(**changes: str) -> Signer:
    return Signer.of(config(**changes), ServerTime(clock_of_the_vectors()))


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (
            "category=linear&symbol=BTCUSDT",
            "f2f79889fd1201752936b389c890e9d393e01e0311a6d8785fb80753aa26c69b",
        ),
        (
            '{"category":"linear","symbol":"BTCUSDT"}',
            "f42da2d9c4b8c2d6d28353a1599894049533ee04291205fdda32dd85ed4de04b",
        ),
    ],
)
def test_a_request_is_signed_with_the_secret(payload: str, signature: str) -> None:
    assert signer().headers(payload) == {
        "X-BAPI-API-KEY": "testkey",
        "X-BAPI-TIMESTAMP": str(MADE),
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": signature,
    }


def test_the_login_of_a_socket_is_good_for_ten_seconds() -> None:
    signature = "6a806639d27b1c24c3808a191e9d0274d0c9d3a04a160233856d65840dfda2c8"
    assert signer().socket_login() == ["testkey", MADE + 10_000, signature]


def test_an_order_by_socket_bears_the_time_only() -> None:
    assert signer().order_header() == {
        "X-BAPI-TIMESTAMP": str(MADE),
        "X-BAPI-RECV-WINDOW": "5000",
    }


# --- RSA ---


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize("break_as", ["\n", "\\n"])
def test_a_request_is_signed_with_a_key_of_your_own(
    rsa_key: rsa.RSAPrivateKey, break_as: str
) -> None:
    text = pem(rsa_key).replace("\n", break_as)
    ours = signer(BYBIT_API_SECRET="", BYBIT_PRIVATE_KEY=text)
    signature = base64.b64decode(ours.headers("a=1")["X-BAPI-SIGN"])
    signed = f"{MADE}testkey5000a=1".encode()
    rsa_key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("text", ["no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="not an RSA key as PEM") as caught:
        signer(BYBIT_API_SECRET="", BYBIT_PRIVATE_KEY=text)
    assert text not in str(caught.value)
    assert caught.value.variables == ("BYBIT_PRIVATE_KEY", "BYBIT_PRIVATE_KEY_FILE")


def test_a_key_of_another_kind_is_refused() -> None:
    other = pem(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ConfigError, match="not an RSA key"):
        signer(BYBIT_API_SECRET="", BYBIT_PRIVATE_KEY=other)


# --- the time ---


def test_before_the_venue_has_said_its_time_it_is_the_one_of_the_machine() -> None:
    assert ServerTime(clock_of_the_vectors()).milliseconds() == MADE


def test_the_time_of_the_venue_goes_on_from_where_its_answer_came() -> None:
    clock = clock_of_the_vectors()
    time = ServerTime(clock)
    time.measured(1_700_000_123.5)
    assert time.milliseconds() == 1_700_000_123_500
    clock.advance(2.25)
    assert time.milliseconds() == 1_700_000_125_750


def test_a_correction_of_the_machines_clock_changes_nothing() -> None:
    clock = Corrected(datetime.fromtimestamp(MADE / 1000, UTC))
    time = ServerTime(clock)
    time.measured(MADE / 1000)
    clock.correction = timedelta(hours=1)
    assert time.milliseconds() == MADE


@pytest.mark.parametrize(("there", "back"), [(0.0, 3.0), (3.0, 0.0), (0.4, 1.7)])
def test_no_request_is_from_the_future_however_the_way_was_split(there: float, back: float) -> None:
    clock = clock_of_the_vectors()
    time = ServerTime(clock)
    venue_is_ahead = 77.0
    clock.advance(there)
    said = clock.now().timestamp() + venue_is_ahead
    clock.advance(back)
    time.measured(said)
    clock.advance(10)
    late = (clock.now().timestamp() + venue_is_ahead) * 1000 - time.milliseconds()
    assert -1 <= late <= (there + back) * 1000 + 1
