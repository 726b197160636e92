"""Clients that go away in the middle of a request, and a sandbox that ends: nothing is printed."""

import asyncio

import httpx
import pytest
from tests.plain_http import plain_http

from tradeforge_topstepx.sandbox import Fault, TopStepXSandbox

LOGIN = "/api/Auth/loginKey"
KEY = {"userName": "sandbox", "apiKey": "sandbox-key"}


async def _until(sandbox: TopStepXSandbox, *, busy: bool) -> None:
    async with asyncio.timeout(5):
        while bool(sandbox._server._uvicorn.server_state.tasks) is not busy:  # noqa: ASYNC110
            await asyncio.sleep(0)  # uvicorn has no event for it


@pytest.mark.parametrize("path", [LOGIN, "/_sandbox/advance"])
async def test_a_client_that_leaves_with_half_a_body(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with TopStepXSandbox(control=True) as sandbox:
        _, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
        writer.write(head.encode() + b'{"half')
        await writer.drain()
        await _until(sandbox, busy=True)
        writer.close()
        await writer.wait_closed()
        async with plain_http(sandbox.url) as client:
            assert (await client.post(LOGIN, json=KEY)).json()["success"]
        await _until(sandbox, busy=False)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_sandbox_that_ends_before_a_late_answer(caplog: pytest.LogCaptureFixture) -> None:
    async def leave() -> None:
        async with TopStepXSandbox() as sandbox:
            sandbox.fail_next(LOGIN, Fault.DELAY, seconds=1000)
            async with plain_http(sandbox.url, timeout=0.1) as client:
                with pytest.raises(httpx.ReadTimeout):
                    await client.post(LOGIN, json=KEY)

    asyncio.run(leave())
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
