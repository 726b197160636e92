"""Where journals are: chosen when asked, and one file for each name on any file system."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.core.orders_journal.conftest import NewIntent, NewJournal

from tradeforge_core import ConfigError
from tradeforge_core.orders.journal import read_journal
from tradeforge_core.orders.state_folder import (
    accounts_with_journals,
    journal_path,
    realm_folder,
    state_folder,
)

SHORT = st.text(st.characters(), max_size=16)  # surrogates and NUL too
NAMES = SHORT | st.text("aA./\\% :~conCON1", max_size=12)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("TRADEFORGE_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_our_own_variable_is_first(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == state


def test_the_one_of_the_system_is_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == tmp_path / "xdg" / "tradeforge"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_the_home_is_the_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", value)
    assert state_folder() == tmp_path / "home" / ".local" / "state" / "tradeforge"


def test_a_folder_of_ours_does_not_move_with_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", "here")
    monkeypatch.chdir(tmp_path)
    assert state_folder() == tmp_path / "here"


def test_without_a_home_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)  # nobody
    with pytest.raises(ConfigError, match="set TRADEFORGE_STATE_DIR") as caught:
        state_folder()
    assert caught.value.variables == ("TRADEFORGE_STATE_DIR",)


def test_asking_makes_nothing(state: Path) -> None:
    assert journal_path("topstepx", "live", "1") == state / "topstepx" / "live" / "1.sqlite3"
    assert realm_folder("topstepx", "live") == state / "topstepx" / "live"
    assert accounts_with_journals("topstepx", "live") == []
    assert list(state.iterdir()) == []


@given(NAMES, NAMES)
@example("a", "A")
@example("ss", "ß")
@example("", "%")
@example("con", "CON")
@example("a/b", "a\\b")
@example("é", "e\u0301")
def test_two_names_are_two_files_on_every_file_system(one: str, other: str) -> None:
    first, second = (journal_path("p", "r", name).name.casefold() for name in (one, other))
    assert (first == second) == (one == other)


@given(NAMES)
@example(".")
@example("..")
@example("../../etc/passwd")
@example("nul")
@example("a.")
def test_a_name_stays_in_its_folder(name: str) -> None:
    path = journal_path(name, name, name)
    assert path.parents[3] / path.relative_to(path.parents[3]) == path
    assert path.parents[2] == state_folder()
    for part in path.relative_to(state_folder()).parts:
        stem = part.removesuffix(".sqlite3")
        assert re.fullmatch(r"[a-z0-9_%-]+", stem)
        assert not re.fullmatch(r"con|prn|aux|nul|com\d|lpt\d", stem)


@given(names=st.sets(NAMES, max_size=4))
def test_the_accounts_can_be_read_from_the_files(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        realm_folder("p", "r").mkdir(parents=True)
        for name in names:
            path = journal_path("p", "r", name)
            for suffix in ("", "-wal", "-shm", ".lock", ".damaged-1", ".damaged-1-wal", ".new"):
                path.with_name(path.name + suffix).touch()
        assert accounts_with_journals("p", "r") == sorted(names)


def test_files_of_others_are_no_accounts(state: Path) -> None:
    folder = realm_folder("p", "r")
    folder.mkdir(parents=True)
    for name in ("Notes.sqlite3", "a b.sqlite3", "%ff.sqlite3", "%41%.sqlite3", "%61.sqlite3"):
        (folder / name).touch()
    (folder / "%41.sqlite3").touch()
    assert accounts_with_journals("p", "r") == ["A"]


async def test_a_journal_is_where_it_is_said_to_be(
    state: Path, new_journal: NewJournal, new_intent: NewIntent
) -> None:
    odd = "A?mode=ro#%41/\0\ud800"
    path = journal_path(odd, odd, odd)
    journal = await new_journal(path)
    journal.begin(new_intent())
    await journal.close()
    assert len(read_journal(path, limit=9)) == 1
    assert accounts_with_journals(odd, odd) == [odd]
    assert all(one.name.startswith(path.name) for one in path.parent.iterdir())


def test_a_name_that_no_file_can_have_is_refused(state: Path) -> None:
    assert len(journal_path("p", "r", "a" * 200).name) < 220
    with pytest.raises(ConfigError, match="too long"):
        journal_path("p", "r", "a" * 201)
    with pytest.raises(ConfigError, match="too long"):
        realm_folder("p", "€" * 23)
