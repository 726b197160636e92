"""What chaos does to a venue whose answers go through the gate: the faults of every REST API."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Protocol

from attrs import frozen

from tradeforge_testing.chaos.faults import ASKING, Action, ChaosFault, Strike
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.sandbox.planned_faults import RIGHT, Fault

_PLACING = frozenset({Action.PLACE})
_READING = frozenset({Action.READ})


class Gated(Protocol):
    """A sandbox, as far as these faults know one."""

    @property
    def fail_next(self) -> Callable[..., None]: ...
    def lag_reads(self, seconds: float) -> None: ...
    def half_open(self) -> None: ...


@frozen
class GateFaults:
    """`paths` are what each action asks for, `looks` what tells of an order without an answer."""

    sandbox: Callable[[Stage], Gated]
    paths: Mapping[Action, Sequence[str]]
    looks: Sequence[str]

    def answer(self, fault: Fault | int, **details: Any) -> Strike:
        """Spoil the answer to what the action asks for, or to the looks before and after it."""

        def strike(stage: Stage, action: Action, random: Random) -> None:
            handled = details.get("handled", random.random() < 0.5)
            chosen = {**details, "handled": handled}
            if fault in RIGHT:
                del chosen["handled"]
            for path in self.paths[action]:
                self.sandbox(stage).fail_next(path, fault, **chosen)

        return strike

    def look(self, fault: Fault | int, count: int, **details: Any) -> Strike:
        """Lose the answer of the action, and spoil those of the looks that follow."""

        def strike(stage: Stage, action: Action, random: Random) -> None:
            for path in self.paths[action]:
                self.sandbox(stage).fail_next(path, Fault.RESET, handled=random.random() < 0.5)
            for path in self.looks:
                self.sandbox(stage).fail_next(path, fault, count=count, **details)

        return strike

    def lag(self, stage: Stage, action: Action, random: Random) -> None:
        """Show what was so a moment ago."""
        self.sandbox(stage).lag_reads(random.uniform(0.1, 5) * stage.pace)

    def half_open(self, stage: Stage, action: Action, random: Random) -> None:
        """Never again answer on a connection that is open now."""
        self.sandbox(stage).half_open()

    def of_answers(self, forbidden: Mapping[str, Any] | None = None) -> list[ChaosFault]:
        """Answers that are late, broken, or no answers; `forbidden` are details of a 403."""
        return [
            self._one("hang", "F07", Fault.HANG),
            self._one("reset", "F03", Fault.RESET),
            self._one("truncated", "F09", Fault.TRUNCATED),
            self._one("broken_off", "F09", Fault.BROKEN_OFF),
            self._one("html", "F10", Fault.HTML),
            self._one("empty", "F09", Fault.EMPTY),
            self._one("late", "F06", Fault.DELAY, seconds=40.0),
            self._one("mistyped", "F10", Fault.MISTYPED),
            ChaosFault("stale", "F69", self.answer(Fault.STALE), actions=_READING),
            *(self._one(str(status), "F08", status) for status in (500, 502, 503, 504)),
            self._one("429", "F17", 429),
            self._one("429_seconds", "F16", 429, retry_after=3),
            self._one("429_nonsense", "F16", 429, retry_after="soon"),
            self._one("401", "F19", 401),
            self._one("403", "F50", 403, **(forbidden or {})),
            self._one("302", "F20", 302),
        ]

    def of_looks(self) -> list[ChaosFault]:
        """An answer that is lost, and looks that fail; and a whole answer that is none."""
        return [
            self._one("no_object", "F77", Fault.JSON, body=[1, "x", None]),
            ChaosFault("looks_500", "F08", self.look(500, 2), actions=_PLACING),
            ChaosFault("looks_hang", "F07", self.look(Fault.HANG, 1), actions=_PLACING),
            ChaosFault("looks_html", "F10", self.look(Fault.HTML, 2), actions=_PLACING),
        ]

    def _one(self, name: str, rows: str, fault: Fault | int, **details: Any) -> ChaosFault:
        return ChaosFault(name, rows, self.answer(fault, **details), actions=ASKING)
