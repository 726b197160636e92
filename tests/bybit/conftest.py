"""A broker at a small venue that does as it is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.bybit.small_venue import SETTINGS, SmallVenue

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import OrderSafety, load_provider
from tradeforge_core.orders.safety import LookUps


@pytest.fixture
async def venue() -> AsyncIterator[SmallVenue]:
    async with SmallVenue() as venue:
        yield venue


@pytest.fixture
async def broker(
    venue: SmallVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BybitProvider]:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    found = load_provider("bybit", settings=SETTINGS | {"BYBIT_REST_URL": venue.url})
    assert isinstance(found, BybitProvider)
    found.safety = OrderSafety(look_ups=LookUps(deadline=2.0, settle=0.2))
    async with found:
        yield found
