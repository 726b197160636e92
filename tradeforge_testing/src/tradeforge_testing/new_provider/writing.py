"""Writes a package that is complete and keeps the contract: the example with another name."""

import keyword
import re
import shutil
from pathlib import Path

_TEMPLATE = Path(__file__).with_name("template")
_PATTERN = re.compile("[a-z][a-z0-9_]*")
_MADE = frozenset({"__pycache__", ".pytest_cache", "dist", "build"})


def write_provider(name: str, directory: Path) -> list[Path]:
    """The files of the new package `NAME_provider` in the directory, which may be new as well.

    Raises `ValueError` for a name that Python or a setting cannot have, and `FileExistsError`.
    """
    if not _PATTERN.fullmatch(name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} cannot be the name of a provider: take small letters, digits and"
            " underscores, a letter first"
        )
    package = directory / f"{name}_provider"
    package.mkdir(parents=True)
    return [_write(source, package, name) for source in _sources(_TEMPLATE)]


def _sources(folder: Path) -> list[Path]:
    found: list[Path] = []
    for one in sorted(folder.iterdir()):
        if one.is_dir():
            found += [] if one.name in _MADE else _sources(one)
        else:
            found.append(one)
    return found


def _write(source: Path, package: Path, name: str) -> Path:
    target = package / _named(source.relative_to(_TEMPLATE).as_posix(), name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_named(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    shutil.copymode(source, target)
    return target


def _named(text: str, name: str) -> str:
    """The text of the example with this name in its three spellings."""
    title = "".join(word.capitalize() for word in name.split("_"))
    spellings = {"hello": name, "Hello": title, "HELLO": name.upper()}
    return re.sub("hello|Hello|HELLO", lambda found: spellings[found[0]], text)
