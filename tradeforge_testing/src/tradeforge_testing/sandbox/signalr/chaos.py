"""What can go wrong with the hubs of any venue, for chaos."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tradeforge_testing.chaos.faults import CONNECTED, MOVING, Action, ChaosFault, Strike
from tradeforge_testing.sandbox.signalr.event_faults import EventFault
from tradeforge_testing.sandbox.signalr.hub import Hub, Silence

if TYPE_CHECKING:
    from tradeforge_testing.chaos.stage import Stage

HubsOf = Callable[["Stage"], Sequence[Hub]]


def hub_faults(hubs_of: HubsOf, events: Sequence[str]) -> Sequence[ChaosFault]:
    """The faults of these hubs; `events` are the private ones that a trader depends on."""
    spoiled = (
        ("event_lost", "F67", EventFault.LOST, 1),
        ("event_doubled", "F64", EventFault.DUPLICATED, 2),
        ("events_reordered", "F65 F66", EventFault.REORDERED, 2),
        ("event_padded", "F77", EventFault.PADDED, 2),
        ("event_malformed", "F53", EventFault.MALFORMED, 1),
    )
    striking = (
        ("hubs_closed", "F46 F47", _close),
        ("hubs_reset", "F46 F57", _reset),
        ("hubs_mute", "F67", partial(_mute, Silence.EVENTS)),
        ("hubs_dead", "F45", partial(_mute, Silence.EVERYTHING)),
        ("events_late", "F65", _late),
    )
    return (
        *(
            ChaosFault(name, rows, _spoiling(hubs_of, events, fault, count), actions=MOVING)
            for name, rows, fault, count in spoiled
        ),
        *(
            ChaosFault(name, rows, partial(strike, hubs_of), actions=CONNECTED, at_once=True)
            for name, rows, strike in striking
        ),
    )


def _spoiling(hubs_of: HubsOf, events: Sequence[str], fault: EventFault, count: int) -> Strike:
    def strike(stage: "Stage", action: Action, random: Random) -> None:
        for hub in hubs_of(stage):
            for event in events:
                if event in hub.events:
                    hub.delivery.faults.add(event, fault, count)

    return strike


async def _close(hubs_of: HubsOf, stage: "Stage", action: Action, random: Random) -> None:
    allow_reconnect = random.random() < 0.5
    await asyncio.gather(*(one.drop(allow_reconnect=allow_reconnect) for one in hubs_of(stage)))


def _reset(hubs_of: HubsOf, stage: "Stage", action: Action, random: Random) -> None:
    """One of them, or all."""
    hubs = hubs_of(stage)
    for hub in random.choice([*([one] for one in hubs), hubs]):
        hub.reset()


def _mute(
    silence: Silence, hubs_of: HubsOf, stage: "Stage", action: Action, random: Random
) -> None:
    for hub in hubs_of(stage):
        hub.mute(silence)


def _late(hubs_of: HubsOf, stage: "Stage", action: Action, random: Random) -> None:
    seconds = random.uniform(0, 20) * stage.pace
    for hub in hubs_of(stage):
        hub.delivery.pacer.delay = seconds
