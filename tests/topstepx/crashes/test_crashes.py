"""A program is killed in the middle of trading: the next run knows what became of every order.

If one fails, look at what the journal had at that point and what the venue had; `make crash` runs
every point with ten seeds, and `--crash-seeds=1 -k "found and noted"` those with these words in
their names.
"""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.topstepx.crashes.victim import POINTS, QUICK

from tradeforge_core import IntentState, NotFlat, Operation, Settings, TradeForgeError
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

VICTIM = Path(__file__).with_name("victim.py")
PLACE, CANCEL, MODIFY, CLOSE = (
    "/api/Order/place",
    "/api/Order/cancel",
    "/api/Order/modify",
    "/api/Position/closeContract",
)
FAULTS: dict[str, tuple[str, Fault, bool]] = {
    "sent, not booked": (PLACE, Fault.HANG, False),
    "booked, not answered": (PLACE, Fault.HANG, True),
    "first look after a lost answer": (PLACE, Fault.RESET, True),
    "found, not noted": (PLACE, Fault.RESET, True),
    "cancel sent, not booked": (CANCEL, Fault.HANG, False),
    "cancel booked, not answered": (CANCEL, Fault.HANG, True),
    "change booked, not answered": (MODIFY, Fault.HANG, True),
    "close booked, not answered": (CLOSE, Fault.HANG, True),
    "disconnecting with an unknown outcome": (PLACE, Fault.HANG, True),
    "recovering": (PLACE, Fault.HANG, True),
}
"""What the venue does to the request of the point."""
WATCHED = frozenset(point for point, (_, fault, _) in FAULTS.items() if fault is Fault.HANG) - {
    "disconnecting with an unknown outcome"
}
"""Where the victim is killed from outside, once the venue has its request."""
SMOKE = (
    "intent on disk, not handed off",
    "handed off, no byte sent",
    "booked, not answered",
    "answered, not noted",
    "first look after a lost answer",
    "close booked, not answered",
    "close answered, its exits at work",
    "recovering",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seeds = int(metafunc.config.getoption("--crash-seeds", None) or 0)
    points = POINTS if seeds else SMOKE
    cases = [(point, seed) for point in points for seed in range(max(seeds, 1))]
    ids = [f"{point}, seed {seed}" for point, seed in cases]
    metafunc.parametrize(("point", "seed"), cases, ids=ids)


async def test_every_order_is_there_once_and_known(
    point: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with TopStepXSandbox(seed=seed, tick_seconds=0.02) as sandbox:
        for name, value in sandbox.settings.items():
            monkeypatch.setenv(name, value)
        await _kill_one(sandbox, point, seed)
        if point == "recovering":
            async with _victim(point, seed) as again:
                assert await again.wait() == -signal.SIGKILL
        await _check(sandbox, has_exits="exits" in point)


async def _kill_one(sandbox: TopStepXSandbox, point: str, seed: int) -> None:
    trading = "booked, not answered" if point == "recovering" else point
    async with _victim(trading, seed) as victim:
        assert victim.stdin and victim.stdout
        assert (await victim.stdout.readline()).strip() == b"ready"
        if fault := FAULTS.get(point):
            path, kind, handled = fault
            before = sandbox.requests[path]
            sandbox.fail_next(path, kind, handled=handled)
        victim.stdin.write(b"go\n")
        if point in WATCHED:
            while sandbox.requests[path] == before:  # noqa: ASYNC110  # the victim makes it true
                await asyncio.sleep(0.001)
            victim.kill()
        assert await victim.wait() == -signal.SIGKILL, "it was to die, and survived"


@asynccontextmanager
async def _victim(point: str, seed: int) -> AsyncIterator[asyncio.subprocess.Process]:
    victim = await asyncio.create_subprocess_exec(
        sys.executable,
        VICTIM,
        point,
        str(seed),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield victim
    finally:
        if victim.returncode is None:
            victim.kill()
        await victim.communicate()


async def _check(sandbox: TopStepXSandbox, *, has_exits: bool) -> None:
    """The next run of the program: what it knows is what the venue has."""
    config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings))
    told: asyncio.Queue[TradeForgeError] = asyncio.Queue()
    broker = TopStepXProvider(config, safety=QUICK)
    broker.on_error(told.put_nowait)
    async with broker:
        if has_exits:
            async with asyncio.timeout(10):
                left_at_work = await told.get()
            assert isinstance(left_at_work, NotFlat)
            assert len(left_at_work.orders) == 2
        for unknown in broker.unsettled_outcomes():
            await broker.resolve(unknown.client_order_id, timeout=10)
        left = {outcome.client_order_id for outcome in broker.unsettled_outcomes()}
        entries = await broker.get_journal(limit=1000)
    sent = [order for order in sandbox.exchange.orders(1001) if order.parent_id is None]
    tags = Counter(order.tag for order in sent if order.tag)
    assert set(tags.values()) <= {1}, "an intent became two orders"
    assert set(tags) <= {entry.intent.id for entry in entries}, "an order that nobody knows"
    for entry in entries:
        assert entry.state.is_settled or entry.intent.id in left, entry
        if entry.intent.operation is Operation.PLACE:
            there = tags[entry.intent.id]
            assert there == (entry.state is IntentState.ACCEPTED), entry
