"""Takes out of the venue's messages what tells who you are, before they are recorded.

The account gets an id that is the same in a whole recording, so that what belongs together still
does. What cannot be understood is not kept: it could hold anything.
"""

import json
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attrs import evolve, fields

from tradeforge_core.kit.hiding import HIDDEN, Tags, any_spelling, no_constant

ACCOUNT = "1001"
"""What a recording calls the account: a key has one."""

_SECRET_MEMBERS = frozenset(
    "apikey secret sign signature note ips rsapublickey parentuid inviterid affiliateid"
    " useridint64 inviteridint64 affiliateidint64 kycregion connid conn_id".split()
)
_ACCOUNT_MEMBERS = frozenset({"userid", "uid", "account_id", "accountid"})
_TAG_MEMBERS = frozenset({"orderlinkid", "client_order_id", "parentorderlinkid"})


class Redaction:
    """Redacts the messages of one recording. `secrets` are hidden everywhere, in any spelling."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secret = any_spelling(secrets)
        self._account = re.compile(r"(?!)")
        self._tags = Tags()

    def message(self, message: bytes) -> str:
        """The redacted text of a JSON message or a query; of anything else how long it was."""
        if not message:
            return ""
        try:
            parsed = json.loads(message, parse_constant=no_constant)
            return json.dumps(self._value(parsed), separators=(",", ":"), allow_nan=False)
        except (ValueError, ArithmeticError, RecursionError):
            return self._query(message) or f"<{len(message)} bytes that are no JSON>"

    def model(self, model: Any) -> Any:
        """The model that redacted messages would have given."""
        members = {
            one.alias: self._of_model(one.name, getattr(model, one.name))
            for one in fields(type(model))
            if one.eq
        }
        if "id" in members and hasattr(model, "can_trade"):
            members["id"] = ACCOUNT
        return evolve(model, **members)

    def _query(self, message: bytes) -> str:
        try:
            pairs = parse_qsl(message.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        except ValueError:
            return ""
        return urlencode([(name, self._member(name, value)) for name, value in pairs])

    def _value(self, value: object) -> object:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _object(self, value: dict[str, Any]) -> dict[str, object]:
        members = {self._text(name): self._member(name, one) for name, one in value.items()}
        if value.get("op") == "auth" and "args" in value:
            members["args"] = [HIDDEN]
        if "topic" in value and "id" in value:
            members["id"] = HIDDEN  # it begins with digits of the account
        return members

    def _member(self, name: str, value: Any) -> object:
        word = name.casefold()
        if word in _SECRET_MEMBERS and value not in (None, ""):
            return HIDDEN
        if word in _ACCOUNT_MEMBERS and isinstance(value, str | int):
            return self._account_id(value)
        if word in _TAG_MEMBERS and isinstance(value, str):
            return self._tags.hidden(value)
        return self._value(value)

    def _account_id(self, value: str | int) -> object:
        if str(value) not in ("", "0", ACCOUNT):
            self._account = re.compile(rf"(?<!\d){re.escape(str(value))}(?!\d)")
        return ACCOUNT if isinstance(value, str) else int(ACCOUNT)

    def _of_model(self, name: str, value: object) -> object:
        if isinstance(value, Enum | tuple):
            return value
        return self._member(name, value) if value is not None else None

    def _text(self, text: str) -> str:
        return self._account.sub(ACCOUNT, self._secret.sub(HIDDEN, text))
