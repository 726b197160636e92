"""`tradeforge demo`: the whole job, for a person, for a pipe and for a program."""

import json
import signal
import subprocess
from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_cli.demo.outcome import missing
from tradeforge_cli.demo.record import DemoRecord
from tradeforge_cli.main import main

Start = Callable[..., "subprocess.Popen[str]"]
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.timeout(30)


def test_for_a_program(capsys: Capture) -> None:
    assert main(["demo", "--json", "--seconds", "3", "--seed", "7"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("\n") == 1
    told = json.loads(shown.out)
    assert list(told) == [
        "provider",
        "account",
        "contract",
        "bars",
        "quotes",
        "depth_updates",
        "market_trades",
        "order_events",
        "fills",
        "position_after",
        "realized_pnl",
        "seconds",
    ]
    assert told["provider"] == "topstepx"
    assert told["contract"].startswith("MNQ")
    assert told["bars"] > 60
    assert told["quotes"] >= 20
    assert told["depth_updates"] >= 20
    assert told["market_trades"] >= 1
    assert told["order_events"] >= 6
    assert told["fills"] >= 2
    assert told["position_after"] == 0
    assert isinstance(told["realized_pnl"], str)
    assert Decimal(told["realized_pnl"]) % Decimal("0.5") == 0
    assert 3 <= told["seconds"] < 6


def test_for_a_pipe(capsys: Capture) -> None:
    assert main(["demo", "--seconds", "0.5"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "\x1b" not in shown.out
    wanted = [
        "sandbox is serving",
        "logged in",
        "contract MNQ",
        "bars of a minute",
        "market stream live",
        "user stream live",
        "order BUY 2 market: filled",
        "fill BUY",
        "position long 2",
        ": working",
        ": cancelled",
        "fill SELL",
        "position flat",
        "balance",
        "disconnected",
        "The whole job is done.",
    ]
    for one in wanted:
        assert one in shown.out


def test_ctrl_c_ends_it_at_once_and_cleanly(start: Start) -> None:
    process = start("demo", "--seconds", "5")
    assert process.stdout
    for line in process.stdout:
        if "position long" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    *warned, told = errors.splitlines()
    assert (process.returncode, told) == (130, "tradeforge: interrupted")
    # the position may be known before the answer to the order that made it
    assert all(
        line.endswith("goes on without its caller: its outcome will be an event") for line in warned
    )


def test_a_reader_that_goes_away_ends_it_quietly(start: Start) -> None:
    process = start("demo", "--seconds", "60")
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    assert process.wait(timeout=10) == 141


def test_a_demo_that_saw_nothing_says_all_that_is_missing() -> None:
    lacks = missing(DemoRecord("topstepx", 0, 8.0))
    assert lacks == [
        "no quote arrived",
        "no depth update arrived",
        "no market trade arrived",
        "no account update arrived",
        "no order update arrived",
        "no position update arrived",
        "no fill arrived",
        "the market order was not filled",
        "the limit order was not cancelled",
        "the position is not flat (None)",
    ]
