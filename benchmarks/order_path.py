"""What the order path adds to an order, beside a bare post of httpx to the same venue.

The same limit orders, in turns: posted bare over one kept connection, and placed by the provider,
with its checks, its gate, its journal and its events. Printed are the medians of the milliseconds,
the 99th percentiles, and what the path adds to the bare post in the same run. The venue is a
sandbox in a process of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import httpx

from tradeforge_core import Contract, JournalKind, OrderRequest, OrderSafety, OrderSide, Settings
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider

_AT_ONE_VENUE = 40
"""Orders of each kind at one sandbox: it allows two hundred requests a minute."""
PlaceOne = Callable[[], Awaitable[object]]


@contextmanager
def venue() -> Iterator[dict[str, str]]:
    """The settings of a sandbox."""
    tradeforge = Path(sys.executable).with_name("tradeforge")
    command = [str(tradeforge), "sandbox", "topstepx", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            assert sandbox.stdout
            yield json.loads(sandbox.stdout.readline())
        finally:
            sandbox.terminate()


@asynccontextmanager
async def provider(settings: dict[str, str], kind: JournalKind) -> AsyncIterator[PlaceOne]:
    """Places an order by the provider."""
    config = TopStepXConfig.from_settings(Settings("topstepx", settings))
    async with TopStepXProvider(config, safety=OrderSafety(journal=kind)) as broker:
        account, *_ = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol("MNQ")
        request = OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, _far(contract))
        yield lambda: broker.place_order(request)


@asynccontextmanager
async def bare(settings: dict[str, str]) -> AsyncIterator[PlaceOne]:
    """Posts an order, and reads no more of the answer than that it is there."""
    async with httpx.AsyncClient(base_url=settings["TS_REST_URL"]) as client:
        login = {"userName": settings["TS_USERNAME"], "apiKey": settings["TS_API_KEY"]}
        token = (await client.post("/api/Auth/loginKey", json=login)).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        search = {"searchText": "MNQ", "live": False}
        found = await client.post("/api/Contract/search", json=search, headers=headers)
        contract_id = found.json()["contracts"][0]["id"]

        async def place() -> None:
            body = {
                "accountId": 1001,
                "contractId": contract_id,
                "type": 1,
                "side": 0,
                "size": 1,
                "limitPrice": 1.0,
                "customTag": new_client_order_id(_now()),
            }
            answer = await client.post("/api/Order/place", json=body, headers=headers)
            assert answer.json()["success"], answer.text

        yield place


async def measure(orders: int) -> dict[str, list[float]]:
    """The milliseconds of each order, by how it was sent."""
    times: dict[str, list[float]] = {}
    while len(times.get("bare", [])) < orders:
        await _measure_at_one_venue(times, min(orders - len(times.get("bare", [])), _AT_ONE_VENUE))
    return times


async def _measure_at_one_venue(times: dict[str, list[float]], orders: int) -> None:
    with venue() as settings:
        async with AsyncExitStack() as stack:
            ways = {
                "bare": await stack.enter_async_context(bare(settings)),
                **{
                    kind.value: await stack.enter_async_context(provider(settings, kind))
                    for kind in JournalKind
                },
            }
            for place in ways.values():
                await place()  # connections and statements are made by the first one
            for _ in range(orders):
                for way, place in ways.items():
                    began = perf_counter()
                    await place()
                    times.setdefault(way, []).append(1000 * (perf_counter() - began))


def rows(times: dict[str, list[float]]) -> list[dict[str, object]]:
    """Medians, 99th percentiles, and what is added to the bare post."""
    base = median(times["bare"]), _p99(times["bare"])
    return [
        {
            "order": name,
            "p50_ms": round(median(found), 3),
            "p99_ms": round(_p99(found), 3),
            "added_p50_ms": round(median(found) - base[0], 3),
            "added_p99_ms": round(_p99(found) - base[1], 3),
        }
        for name, found in times.items()
    ]


def _far(contract: Contract) -> Decimal:
    """A price at which nothing fills."""
    return contract.tick_size * 4


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _state_in(folder: str) -> Iterator[None]:
    """The journal of the measurement: on this disk, and not that of the user."""
    before = os.environ.get("TRADEFORGE_STATE_DIR")
    os.environ["TRADEFORGE_STATE_DIR"] = folder
    try:
        yield
    finally:
        os.environ.pop("TRADEFORGE_STATE_DIR")
        if before is not None:
            os.environ["TRADEFORGE_STATE_DIR"] = before


def _p99(found: list[float]) -> float:
    return quantiles(found, n=100)[-1] if len(found) > 1 else found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=400, help="of each kind")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, _state_in(folder):
        found = rows(asyncio.run(measure(arguments.orders)))
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{'an order':10} {'p50 ms':>8} {'p99 ms':>8} {'adds p50':>9} {'adds p99':>9}")
    for row in found:
        name, *numbers = row.values()
        print(f"{name:10} " + " ".join(f"{number:8.3f}" for number in numbers))


if __name__ == "__main__":
    main()
