"""A proxy that says everything twice: the second answer is not that of what comes next."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
from tests.topstepx.order_safety.stage import CANCEL, MODIFY, PLACE
from tests.truth_table import SHORT, Outcomes

from tradeforge_core import (
    JournalKind,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderStatus,
    Plugins,
    Settings,
)
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.outcomes import Accepted
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return head + await reader.readexactly(int(length[1]) if length else 0)


@asynccontextmanager
async def doubling(port: int, path: str) -> AsyncIterator[int]:
    """The port of a server in front of another one that gives each answer of this path twice."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                request = await _message(reader)
                requests.write(request)
                answer = await _message(answers)
                writer.write(answer * (2 if path.encode() in request.partition(b"\r\n")[0] else 1))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            requests.close()
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("path", [PLACE.path, CANCEL.path, MODIFY.path])
async def test_the_second_answer_is_thrown_away(path: str) -> None:
    outcomes = Outcomes()
    async with TopStepXSandbox(seed=7) as sandbox, doubling(sandbox.port, path) as port:
        settings = sandbox.settings | {"TS_REST_URL": f"http://127.0.0.1:{port}"}
        config = TopStepXConfig.from_settings(Settings("topstepx", settings))
        config = attrs.evolve(config, timeouts=HttpTimeouts(answer=1.0))
        safety = OrderSafety(journal=JournalKind.MEMORY, look_ups=SHORT)
        async with TopStepXProvider(config, safety=safety, plugins=Plugins([outcomes])) as broker:
            account, *_ = await broker.get_accounts()
            contract = await broker.get_contract_by_symbol("MNQ")
            order = OrderRequest.limit(
                account.id, contract.id, OrderSide.BUY, 1, contract.tick_size
            )
            placed = [await broker.place_order(order) for _ in range(3)]
            if path != PLACE.path:
                await broker.modify_order(account.id, placed[0].id, size=2)
                sandbox.fail_next(CANCEL.path, 503, handled=False)
                await broker.cancel_order(account.id, placed[0].id)
                status = sandbox.exchange.order(int(account.id), int(placed[0].id)).status
                assert status is OrderStatus.CANCELLED
            sandbox.fail_next(PLACE.path, 503, handled=False)
            with pytest.raises(OrderOutcomeUnknown):
                await broker.place_order(order)
        booked = {one.tag: str(one.id) for one in sandbox.exchange.orders(int(account.id))}
        assert {one.client_order_id: one.id for one in placed} == booked
        accepted = [one for one in outcomes if isinstance(one, Accepted) and one.order]
        assert len(accepted) == len(booked) == sandbox.requests[PLACE.path] - 1
