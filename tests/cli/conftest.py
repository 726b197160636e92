"""A served venue, and the command as a person or a shell starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., "subprocess.Popen[str]"]

TRADEFORGE = Path(sys.executable).with_name("tradeforge")


@pytest.fixture(scope="session")
def settings() -> Iterator[dict[str, str]]:
    """The settings of a sandbox that the command itself serves."""
    venue = subprocess.Popen(
        [TRADEFORGE, "sandbox", "topstepx", "--seed", "7", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with venue:
        assert venue.stdout
        yield json.loads(venue.stdout.readline())
        venue.terminate()
    assert venue.returncode == 0


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from this machine but which provider is meant, and a terminal of usual width."""
    for name in [name for name in os.environ if name.startswith(("TS_", "TRADEFORGE_"))]:
        if name != "TRADEFORGE_STATE_DIR":  # each test has a folder of its own
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRADEFORGE_PROVIDER", "topstepx")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> dict[str, str]:
    """The settings of the sandbox, in the environment of this test."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command in a process of its own, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [TRADEFORGE, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Installs a provider of this name whose plugin module has this source."""

    def write(name: str, source: str) -> None:
        site = tmp_path / "site"
        module = f"{name}_of_{tmp_path.name}"  # no other test has imported this one
        metadata = site / f"tradeforge_{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: tradeforge-{name}\nVersion: 1.0\n"
        )
        (metadata / "entry_points.txt").write_text(f"[tradeforge.providers]\n{name} = {module}\n")
        (site / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(site))

    return write
