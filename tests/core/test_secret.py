"""A secret is not shown by anything that prints, logs, copies or serialises."""

import copy
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable

import attrs
import pytest

from tradeforge_core import Secret, to_json

TEXT = "hunter2-and-more"


@attrs.frozen
class Config:
    key: Secret = attrs.field(converter=Secret)
    name: str = "acme"


class Plain:
    def __init__(self, key: Secret) -> None:
        self.key = key


def _logged(*args: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.getLogger("test_secret")
    log.addHandler(handler)
    log.warning(*args)
    log.removeHandler(handler)
    return stream.getvalue()


def _traceback(secret: Secret) -> str:
    try:
        raise ValueError(secret)
    except ValueError as error:
        formatted = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(formatted.format())


SHOWN: dict[str, Callable[[Secret], object]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": format,
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s} {secret:>40} {secret:.3}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "join": lambda secret: ",".join([secret]),
    "json.dumps": json.dumps,
    "json of a dict": lambda secret: json.dumps({"key": secret}, indent=1),
    "to_json": to_json,
    "to_json of a config": lambda secret: to_json(Config(secret)),
    "pickle": pickle.dumps,
    "pickle of a config": lambda secret: pickle.dumps(Config(secret)),
    "copy": lambda secret: copy.copy(secret).reveal(),
    "deepcopy": lambda secret: copy.deepcopy(secret).reveal(),
    "deepcopy of a config": lambda secret: copy.deepcopy(Config(secret)).key.reveal(),
    "log message": lambda secret: _logged(secret),
    "log argument": lambda secret: _logged("key=%s %r", secret, secret),
    "log of a config": lambda secret: _logged("%s", Config(secret)),
    "vars": lambda secret: str(vars(Plain(secret))),
    "asdict": lambda secret: attrs.asdict(Config(secret)),
    "repr of a config": lambda secret: repr(Config(secret)),
    "pprint": lambda secret: pprint.pformat({"key": [secret]}),
    "traceback with locals": _traceback,
    "encode": lambda secret: secret.encode(),
    "iteration": lambda secret: "".join(secret),
    "upper": lambda secret: secret.upper().lower(),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN.keys())
def test_it_is_never_shown(show: Callable[[Secret], object]) -> None:
    shown = str(show(Secret(TEXT)))
    assert TEXT not in shown
    assert "hunter2" not in shown.lower()


def test_it_is_revealed_when_asked() -> None:
    assert Secret(TEXT).reveal() == TEXT


def test_a_secret_of_a_secret_is_the_same() -> None:
    """`attrs.evolve` gives every converter its own result."""
    changed = attrs.evolve(Config(Secret(TEXT)), name="other")
    assert changed.key.reveal() == TEXT


@pytest.mark.parametrize(("left", "right"), [("a", "b"), ("", "a"), ("é", "e"), ("\ud800", "a")])
def test_secrets_differ_by_their_text(left: str, right: str) -> None:
    assert Secret(left) == Secret(left)
    assert not Secret(left) != Secret(left)
    assert Secret(left) != Secret(right)
    assert not Secret(left) == Secret(right)


def test_it_does_not_equal_its_own_text() -> None:
    assert Secret(TEXT) != TEXT
    assert not Secret(TEXT) == TEXT


def test_it_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(Secret(TEXT))


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")
