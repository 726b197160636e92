"""`tradeforge quotes`: live prices that say how old they are."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from tradeforge_cli.interruption import run, while_painting
from tradeforge_cli.options import Json, ProviderName, chosen_provider, found_contract, looking
from tradeforge_cli.quotes.board import QuoteBoard
from tradeforge_cli.quotes.screens import JsonLines, LiveTable, QuoteScreen, TextLines
from tradeforge_cli.terminal import has_room, output
from tradeforge_core import ConfigError, Contract, MarketDataType, MarketHours, Provider


def quotes(
    contracts: Annotated[
        list[str], Parameter(help="Roots (MNQ: the front month), symbols (MNQZ6) or contract ids.")
    ],
    /,
    *,
    seconds: Annotated[
        float | None,
        Parameter(
            help="End after this many seconds; without it, Ctrl-C ends.", validator=Number(gt=0)
        ),
    ] = None,
    as_json: Json = False,
    provider: ProviderName = None,
) -> int:
    """Watch live quotes until Ctrl-C.

    When the connection is lost the table says so, greys the prices that are no longer live, and
    shows the gap. With --json every event is one line, the gaps and changes of status too.
    """
    try:
        run(_quotes(looking(chosen_provider(provider)), contracts, seconds, as_json=as_json))
    except KeyboardInterrupt:
        if seconds is not None:  # it was cut short; without an end of its own this is its end
            raise
    return 0


async def _quotes(
    broker: Provider, names: list[str], seconds: float | None, *, as_json: bool
) -> None:
    async with broker:
        found = [await found_contract(broker, name) for name in names]
        board = QuoteBoard.of(found, partial(_hours_of, broker))
        screen = _screen(board, as_json=as_json)
        broker.on_error(screen.take_error)
        with screen:
            await while_painting(_follow(broker, board, screen, seconds), screen.paint)


def _hours_of(broker: Provider, contract: Contract) -> MarketHours | None:
    """None too where this machine does not know the time zone: quotes are shown all the same."""
    with suppress(ConfigError):
        return broker.market_hours(contract)
    return None


def _screen(board: QuoteBoard, *, as_json: bool) -> QuoteScreen:
    if as_json:
        return JsonLines()
    console = output()
    return LiveTable(board, console) if has_room(console) else TextLines(board)


async def _follow(
    broker: Provider, board: QuoteBoard, screen: QuoteScreen, seconds: float | None
) -> None:
    async with broker.subscribe_market_data(board.rows, [MarketDataType.QUOTE]) as events:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for event in events:
                    screen.take(event)
