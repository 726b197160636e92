"""Clients of other people, each in a process of its own."""

import asyncio
import sys
from decimal import Decimal

from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import TopStepXSandbox

MNQ = "CON.F.US.MNQ.H26"

# Importing pysignalr changes websockets for the whole process, so it has one to itself.
PYSIGNALR = """
import asyncio, json, sys
from pysignalr.client import SignalRClient
from pysignalr.exceptions import ServerError

async def main(url, token, contract):
    client = SignalRClient(f"{url}?access_token={token}")

    async def say(*words):
        print(json.dumps(words), flush=True)

    async def subscribed(completion):
        await say("subscribed", completion.result)

    async def ready():
        await client.send("Heartbeat", [{"at": 1}])
        await client.send("SubscribeContractQuotes", [contract], on_invocation=subscribed)

    client.on_open(ready)
    client.on("GatewayQuote", lambda arguments: say("quote", *arguments))
    try:
        await client.run()
    except ServerError as error:
        await say("dropped", str(error))

while True:
    asyncio.run(main(*sys.argv[1:]))
"""
DROPPED = b'["dropped", "Connection closed with an error."]\n'


async def test_pysignalr_negotiates_subscribes_hears_and_comes_back(
    sandbox: TopStepXSandbox, exchange: Exchange, token: str
) -> None:
    url = f"{sandbox.url}/hubs/market"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PYSIGNALR, url, token, MNQ, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            await _subscribes(process.stdout)
            exchange.move_to(MNQ, Decimal(29600))
            assert b'"lastPrice": 29600' in await _quote(process.stdout)
            await sandbox.drop_hubs()
            assert await process.stdout.readline() == DROPPED
            await _subscribes(process.stdout)
    finally:
        process.kill()
        await process.wait()
    assert sandbox.requests["/hubs/market/negotiate"] == 2


async def _subscribes(lines: asyncio.StreamReader) -> None:
    heard = {(await lines.readline())[:12], (await lines.readline())[:12]}
    assert heard == {b'["subscribed', b'["quote", "C'}


async def _quote(lines: asyncio.StreamReader) -> bytes:
    while b"lastPrice" not in (line := await lines.readline()):
        assert line
    return line
