"""Where the journals are: `<state>/<provider>/<realm>/<account>.sqlite3`.

`TRADEFORGE_STATE_DIR` says where the state is, otherwise what the system has for it; the
environment is read when asked. Names become file names that no file system confuses, and from which
the name can be read again.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tradeforge_core.errors import ConfigError

_SUFFIX = ".sqlite3"
_MOST = 200  # of 255 bytes that a file name may have: there are suffixes to come
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")  # not file names on Windows, in any folder
_ESCAPE = re.compile(rb"%([0-9a-f]{2})")
_EMPTY = "%"


def state_folder() -> Path:
    """The folder of all that must outlive the process. Raises `ConfigError` if nothing tells."""
    if chosen := os.environ.get("TRADEFORGE_STATE_DIR"):
        return Path(chosen).absolute()
    return _folder_of_the_system() / "tradeforge"


def realm_folder(provider: str, realm: str) -> Path:
    """The folder of the journals of one provider in one realm, such as live or practice."""
    return state_folder() / _file_name(provider) / _file_name(realm)


def journal_path(provider: str, realm: str, account_id: str) -> Path:
    """The file of the journal of one account. Raises `ConfigError` for a name far too long."""
    return realm_folder(provider, realm) / (_file_name(account_id) + _SUFFIX)


def accounts_with_journals(provider: str, realm: str) -> list[str]:
    """The ids of the accounts that have a journal in this realm, sorted."""
    files = realm_folder(provider, realm).glob(f"*{_SUFFIX}")
    return sorted(name for file in files for name in _names(file.name.removesuffix(_SUFFIX)))


def _folder_of_the_system() -> Path:
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME"
    folder = Path(os.environ.get(variable, ""))
    if folder.is_absolute():  # one that is not is to be ignored, says the standard
        return folder
    try:
        return Path.home() / ("AppData/Local" if sys.platform == "win32" else ".local/state")
    except RuntimeError:
        message = "this user has no home: set TRADEFORGE_STATE_DIR to a folder for the journal"
        raise ConfigError(message, variables=["TRADEFORGE_STATE_DIR"]) from None


def _file_name(name: str) -> str:
    encoded = _encoded(name)
    if len(encoded) > _MOST:
        raise ConfigError(f"{name[:40]!r}... is too long for the name of a file")
    return encoded


def _encoded(name: str) -> str:
    """Percent-encoded, capital letters too, as some file systems take them for small ones."""
    data = name.encode("utf-8", "surrogatepass")
    encoded = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in data) or _EMPTY
    return f"%{data[0]:02x}{encoded[1:]}" if _DEVICE.fullmatch(encoded) else encoded


def _names(encoded: str) -> Iterator[str]:
    """The name that becomes this file name; none of a file that is not ours."""
    data = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), encoded.encode())
    with suppress(UnicodeDecodeError):
        name = "" if encoded == _EMPTY else data.decode("utf-8", "surrogatepass")
        if _encoded(name) == encoded:
            yield name
