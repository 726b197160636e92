"""What the documentation says is run, and looked up in the code."""

import asyncio
import inspect
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

import tradeforge_core
from tradeforge_bybit import _endpoints as bybit
from tradeforge_bybit.provider import BybitProvider
from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_core import Provider, TradeForgeError, hookspecs
from tradeforge_core.orders.journal import IntentState
from tradeforge_topstepx import _endpoints as topstepx
from tradeforge_topstepx.firms import FIRMS
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

ROOT = Path(__file__).parents[2]
BYBIT = ROOT / "docs" / "bybit.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(set((ROOT / "docs").glob("*.md")) - {BYBIT}),
]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _paths_of(operations: ModuleType) -> set[str]:
    """Where the operations of a provider are, by its module of them."""
    return {path for one in vars(operations).values() if isinstance(path := _path(one), str)}


def _path(value: object) -> object:
    return getattr(value, "path", None) if type(value).__name__ == "Endpoint" else None


def _scripts(pages: list[Path]) -> list[object]:
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in pages
        for number, block in enumerate(_BLOCK.findall(page.read_text()), 1)
    ]


@pytest.fixture
async def bybit_environment(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The environment of a user who started a sandbox of Bybit and copied its settings."""
    async with BybitSandbox(seed=7, tick_seconds=0.05) as sandbox:
        state = {"TRADEFORGE_STATE_DIR": str(tmp_path)}
        yield os.environ | sandbox.settings | state | {"PYTHONWARNINGS": "error"}


@pytest.fixture
async def environment(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The environment of a user who started a sandbox and copied its settings."""
    async with TopStepXSandbox(seed=7, tick_seconds=0.05) as sandbox:
        yield os.environ | sandbox.settings | {"PYTHONWARNINGS": "error"}


async def _run(script: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        cwd=script.parent,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("block", _scripts(PAGES))
async def test_a_script_of_the_documentation_runs(
    block: str, environment: dict[str, str], tmp_path: Path
) -> None:
    await _check_script(block, environment, tmp_path)


@pytest.mark.parametrize("block", _scripts([BYBIT]))
async def test_a_script_for_bybit_runs(
    block: str, bybit_environment: dict[str, str], tmp_path: Path
) -> None:
    await _check_script(block, bybit_environment, tmp_path)


async def _check_script(block: str, environment: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(block)
    code, out, err = await _run(script, environment)
    assert code == 0, err
    assert out, "a script of the documentation shows something"
    assert not err


async def test_the_first_contact_prints_the_accounts(environment: dict[str, str]) -> None:
    code, out, err = await _run(ROOT / "examples" / "first_contact.py", environment)
    assert (code, err) == (0, "")
    assert '"balance": "150000"' in out


async def test_an_example_without_settings_says_what_to_do(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TS_")}
    script = tmp_path / "first_contact.py"
    script.write_text((ROOT / "examples" / "first_contact.py").read_text())
    code, _, err = await _run(script, bare)
    assert code == 1
    assert "TS_USERNAME, TS_API_KEY, TS_ENVIRONMENT" in err
    assert "Traceback" not in err


async def test_the_streaming_example_outlives_its_venue(tmp_path: Path) -> None:
    sandbox = TopStepXSandbox(seed=7, tick_seconds=0.05)
    async with sandbox:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-u",
            str(ROOT / "examples" / "streaming.py"),
            cwd=tmp_path,
            env=os.environ | sandbox.settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await _await_line(process, "user is live")
        await _await_line(process, "quote ")
        await _await_line(process, "depth ")
    await _await_line(process, "is reconnecting")
    async with sandbox:
        await _await_line(process, "gap ")
        await _await_line(process, "quote ")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert out.decode().endswith("bye\n")


async def _await_line(process: asyncio.subprocess.Process, wanted: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while wanted not in (line := (await process.stdout.readline()).decode()):
            assert line, f"the example ended before it printed {wanted!r}"


def test_every_hook_has_a_heading_equal_to_its_signature() -> None:
    hooks = {
        f"{name}({', '.join(inspect.signature(hook).parameters)})"
        for name, hook in vars(hookspecs).items()
        if name.startswith("tradeforge_")
    }
    page = (ROOT / "docs" / "plugins.md").read_text()
    headings = set(re.findall(r"^## (tradeforge_.*)$", page, re.MULTILINE))
    assert headings == hooks


def test_every_error_has_its_place() -> None:
    errors = {
        name
        for name in tradeforge_core.__all__
        if isinstance(one := getattr(tradeforge_core, name), type)
        and issubclass(one, TradeForgeError)
    }
    page = (ROOT / "docs" / "errors.md").read_text()
    table = page.partition("## All of them")[2]
    listed = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    assert listed | {"TradeForgeError"} == errors


@pytest.mark.parametrize(("name", "prefix"), [("topstepx", "TS"), ("bybit", "BYBIT")])
def test_every_setting_has_its_place(name: str, prefix: str) -> None:
    source = (ROOT / f"tradeforge_{name}/src/tradeforge_{name}/config.py").read_text()
    settings = set(_SETTING.findall(source))
    assert f"{prefix}_REST_URL" in settings
    for page in (ROOT / "docs" / "configuration.md", ROOT / ".env.example"):
        assert settings <= set(_SETTING.findall(page.read_text())), page


_SETTING = re.compile(r"\b(?:TS|BYBIT)_[A-Z_]+\b")


def test_the_settings_of_the_core_have_their_place() -> None:
    sources = (ROOT / "tradeforge_core" / "src").rglob("*.py")
    settings = {name for one in sources for name in re.findall(r"TRADEFORGE_\w+", one.read_text())}
    assert "TRADEFORGE_STATE_DIR" in settings
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert settings <= set(re.findall(r"`(TRADEFORGE_\w+)`", page))


def test_every_state_of_the_journal_has_its_place() -> None:
    page = (ROOT / "docs" / "journal.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [one.value for one in IntentState]


@pytest.mark.parametrize(
    ("name", "provider", "paths", "count"),
    [
        ("topstepx", TopStepXProvider, _paths_of(topstepx) | {topstepx.PING}, 21),
        ("bybit", BybitProvider, _paths_of(bybit), 16),
    ],
    ids=["topstepx", "bybit"],
)
def test_every_operation_of_a_venue_has_a_method_and_a_test(
    name: str, provider: type[Provider], paths: set[str], count: int
) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text()
    rows = re.findall(r"^\| `(/[^`]+)` \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert {path for path, _, _ in rows} == paths
    assert len(rows) == count
    for _, methods, tests in rows:
        for method in re.findall(r"`(\w+)\(", methods):
            assert callable(getattr(provider, method)), method
        for file, class_ in re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", tests):
            source = (ROOT / "tests" / name / file).read_text()
            assert f"class {class_}:" in source or not class_, f"{file}::{class_}"


def test_every_firm_has_its_place() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert all(f"`{firm}`" in page for firm in FIRMS)


@pytest.mark.parametrize("page", [*PAGES, BYBIT], ids=lambda page: str(page.name))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_stays_readable() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
