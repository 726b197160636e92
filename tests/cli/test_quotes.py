"""`tradeforge quotes`: one line for each event, until it is told to end."""

import json
import signal
import subprocess
from collections.abc import Callable

import pytest

from tradeforge_cli.main import main
from tradeforge_core import (
    Event,
    Gap,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    from_json,
)

Start = Callable[..., "subprocess.Popen[str]"]
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.timeout(40)


def until(process: "subprocess.Popen[str]", wanted: Callable[[Event], bool]) -> list[Event]:
    """The events up to and including the first that is wanted."""
    assert process.stdout
    seen: list[Event] = []
    for line in process.stdout:
        seen.append(from_json(Event, line))
        if wanted(seen[-1]):
            return seen
    raise AssertionError(f"the command ended too early: {process.communicate()}")


def is_quote(event: Event) -> bool:
    return isinstance(event, QuoteEvent)


def is_lost(event: Event) -> bool:
    return isinstance(event, StatusChanged) and event.status is StreamConnectionStatus.RECONNECTING


@pytest.mark.usefixtures("venue")
def test_every_line_of_json_is_an_event(capsys: Capture) -> None:
    main(["contracts", "search", "GC", "--json"])
    (gold,) = json.loads(capsys.readouterr().out)  # whichever is in front today
    assert main(["quotes", "MNQ", gold["id"], "--json", "--seconds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    events: list[Event] = [from_json(Event, line) for line in lines]
    quotes = [event for event in events if isinstance(event, QuoteEvent)]
    assert any(quote.contract_id.startswith("CON.F.US.MNQ") for quote in quotes)
    assert isinstance(events[0], StatusChanged)


@pytest.mark.usefixtures("venue")
def test_symbol_root_and_id_name_the_same_contract(capsys: Capture) -> None:
    main(["contracts", "search", "MNQ", "--json"])
    (contract,) = json.loads(capsys.readouterr().out)
    names = [contract["root"], contract["symbol"], contract["id"]]
    assert main(["quotes", *names, "--seconds", "0.5"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "\x1b" not in shown.out
    quotes = [line for line in shown.out.splitlines() if " bid " in line]
    assert all(line.split()[1] == contract["symbol"] for line in quotes)
    assert quotes


@pytest.mark.usefixtures("venue")
@pytest.mark.parametrize(
    ("number", "more", "code"),
    [
        (signal.SIGINT, [], 0),
        (signal.SIGINT, ["--seconds", "60"], 130),
        (signal.SIGTERM, [], 143),
    ],
)
def test_signals_end_it_cleanly(
    number: signal.Signals, more: list[str], code: int, start: Start
) -> None:
    process = start("quotes", "MNQ", "--json", *more)
    until(process, is_quote)
    process.send_signal(number)
    rest, errors = process.communicate()
    assert process.returncode == code
    assert errors in ("", "tradeforge: interrupted\n")
    assert all(json.loads(line) for line in rest.splitlines())


@pytest.mark.usefixtures("venue")
def test_a_reader_that_goes_away_ends_it_quietly(start: Start) -> None:
    process = start("quotes", "MNQ", "--json")
    until(process, is_quote)
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_a_venue_that_goes_and_comes_back(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start("sandbox", "topstepx", "--json")
    assert first.stdout
    settings = json.loads(first.stdout.readline())
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    watching = start("quotes", "MNQ", "--json")
    until(watching, is_quote)
    first.terminate()
    assert first.wait() == 0
    until(watching, is_lost)
    start("sandbox", "topstepx", "--port", settings["TS_REST_URL"].rpartition(":")[2])
    told = until(watching, lambda event: isinstance(event, Gap))
    assert not any(map(is_quote, told))  # nothing is sold as live while nothing is known
    until(watching, is_quote)
