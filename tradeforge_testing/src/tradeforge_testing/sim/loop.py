"""An event loop whose time passes only when nothing is left to do, and then all at once."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import get_ident
from typing import Any, TypeVar

from tradeforge_core.kit.chance import seeded
from tradeforge_core.kit.clock import using
from tradeforge_core.kit.websocket import over_asyncio
from tradeforge_testing.sim.network import MemoryNetwork

T = TypeVar("T")

_START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


class Deadlock(RuntimeError):
    """Everybody waits, and nothing is on its way that could wake anybody."""


class _Leap(selectors.SelectSelector):
    """Never waits: the loop's time moves on by as much as the wait would have taken."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.heard_of_thread = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.heard_of_thread:
            raise RuntimeError(_NO_THREADS)
        if timeout is None:
            raise Deadlock("nothing is scheduled, and nobody is left who could go on")
        self.elapsed += max(timeout, 0.0)
        return []


_NO_THREADS = (
    "another thread has spoken to the simulated loop, whose time does not wait for threads:"
    " do the work in the loop (a journal has to be JournalKind.MEMORY)"
)


class _Task(asyncio.Task[Any]):
    """Has a number for its hash, so that a set of tasks has the same order in each run."""

    def __init__(self, work: Any, *, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs `asyncio` programs in virtual time, and their connections through a `MemoryNetwork`.

    `loop.time()` begins at zero. Work for threads is done at once, where it is asked for. Raises
    `Deadlock` instead of waiting for ever. Sockets of the system are not served.
    """

    def __init__(self, network: MemoryNetwork | None = None) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)
        self.network = network or MemoryNetwork()
        self._home = get_ident()
        self._tasks = count()
        self.set_task_factory(
            lambda loop, work, **options: _Task(
                work, loop=loop, number=next(self._tasks), **options
            )
        )

    def time(self) -> float:
        return self._leap.elapsed

    def close(self) -> None:
        super().close()
        self.network.close()

    def timers(self) -> list[str]:
        """What is still to be called at a time to come."""
        waiting: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # of the base
        return [repr(one) for one in waiting if not one.cancelled()]

    async def create_connection(  # type: ignore[override]  # of all it can do, what programs use
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        _refuse(options, "ssl", "sock")
        return await self.network.connect(protocol_factory, host, port)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: Any = None,
        port: int | None = None,
        **options: Any,
    ) -> asyncio.AbstractServer:
        _refuse(options, "ssl")
        return self.network.listen(protocol_factory, port, options.get("sock"))

    def call_soon_threadsafe(  # type: ignore[override]  # typeshed knows what args fit the callback
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self.is_running() and get_ident() != self._home:
            self._leap.heard_of_thread = True
        return super().call_soon_threadsafe(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # it is raised where the future is awaited
            done.set_exception(error)
        return done


class VirtualClock:
    """A `Clock` that shows the time of a `VirtualLoop`, which begins at `start`.

    That is an aware time, by default a Monday at 14:30 UTC.
    """

    def __init__(self, loop: VirtualLoop, start: datetime = _START) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def simulate(
    program: Callable[[], Coroutine[Any, Any, T]],
    *,
    seed: int = 0,
    network: MemoryNetwork | None = None,
    start: datetime = _START,
) -> T:
    """The result of the program, run to its end in virtual time that begins at `start`.

    What it makes has its clock from `current_clock` and its chance from `seed`, if it is given
    none. Raises what the program raises, and `Deadlock`.
    """
    loop = VirtualLoop(network)
    with seeded(seed), using(VirtualClock(loop, start)), over_asyncio():
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(program())


def _refuse(options: dict[str, Any], *names: str) -> None:
    for name in names:
        if options.get(name) is not None:
            raise NotImplementedError(f"a simulated network has no {name}")
