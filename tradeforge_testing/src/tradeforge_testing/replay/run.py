"""A recording, played to the provider that it was recorded with."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define, field, frozen

from tradeforge_core import Event, Gap, Plugins, StatusChanged, TradeForgeError, hookimpl
from tradeforge_core.kit.clock import using
from tradeforge_core.registry import load_sandbox_module
from tradeforge_core.state.digest import digest_of
from tradeforge_testing.replay.clock import ReplayClock
from tradeforge_testing.replay.player import Pace, Player
from tradeforge_testing.replay.recording import Recording
from tradeforge_testing.sim import MemoryNetwork, simulate


@define
class _Watcher:
    """An add-on that sees what happens."""

    told: Callable[[Event], None]
    counts: Counter[str] = field(factory=Counter)
    gaps: list[Gap] = field(factory=list)
    statuses: list[StatusChanged] = field(factory=list)

    @hookimpl
    def tradeforge_event(self, event: Event) -> None:
        self.counts[type(event).__name__] += 1
        self.told(event)
        if isinstance(event, Gap):
            self.gaps.append(event)
        elif isinstance(event, StatusChanged):
            self.statuses.append(event)


@frozen(kw_only=True)
class Difference:
    """Something that was known otherwise at the end; None for what was not known at all."""

    recorded: str | None
    replayed: str | None


@frozen(kw_only=True)
class Replayed:
    """What came of a replay."""

    recording: Recording
    counts: Counter[str]
    """Events by their name."""
    gaps: Sequence[Gap]
    statuses: Sequence[StatusChanged]
    refusals: Sequence[TradeForgeError]
    """What the program was told in place of data."""
    errors: Sequence[TradeForgeError]
    """What was reported while data came."""
    unasked: Counter[str]
    """Requests of the recording that were not made again: those of the program itself."""
    surprises: Counter[str]
    """Requests that were not in the recording."""
    known: tuple[str, ...]

    @property
    def state(self) -> str:
        return digest_of(self.known)

    @property
    def is_comparable(self) -> bool:
        """Whether all of the session is there, from its beginning to its end."""
        recording = self.recording
        return not (recording.state is None or recording.dropped or recording.known_before)

    @property
    def is_same(self) -> bool:
        return self.state == self.recording.state

    @property
    def shared(self) -> int:
        """How much of what was known at the end is known here as well, to the last digit."""
        return (Counter(self.recording.known) & Counter(self.known)).total()

    @property
    def difference(self) -> Difference | None:
        """The first thing that is not as it was."""
        recorded = sorted((Counter(self.recording.known) - Counter(self.known)).elements())
        replayed = sorted((Counter(self.known) - Counter(self.recording.known)).elements())
        if not recorded and not replayed:
            return None
        first = min(recorded[:1] + replayed[:1])
        return Difference(recorded=_twin(first, recorded), replayed=_twin(first, replayed))


def run_replay(
    path: Path,
    *,
    told: Callable[[Event], None] = lambda event: None,
    pace: Pace = lambda seconds: None,
) -> Replayed:
    """Play the recording, and tell what came of it. It needs no network, and no account.

    `told` is called with every event, as it happens. `pace` is called with the seconds between the
    lines; without it they do not pass. Raises
    `DecodeError`, `OSError` for the file, `ProviderNotFound`, and `LookupError` for a provider that
    cannot be replayed.
    """
    recording = Recording.read(path)
    module = load_sandbox_module(recording.provider)
    make_venue = getattr(module, "replay_venue", None)
    if make_venue is None:
        raise LookupError(f"{recording.provider} cannot be replayed")

    async def program() -> Replayed:
        clock, watcher = ReplayClock(recording.began), _Watcher(told)
        with using(clock):
            async with make_venue(recording, clock) as venue:
                broker = venue.provider(Plugins([watcher]))
                errors: list[TradeForgeError] = []
                broker.on_error(errors.append)
                player = Player(recording, venue, broker, clock, pace)
                await player.play()
        return Replayed(
            recording=recording,
            counts=watcher.counts,
            gaps=watcher.gaps,
            statuses=watcher.statuses,
            refusals=player.refusals,
            errors=errors,
            unasked=Counter(
                f"{one.method} {one.path}"
                for one in venue.desk.exchanges.values()
                if not one.is_asked
            ),
            surprises=Counter(venue.desk.surprises),
            known=tuple(broker.everything_known()),
        )

    return simulate(program, network=MemoryNetwork(), start=recording.began)


def _twin(first: str, lines: list[str]) -> str | None:
    """The line that is about the same thing: the kind and the id come first in each."""
    about = first.split(" ")[:2]
    return next((one for one in lines if one.split(" ")[:2] == about), None)
