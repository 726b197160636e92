"""What hides in a recording the texts and the names that tell who you are."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from tradeforge_core.orders.client_ids import made_at

HIDDEN = "REDACTED"
LONG_ENOUGH = 6
"""A shorter text is hidden where it stands alone: it is part of many words."""
_OUR_TAG = re.compile(r"TAG-\d{1,9}\Z")


def any_of(texts: Iterable[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Finds any of the texts, the longest first; nothing where there are none."""
    longest_first = sorted(filter(None, texts), key=len, reverse=True)
    return re.compile("|".join(map(_pattern, longest_first)) or r"(?!)", flags)


def any_spelling(secrets: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the secrets, in capitals, in a text of JSON, in an address, in base64."""
    return any_of({one for secret in secrets for one in _spellings(secret)}, re.IGNORECASE)


def _spellings(secret: str) -> Iterator[str]:
    """As it is, in a text of JSON within another one, in an address, in base64."""
    once, data = json.dumps(secret)[1:-1], secret.encode(errors="replace")
    yield from (secret, once, json.dumps(once)[1:-1], quote(data, safe=""), quote(data))
    yield from (encode(data).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode))


def _pattern(text: str) -> str:
    whole = re.escape(text)
    return whole if len(text) >= LONG_ENOUGH else rf"(?<!\w){whole}(?!\w)"


class Tags:
    """The names of orders: one of the user's own making is the same `TAG-1` wherever it stands."""

    def __init__(self) -> None:
        self._tags: dict[str, str] = {}

    def hidden(self, tag: str) -> str:
        """Only tags of our own making are known to hold nothing but time and chance."""
        if not tag or made_at(tag) is not None or _OUR_TAG.match(tag):
            return tag
        return self._tags.setdefault(tag, f"TAG-{len(self._tags) + 1}")


def no_constant(name: str) -> None:
    """For `json.loads`: what JSON does not know is no message. Raises `ValueError`."""
    raise ValueError(f"{name} is not a number of JSON")
