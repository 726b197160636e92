"""Where settings come from, and what is said when they are missing."""

from pathlib import Path

import pytest

from tradeforge_core import ConfigError, Settings, read_settings

KEY = "TRADEFORGE_ACME_KEY"
USER = "TRADEFORGE_ACME_USER"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, two levels deep, and no such variable in the environment."""
    deep = tmp_path / "upper" / "lower"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    for variable in (KEY, USER):
        monkeypatch.delenv(variable, raising=False)
    return deep


def test_the_file_in_the_working_directory(folder: Path) -> None:
    (folder / ".env").write_text(f"{KEY}=from file\n")
    assert read_settings("acme")[KEY] == "from file"


def test_no_file_of_a_parent(folder: Path) -> None:
    (folder.parent / ".env").write_text(f"{KEY}=from above\n")
    assert KEY not in read_settings("acme")


def test_the_environment_beats_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(f"{KEY}=from file\n{USER}=from file\n")
    monkeypatch.setenv(KEY, "from environment")
    settings = read_settings("acme")
    assert (settings[KEY], settings[USER]) == ("from environment", "from file")


def test_an_explicit_value_beats_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(f"{KEY}=from file\n")
    monkeypatch.setenv(KEY, "from environment")
    assert read_settings("acme", {KEY: "explicit"})[KEY] == "explicit"


def test_an_empty_value_is_not_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(f"{KEY}=from file\n{USER}=\n")
    monkeypatch.setenv(KEY, "")
    settings = read_settings("acme", {KEY: ""})
    assert settings[KEY] == "from file"
    assert USER not in settings


def test_the_environment_is_not_changed(folder: Path) -> None:
    import os

    (folder / ".env").write_text(f"{KEY}=from file\n")
    read_settings("acme")
    assert KEY not in os.environ


def test_nothing_is_interpolated(folder: Path) -> None:
    (folder / ".env").write_text(f"{KEY}=a${{HOME}}b$HOME\n{USER}='x$y'\n")
    settings = read_settings("acme")
    assert (settings[KEY], settings[USER]) == ("a${HOME}b$HOME", "x$y")


def test_a_byte_order_mark_is_no_part_of_a_name(folder: Path) -> None:
    (folder / ".env").write_bytes(b"\xef\xbb\xbf" + f"{KEY}=from file\n".encode())
    assert read_settings("acme")[KEY] == "from file"


def test_a_file_that_is_not_text(folder: Path) -> None:
    (folder / ".env").write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ConfigError, match=r"\.env in this folder cannot be read") as caught:
        read_settings("acme")
    assert "secret" not in str(caught.value)


def test_a_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(f"{KEY}=from file\n")
    (folder / ".env").chmod(0)
    try:
        (folder / ".env").read_text()
    except PermissionError:
        with pytest.raises(ConfigError, match="cannot be read"):
            read_settings("acme")
    else:
        pytest.skip("this user may read everything")


def test_a_folder_of_that_name_is_no_file(folder: Path) -> None:
    (folder / ".env").mkdir()
    assert KEY not in read_settings("acme")


def test_every_missing_variable_is_named_with_a_way_out() -> None:
    settings = Settings("acme", {"OTHER": "x"})
    with pytest.raises(ConfigError) as caught:
        settings.require(KEY, "OTHER", USER)
    assert f"{KEY}, {USER} are not set" in str(caught.value)
    assert "tradeforge sandbox acme" in str(caught.value)
    assert caught.value.variables == (KEY, USER)


def test_all_that_is_required_is_given_in_order() -> None:
    assert Settings("acme", {KEY: "k", USER: "u"}).require(USER, KEY) == ("u", "k")


def test_a_choice_comes_in_the_spelling_of_the_choices() -> None:
    settings = Settings("acme", {KEY: " Live "})
    assert settings.choice(KEY, ("sim", "live")) == "live"


@pytest.mark.parametrize("value", ["lively", "li ve", "0"])
def test_a_choice_that_there_is_not(value: str) -> None:
    with pytest.raises(ConfigError, match="must be sim or live") as caught:
        Settings("acme", {KEY: value}).choice(KEY, ("sim", "live"))
    assert caught.value.variables == (KEY,)


def test_the_repr_has_names_and_no_values() -> None:
    settings = Settings("acme", {KEY: "the-secret"})
    assert KEY in repr(settings)
    for text in (repr(settings), str(settings), f"{settings}"):
        assert "the-secret" not in text


def test_settings_are_a_mapping() -> None:
    settings = Settings("acme", {KEY: "k"})
    assert dict(settings) == {KEY: "k"}
    assert len(settings) == 1
    with pytest.raises(KeyError):
        settings[USER]
