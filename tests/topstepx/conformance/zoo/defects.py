"""A defect of the zoo: a provider that is wrong in one thing, and what has to catch it."""

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar, TypeVar

import msgspec
from attrs import frozen

from tradeforge_core import Event, Topic, TradeForgeError
from tradeforge_core.streams.link import StreamLink
from tradeforge_testing.chaos.run import MakeVenue
from tradeforge_testing.conformance import ProviderConformance
from tradeforge_topstepx._events import EventReader, Memory
from tradeforge_topstepx._hubs import HubLink
from tradeforge_topstepx._signalr import HubConnection
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox.chaos import TopStepXChaos

Broken = TypeVar("Broken", bound=type[TopStepXProvider])


@frozen(kw_only=True)
class Defect:
    """A broken provider; each of the requirements `caught_by` has to fail with it."""

    name: str
    sentence: str
    caught_by: tuple[str, ...]
    provider: type[TopStepXProvider]
    raises: tuple[type[Exception], ...] = ()
    """What escapes because of the defect itself, besides what the kit raises."""

    def is_caught_as(self, error: Exception) -> bool:
        """Whether the kit found it: an error of the defect's own code proves nothing."""
        if isinstance(error, (AssertionError, TradeForgeError, TimeoutError, *self.raises)):
            return True
        raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
        return "/tradeforge_testing/conformance/" in raised_in


ZOO: dict[str, Defect] = {}


def defect(*caught_by: str, raises: Sequence[type[Exception]] = ()) -> Callable[[Broken], Broken]:
    """Enter the provider into the zoo, by the words of its name and the sentence of its doc."""

    def enter(provider: Broken) -> Broken:
        name = re.sub(r"(?<!^)(?=[A-Z])", " ", provider.__name__).lower()
        assert name not in ZOO and provider.__doc__, name
        sentence = " ".join(provider.__doc__.split())
        ZOO[name] = Defect(
            name=name,
            sentence=sentence,
            caught_by=caught_by,
            provider=provider,
            raises=tuple(raises),
        )
        return provider

    return enter


def suite_of(broken: type[TopStepXProvider]) -> type[ProviderConformance]:
    """The kit, about this provider."""

    class Venue(TopStepXChaos):
        @property
        def provider_type(self) -> type[TopStepXProvider]:
            return broken

    class Conformance(ProviderConformance):
        provider = "zoo" if hasattr(broken, "plugin") else "topstepx"
        met: ClassVar[Counter[str]] = Counter()

        def make_venue(self) -> MakeVenue:
            return Venue

    return Conformance


class Retelling(TopStepXProvider):
    """Tells each event of its streams as `retell` has it."""

    def retell(self, event: Event) -> Iterable[Event]:
        raise NotImplementedError

    def _make_link(self, stream: str) -> StreamLink:
        link = super()._make_link(stream)
        assert isinstance(link, HubLink)
        link._reader = _Retold(self._memory, self.retell)
        return link


class _Retold(EventReader):
    def __init__(self, memory: Memory, retell: Callable[[Event], Iterable[Event]]) -> None:
        super().__init__(memory)
        self._retell = retell

    def take(self, record: bytes, received: datetime) -> tuple[Topic, Sequence[Event]] | None:
        if (found := super().take(record, received)) is None:
            return None
        topic, events = found
        return topic, [new for event in events for new in self._retell(event)]

    def read(
        self, target: str, arguments: msgspec.Raw, received: datetime
    ) -> Iterator[tuple[Topic, Event]]:
        for topic, event in super().read(target, arguments, received):
            for new in self._retell(event):
                yield topic, new


class Reopening(HubLink):
    """A link that can make itself a new connection."""

    def new_hub(self) -> HubConnection:
        return HubConnection(
            self._hub._url,
            received=self._deliver,
            typed=self._deliver_typed,
            not_understood=self._not_understood,
            clock=self._clock,
            limits=self._hub._limits,
        )


class Linked(TopStepXProvider):
    """Its links are of the class `Link`."""

    Link: ClassVar[type[HubLink]]

    def _make_link(self, stream: str) -> StreamLink:
        link = super()._make_link(stream)
        assert isinstance(link, HubLink)
        link.__class__ = self.Link
        return link
