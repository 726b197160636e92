"""Time and chance come from their seams, so that a run in virtual time is the same each time."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = ("tradeforge_core", "tradeforge_topstepx", "tradeforge_bybit", "tradeforge_testing")
FILES = [file for member in MEMBERS for file in sorted((ROOT / member / "src").rglob("*.py"))]

_WAITS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
_SOURCES: Mapping[str, set[str]] = {
    "time": _WAITS
    | {"sleep", "localtime", "gmtime", "ctime", "asctime", "strftime", "process_time"}
    | {"thread_time", "clock_gettime", "clock_gettime_ns", "*"},
    "datetime": {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "*"},
    "random": {
        *("random", "uniform", "randint", "randrange", "choice", "choices", "shuffle", "sample"),
        *("gauss", "expovariate", "getrandbits", "randbytes", "seed", "SystemRandom"),
        *("triangular", "betavariate", "gammavariate", "lognormvariate", "normalvariate"),
        *("vonmisesvariate", "paretovariate", "weibullvariate", "binomialvariate", "*"),
    },
    "secrets": {
        *("randbits", "randbelow", "choice", "token_hex", "token_bytes", "token_urlsafe"),
        *("SystemRandom", "*"),
    },
    "uuid": {"uuid1", "uuid4", "uuid6", "uuid7", "*"},
    "os": {"urandom", "times", "getrandom", "*"},
}
"""What is time or chance of the machine, by the module that it comes from."""

SEAMS = {
    "tradeforge_core/kit/clock.py": "the clock of the machine is there",
    "tradeforge_core/kit/chance.py": "the chance of the machine is there",
    "tradeforge_core/orders/_journal_writer.py": "a thread, which no clock of a loop can wake",
    "tradeforge_testing/chaos/run.py": "how long a run took on this machine, for its report",
}


def calls(code: str) -> Iterator[tuple[int, str]]:
    """Every call of a source of time or chance: its line and its full name."""
    tree = ast.parse(code)
    names = dict(_imported(tree))
    names |= _other_names(tree, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and "*" in {one.name for one in node.names}:
            if node.module in _SOURCES:
                yield node.lineno, f"{node.module}.*"
        if not isinstance(node, ast.Call | ast.Attribute | ast.Name):
            continue
        if isinstance(node, ast.Call):
            yield from ((node.lineno, found) for found in _hidden(node, names))
            continue
        module, _, rest = _full_name(node, names).partition(".")
        if rest in _SOURCES.get(module, ()):
            yield node.lineno, f"{module}.{rest}"


def _hidden(call: ast.Call, names: Mapping[str, str]) -> Iterator[str]:
    """What a call makes of chance, or reaches time by, though it names neither."""
    function, given = _full_name(call.func, names), [*call.args, *(k.value for k in call.keywords)]
    first = call.args[0] if call.args else None
    if function == "random.Random" and (first is None or _constant(first) is None):
        yield "random.Random without a seed"
    if _last_word(call.func) != "isinstance":
        yield from (
            "random.Random for whoever calls it without a seed"
            for one in given
            if _full_name(one, names) == "random.Random"
        )
    if _last_word(call.func) in ("__import__", "import_module") and first is not None:
        if _constant(first) in _SOURCES:
            yield f"{_constant(first)} by its name"
    if _last_word(call.func) == "getattr" and first is not None:
        if _full_name(first, names).partition(".")[0] in _SOURCES:
            yield f"{_full_name(first, names)} by the name of a member"


def _last_word(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _constant(node: ast.expr) -> object:
    """Its value; a text that is none where it is no constant."""
    return node.value if isinstance(node, ast.Constant) else "not a constant"


def _other_names(tree: ast.Module, names: Mapping[str, str]) -> dict[str, str]:
    """What is given another name by an assignment."""
    assigned = [one for one in ast.walk(tree) if isinstance(one, ast.Assign)]
    return {
        target.id: found
        for one in assigned
        for target in one.targets
        if isinstance(target, ast.Name) and (found := _full_name(one.value, names))
    }


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, and what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.asname or one.name, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def _full_name(node: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        before = _full_name(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return names.get(node.id, "") if isinstance(node, ast.Name) else ""


def place(file: Path) -> str:
    return file.relative_to(file.parents[len(file.relative_to(ROOT).parts) - 3]).as_posix()


@pytest.mark.parametrize("file", FILES, ids=place)
def test_time_and_chance_come_from_their_seams(file: Path) -> None:
    found = sorted(set(calls(file.read_text(encoding="utf-8"))))
    assert bool(found) == (place(file) in SEAMS), (
        f"{place(file)}: {found or 'is no seam any more'}: take them from a Clock, from"
        " current_clock(), new_random() or random_bits()"
    )


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.time()",
        "import time as t\nt.monotonic()",
        "from time import sleep\nsleep(1)",
        "from time import perf_counter as now\nnow()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime as d, UTC\nd.now(UTC)",
        "from datetime import date\ndate.today()",
        "import random\nrandom.random()",
        "import random\nrandom.Random()",
        "from random import Random\nRandom()",
        "from random import shuffle\nshuffle(x)",
        "import secrets\nsecrets.token_hex()",
        "from uuid import uuid4\nuuid4()",
        "import os\nos.urandom(8)",
        "from time import monotonic\nmake(clock=monotonic)",
        "def f():\n    import time\n    return time.time()",
        "from time import *\ntime()",
        "import time\nclock = time\nclock.time()",
        "from datetime import datetime\nlocal = datetime\nlocal.now()",
        "import importlib\nimportlib.import_module('time').time()",
        "__import__('random').random()",
        "import time\ngetattr(time, 'mono' + 'tonic')()",
        "from random import Random\nRandom(None)",
        "from random import Random\nfield(factory=Random)",
        "from random import Random\nmake(Random)",
        "import time\ntime.clock_gettime(0)",
        "import random\nrandom.triangular()",
    ],
)
def test_a_source_is_found_whatever_it_is_called(code: str) -> None:
    assert list(calls(code))


@pytest.mark.parametrize(
    "code",
    [
        "from random import Random\nRandom(seed).random()",
        "import random\nrandom.Random(7)",
        "clock.now(); clock.monotonic(); self.random.choice(x)",
        "from datetime import datetime\ndatetime.fromisoformat(x); datetime(2026, 1, 1)",
        "from datetime import time\ntime(17)",
        "def strike(random):\n    random.random()",
        "from random import Random\nisinstance(x, Random)",
        "from random import Random\ndef f(random: Random) -> Random: ...",
    ],
)
def test_what_is_handed_in_is_nobodys_business(code: str) -> None:
    assert not list(calls(code))
