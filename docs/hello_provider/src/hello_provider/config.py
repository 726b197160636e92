"""What the provider needs to know: where the venue is, and your key."""

from typing import Self

from attrs import frozen

from tradeforge_core import Secret, Settings


@frozen(kw_only=True)
class HelloConfig:
    url: str
    key: Secret

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises `ConfigError`, which names every variable that is missing."""
        url, key = settings.require("HELLO_URL", "HELLO_KEY")
        return cls(url=url.rstrip("/"), key=Secret(key))
