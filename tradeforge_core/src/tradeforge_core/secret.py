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
        # of a Secret its text: attrs.evolve gives every converter its own result again
        secret.__text = text.reveal() if isinstance(text, Secret) else text
        return secret

    def reveal(self) -> str:
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self.__text), _bytes(other.__text))

    def __ne__(self, other: object) -> bool:
        # the one of str would compare the masks
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = None  # type: ignore[assignment]  # a hash of the text would be a trace of it

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        return Secret, (_MASK,)

    def __copy__(self) -> "Secret":
        return Secret(_MASK)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return Secret(_MASK)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
