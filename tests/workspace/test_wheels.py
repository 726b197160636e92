"""The wheels alone are enough: built, installed into an empty environment, and used from there."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Command = list[str | Path]
MEMBERS = [
    "tradeforge_core",
    "tradeforge_topstepx",
    "tradeforge_bybit",
    "tradeforge_testing",
    "tradeforge_cli",
]
UV = shutil.which("uv") or shutil.which("uv", path=ROOT / ".uv" / "bin")


def _run(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    clean |= {} if path is None else {"PYTHONPATH": str(path)}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for member in MEMBERS:
        _build(ROOT / member, folder)
    return sorted(folder.glob("*.whl"))


def _build(package: Path, folder: Path) -> None:
    build: Command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
    ]
    _run(*build, folder, package, cwd=folder)


def _environment(folder: Path) -> Path:
    """The Python of an empty environment; pip takes long to come, and uv needs none in there."""
    venv.create(folder, with_pip=UV is None)
    return folder / "bin" / "python"


def _install(python: Path, *what: str | Path) -> None:
    uv: Command = [UV or "", "pip", "install", "--python", python]
    installer = uv if UV else [python, "-m", "pip", "install"]
    _run(*installer, "--quiet", *what, cwd=python.parent)


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheels, and with what the lock pins."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    python = _environment(folder)
    names = [str(wheel) + _EXTRAS.get(wheel.name.partition("-")[0], "") for wheel in wheels]
    constraints = folder.parent / "constraints.txt"
    constraints.write_text(_pins())
    _install(python, "--constraint", constraints, *names)
    return folder / "bin"


_EXTRAS = {
    "tradeforge_topstepx": "[sandbox]",
    "tradeforge_bybit": "[sandbox]",
    "tradeforge_testing": "[conformance,sandbox]",
}


def _installed_beside(installed: Path, package: Path, folder: Path) -> Path:
    """Where the package is, built as a wheel: the environment itself stays as it is."""
    _build(package, folder)
    (wheel,) = folder.glob("*.whl")
    _install(installed / "python", "--no-deps", "--target", folder / "beside", wheel)
    return folder / "beside"


def _pins() -> str:
    """The versions of the lock without their hashes: the wheels of this build have none there."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return "\n".join(line.rstrip("\\ ") for line in lines if line and not line.startswith(" "))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("provider", ["topstepx", "bybit"])
def test_the_demo_runs_from_the_wheels_alone(
    provider: str, installed: Path, tmp_path: Path
) -> None:
    command: Command = [installed / "tradeforge", "demo", "--provider", provider]
    out = _run(*command, "--json", "--seconds", "2", cwd=tmp_path)
    report = json.loads(out)
    assert report["provider"] == provider
    assert report["fills"] >= 2
    assert report["position_after"] == 0


@pytest.mark.timeout(600)
def test_the_smallest_provider_keeps_the_contract_from_its_wheel(
    installed: Path, tmp_path: Path
) -> None:
    path = _installed_beside(installed, ROOT / "docs" / "hello_provider", tmp_path)
    command: Command = [installed / "tradeforge", "conformance", "hello"]
    out = _run(*command, "--json", "-", cwd=tmp_path, path=path)
    report = json.loads(out)
    assert report["conformant"]
    unproven = [row["id"] for row in report["requirements"] if row["verdict"] != "kept"]
    assert unproven == [
        *("TF-BRA-010", "TF-BRA-020", "TF-BRA-030", "TF-BRA-040"),
        *("TF-MKT-030", "TF-MKT-040"),
    ]


@pytest.mark.timeout(600)
def test_a_new_provider_installs_and_keeps_its_first_area(installed: Path, tmp_path: Path) -> None:
    _run(installed / "tradeforge", "new-provider", "acme_two", cwd=tmp_path)
    package = tmp_path / "acme_two_provider"
    path = _installed_beside(installed, package, tmp_path)
    command: Command = [installed / "tradeforge", "conformance", "acme_two"]
    out = _run(*command, "--only", "LIF", cwd=tmp_path, path=path)
    assert "acme_two is conformant: 7 kept" in out
    pytest_run: Command = [installed / "python", "-m", "pytest", "-q", "-k", "connect"]
    assert " passed" in _run(*pytest_run, package, cwd=tmp_path, path=path)


def test_the_typed_marker_is_in_every_wheel(wheels: list[Path]) -> None:
    assert len(wheels) == len(MEMBERS)
    for wheel in wheels:
        names = _run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent)
        assert "py.typed" in names, wheel.name


@pytest.mark.timeout(600)
def test_the_core_alone_brings_no_network_library(wheels: list[Path], tmp_path: Path) -> None:
    python = _environment(tmp_path / "venv")
    (core,) = [wheel for wheel in wheels if "tradeforge_core" in wheel.name]
    _install(python, core)
    code = "from importlib import metadata; print(*[one.name for one in metadata.distributions()])"
    names = {
        name.lower().replace("_", "-") for name in _run(python, "-c", code, cwd=tmp_path).split()
    }
    assert names - {"pip", "setuptools"} == {
        "attrs",
        "cattrs",
        "pluggy",
        "python-dotenv",
        "tradeforge-core",
        "typing-extensions",
    }
    code = "import tradeforge_core; print(tradeforge_core.installed_providers())"
    assert _run(python, "-c", code, cwd=tmp_path) == "[]\n"
