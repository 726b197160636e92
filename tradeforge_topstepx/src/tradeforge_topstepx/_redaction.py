"""Takes out of the gateway's messages what tells who you are, before they are recorded.

Accounts get names and ids that are the same in a whole recording, so that what belongs together
still does. What cannot be understood is not kept: it could hold anything.
"""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
from attrs import evolve, fields

from tradeforge_core.kit.hiding import HIDDEN, LONG_ENOUGH, Tags, any_of, any_spelling, no_constant

FAKE_IDS = range(1001, 2000)
"""No id of a real account is this short."""

_SECRET_MEMBERS = frozenset(
    "token newtoken accesstoken access_token refreshtoken refresh_token jwt apikey username"
    " password secret deviceid appid verifykey authorization sessionid cookie".split()
)
_ACCOUNT_MEMBERS = frozenset({"accountid"})
_TAG_MEMBERS = frozenset({"customtag", "client_order_id"})
_OF_ACCOUNTS_ONLY = frozenset({"balance", "cantrade"})
"""Members that show a record to be an account, whose own id and name are to be replaced."""
_TAKES_ACCOUNT = re.compile(r"(Uns|S)ubscribe(Orders|Positions|Trades|Accounts)\Z", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]*\.[\w.-]*|Bearer\s+[\w.~+/=-]+")
_NOTHING = re.compile(r"(?!)")
_MOST_TEXTS = 4096
_MOST_SECRETS = 64
"""That are remembered of those in messages: a session has one token after the other."""
_MOST_DIGITS = 20
"""Of an id; a number may be long enough to fill the memory."""
_LEG = re.compile(r"-(SL|TP)\Z")

_encoder = msgspec.json.Encoder(decimal_format="number")


class Redaction:
    """Redacts the messages of one recording.

    `secrets` are texts that are hidden everywhere, in whatever spelling; so is what a message had
    in the place of a secret, in all that come later.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self._seen: deque[str] = deque(maxlen=_MOST_SECRETS)
        self._secret = any_spelling(self._secrets)
        self._name: re.Pattern[str] | None = _NOTHING
        self._id: re.Pattern[str] | None = _NOTHING
        self._ids: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._tags = Tags()
        self._texts: dict[str, str] = {}
        """What texts became: the same few come in every message."""

    def message(self, message: bytes) -> str:
        """The redacted text of a JSON message; of anything else only how long it was."""
        if not message:
            return ""
        try:
            parsed = json.loads(message, parse_float=Decimal, parse_constant=no_constant)
            self._learn(parsed)
            return _encoder.encode(self._value(parsed)).decode()
        except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError):
            return f"<{len(message)} bytes that are no JSON>"

    def model(self, model: Any) -> Any:
        """The model that redacted messages would have given."""
        members = {
            one.alias: self._of_model(one.name, getattr(model, one.name))
            for one in fields(type(model))
            if one.eq
        }
        return evolve(model, **members)

    def account_id(self, account_id: str) -> str:
        """What the recording calls this account."""
        return str(self._fake_id(account_id))

    def text(self, text: str) -> str:
        """A text without any secret or account in it that is known by now."""
        hidden = self._texts.get(text)
        if hidden is None:
            hidden = self._hidden(text)
            if len(self._texts) < _MOST_TEXTS:
                self._texts[text] = hidden
        return hidden

    def _hidden(self, text: str) -> str:
        text = _TOKEN.sub(HIDDEN, self._secret.sub(HIDDEN, text))
        if self._names:
            text = self._any_name().sub(lambda name: self._names[name[0]], text)
        return self._any_id().sub(lambda digits: str(self._ids[digits[0]]), text)

    # --- who is who ---

    def _learn(self, parsed: object) -> None:
        """Note every account before anything is replaced: an earlier member may quote it."""
        for record in _records(parsed):
            names = {name.casefold(): name for name in record}
            for name in _SECRET_MEMBERS & names.keys():
                self._learn_secret(record[names[name]])
            if _OF_ACCOUNTS_ONLY & names.keys():
                self._learn_account(record.get("id"), record.get("name"))
            for name in _ACCOUNT_MEMBERS & names.keys():
                self._learn_account(record[names[name]])
            if _TAKES_ACCOUNT.match(str(record.get("target"))):
                for argument in record.get("arguments") or ():
                    self._learn_account(argument)

    def _learn_secret(self, secret: object) -> None:
        """A token that is told now may be quoted later; a short one is part of many words."""
        is_long = isinstance(secret, str) and len(secret) >= LONG_ENOUGH
        if isinstance(secret, str) and is_long and self._secret.fullmatch(secret) is None:
            self._seen.append(secret)
            self._secret = any_spelling((*self._secrets, *self._seen))
            self._texts.clear()

    def _learn_account(self, account_id: object, name: object = None) -> None:
        if not isinstance(account_id, int | str) or isinstance(account_id, bool):
            return
        fake = self._fake_id(str(account_id))
        if isinstance(name, str) and name and name not in self._names:
            self._names[name] = f"ACCOUNT-{fake}"
            self._name = None
            self._texts.clear()

    def _fake_id(self, account_id: str) -> int:
        if account_id not in self._ids:
            is_fake = account_id.isdecimal() and int(account_id) in FAKE_IDS
            unused = (fake for fake in FAKE_IDS if fake not in self._ids.values())
            fake = int(account_id) if is_fake else next(unused, None)
            if fake is None:
                raise ValueError("more accounts than anybody has: such a message is not kept")
            self._ids[account_id] = fake
            self._id = None
            self._texts.clear()
        return self._ids[account_id]

    def _any_name(self) -> re.Pattern[str]:
        """Finds the names of accounts; made once for all that one message told."""
        if self._name is None:
            self._name = any_of(self._names)
        return self._name

    def _any_id(self) -> re.Pattern[str]:
        """The same of their ids."""
        if self._id is None:
            ids = "|".join(one for one in self._ids if one.isdecimal())
            self._id = re.compile(rf"(?<!\d)(?:{ids})(?!\d)") if ids else _NOTHING
        return self._id

    # --- what is kept ---

    def _value(self, value: object) -> object:
        if isinstance(value, dict):
            return {self.text(name): self._member(name, value[name]) for name in value}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._ids.get(str(value), value)
        if isinstance(value, Decimal) and 0 <= value.adjusted() < _MOST_DIGITS:
            return self._ids.get(f"{value.normalize():f}", value)
        return value

    def _member(self, name: str, value: object) -> object:
        if name.casefold() in _SECRET_MEMBERS and value is not None:
            return HIDDEN
        if name.casefold() in _TAG_MEMBERS and isinstance(value, str):
            return self._tag(value)
        return self._value(value)

    def _of_model(self, name: str, value: object) -> object:
        if isinstance(value, Enum):
            return value
        if name in _TAG_MEMBERS and isinstance(value, str):
            return self._tag(value)
        return self._value(value)

    def _tag(self, tag: str) -> str:
        if leg := _LEG.search(tag):  # what says that it is an exit of the other
            return self._tag(tag.removesuffix(leg[0])) + leg[0]
        return self._tags.hidden(tag)


def _records(parsed: object) -> Iterator[dict[str, Any]]:
    if isinstance(parsed, dict):
        yield parsed
    for inner in parsed.values() if isinstance(parsed, dict) else _items(parsed):
        yield from _records(inner)


def _items(parsed: object) -> list[Any]:
    return parsed if isinstance(parsed, list) else []
