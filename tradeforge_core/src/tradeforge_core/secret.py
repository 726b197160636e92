"""A credential that cannot be printed by accident."""

import hmac
from typing import Any

_MASK = "***"


class Secret(str):
    """Holds a credential; repr, str, format, json, pickle and copy show `***`.

    To everything that takes a string it is the string `***`: whatever prints, logs or serialises
    it can only ever see that. `reveal()` gives the text, so every place that needs it can be found
    by that word.
    """

    __slots__ = ("__text",)
    __text: str

    def __new__(cls, text: str) -> "Secret":
        secret = super().__new__(cls, _MASK)
        secret.__text = text
        return secret

    def reveal(self) -> str:
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.__text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of the text would be a trace of it

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        return Secret, (_MASK,)

    def __copy__(self) -> "Secret":
        return Secret(_MASK)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return Secret(_MASK)
