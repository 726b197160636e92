"""Quotes for a program, for a pipe, and for a person: one class each, with the same methods."""

import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tradeforge_cli.failures import say
from tradeforge_cli.figures import price_text, size_text
from tradeforge_cli.gaps import gap_text
from tradeforge_cli.quotes.board import QuoteBoard
from tradeforge_cli.quotes.table import quote_table
from tradeforge_cli.terminal import warnings_to
from tradeforge_core import Gap, MarketEvent, QuoteEvent, StatusChanged, TradeForgeError, to_json


class QuoteScreen(Protocol):
    def __enter__(self) -> object: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def take(self, event: MarketEvent) -> None:
        """One event of the stream."""

    def take_error(self, error: TradeForgeError) -> None:
        """An error of the stream that no caller is there to catch."""

    def paint(self) -> None:
        """Called several times a second, and at the end."""


class JsonLines:
    """Every event as one line of JSON, health events too."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        pass

    def take(self, event: MarketEvent) -> None:
        sys.stdout.write(to_json(event) + "\n")
        sys.stdout.flush()

    def take_error(self, error: TradeForgeError) -> None:
        say(str(error))

    def paint(self) -> None:
        pass


class TextLines(JsonLines):
    """Every event as one line of text."""

    def __init__(self, board: QuoteBoard) -> None:
        self._rows = board.rows

    def take(self, event: MarketEvent) -> None:
        if line := self._line(event):
            sys.stdout.write(f"{event.received.astimezone():%H:%M:%S} {line}\n")
            sys.stdout.flush()

    def _line(self, event: MarketEvent) -> str | None:
        if isinstance(event, QuoteEvent):
            return self._quote_line(event)
        if isinstance(event, StatusChanged):
            reason = f" ({event.reason})" if event.reason else ""
            return f"{event.stream} stream {event.status}{reason}"
        if isinstance(event, Gap):
            return gap_text(event, {key: row.contract.symbol for key, row in self._rows.items()})
        return None

    def _quote_line(self, event: QuoteEvent) -> str:
        contract = self._rows[event.contract_id].contract
        bid, ask, last = (
            price_text(price, contract.tick_size) for price in (event.bid, event.ask, event.last)
        )
        volume = size_text(event.volume)
        return f"{contract.symbol} bid {bid} ask {ask} last {last} volume {volume}"


class LiveTable:
    """A table that changes in place; what it shows last stays on the screen."""

    def __init__(self, board: QuoteBoard, console: Console) -> None:
        self._board = board
        self._console = console
        # painted by the command's own loop, so that ages grow while nothing arrives
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._shown = ExitStack()

    def __enter__(self) -> None:
        self._shown.enter_context(warnings_to(self._board.note))
        self._shown.enter_context(self._live)

    def __exit__(self, *exc_info: object) -> None:
        self.paint()
        self._shown.close()
        ended = datetime.now().astimezone()
        self._console.print(
            Text(f"Ended at {ended:%H:%M:%S}; these prices are no longer live.", "dim")
        )

    def take(self, event: MarketEvent) -> None:
        self._board.take(event)

    def take_error(self, error: TradeForgeError) -> None:
        self._board.note(f"error: {error}")

    def paint(self) -> None:
        self._live.update(quote_table(self._board, datetime.now(UTC)), refresh=True)
