"""Settings: what the environment, a `.env` file and the caller say, read when asked.

An explicit value beats the environment, the environment beats `.env`, and `.env` is looked for in
the working directory only: never in its parents, never at import.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from tradeforge_core.errors import ConfigError


@frozen
class Settings(Mapping[str, str]):
    """The settings of one provider, by variable name; the repr has the names only."""

    provider: str
    _values: Mapping[str, str] = field(repr=lambda values: str(sorted(values)))

    def __getitem__(self, variable: str) -> str:
        return self._values[variable]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def stripped(self) -> "Settings":
        """Without the blanks around values, and without what is nothing but blanks."""
        stripped = {name: value.strip() for name, value in self.items()}
        return Settings(self.provider, {name: one for name, one in stripped.items() if one})

    def require(self, *variables: str) -> tuple[str, ...]:
        """The values of all `variables`. Raises `ConfigError`, which names every missing one."""
        missing = [variable for variable in variables if not self.get(variable)]
        if missing:
            raise ConfigError(self._missing(missing), variables=missing)
        return tuple(self[variable] for variable in variables)

    def choice(self, variable: str, choices: tuple[str, ...]) -> str:
        """The value of `variable` in the spelling of `choices`. Raises `ConfigError`."""
        (value,) = self.require(variable)
        for choice in choices:
            if value.strip().casefold() == choice.casefold():
                return choice
        expected = " or ".join(choices)
        raise ConfigError(f"{variable} must be {expected}, not {value!r}", variables=[variable])

    def _missing(self, variables: list[str]) -> str:
        names = ", ".join(variables)
        verb, them = ("is", "it") if len(variables) == 1 else ("are", "them")
        return (
            f"{names} {verb} not set: put {them} in the environment or in .env in this folder. "
            f"No account? `tradeforge sandbox {self.provider or 'NAME'}` starts a local venue and "
            f"prints the settings for it."
        )


def read_settings(provider: str = "", explicit: Mapping[str, str] | None = None) -> Settings:
    """The settings in force at this moment, for a provider or for none.

    A value of "" counts as not set. Raises `ConfigError` for a `.env` that cannot be read.
    """
    merged: dict[str, str] = {}
    for source in (_dotenv(Path(".env")), os.environ, explicit or {}):
        merged.update({name: value for name, value in source.items() if value})
    return Settings(provider, merged)


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # only here: reading settings is the only need for it

    try:
        # no interpolation: a `$` in a password is a `$`; -sig: some editors begin with a mark
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f".env in this folder cannot be read: {error}") from error
    return {name: value for name, value in values.items() if value is not None}
