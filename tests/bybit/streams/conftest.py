"""A broker whose sockets are heard by a venue that does as it is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.bybit.small_venue import SETTINGS, SmallVenue
from tests.bybit.streams.socket_venue import SocketVenue

from tradeforge_bybit._socket import SocketLimits
from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import Event, Plugins, Settings
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts


@pytest.fixture
async def sockets(venue: SmallVenue) -> AsyncIterator[SocketVenue]:
    async with SocketVenue(venue) as sockets:
        yield sockets


@pytest.fixture
async def broker(
    sockets: SocketVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BybitProvider]:
    """It notices a dead line within a second, and comes back at once."""
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    settings = Settings("bybit", SETTINGS | sockets.settings)
    broker = BybitProvider(
        BybitConfig.from_settings(settings),
        plugins=Plugins(installed=False),
        backoff=Backoff(base=0.0, attempts_a_minute=100),
        timeouts=StreamTimeouts(renew=0.1, linger=0.1),
        audit=AuditTimes(settle=0.02),
        socket_limits=SocketLimits(ping_every=0.2, silence=0.6, look_every=0.05, answer=1.0),
    )
    async with broker:
        yield broker


@pytest.fixture
async def heard(broker: BybitProvider) -> list[Event]:
    found: list[Event] = []
    broker.on_event(found.append)
    return found
