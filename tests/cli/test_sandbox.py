"""`tradeforge sandbox`: a venue to copy settings from, that ends when it is told to."""

import json
import shlex
import signal
import subprocess
from collections.abc import Callable

import httpx
import pytest

from tradeforge_cli.main import main

Start = Callable[..., "subprocess.Popen[str]"]
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.timeout(20)


def exports(process: "subprocess.Popen[str]") -> dict[str, str]:
    """The settings among the lines that the sandbox prints."""
    assert process.stdout
    found: dict[str, str] = {}
    while "TS_MARKET_HUB_URL" not in found:
        line = process.stdout.readline()
        assert line.startswith(("# ", "export ")), line
        if line.startswith("export "):
            (setting,) = shlex.split(line.removeprefix("export "))
            name, _, value = setting.partition("=")
            found[name] = value
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_settings_that_work_and_ends_cleanly(
    number: signal.Signals, start: Start, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    process = start("sandbox", "topstepx")
    for name, value in exports(process).items():
        monkeypatch.setenv(name, value)
    assert main(["accounts"]) == 0
    assert "150,000.00" in capsys.readouterr().out
    process.send_signal(number)
    rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_settings_as_one_line_of_json(start: Start) -> None:
    process = start("sandbox", "topstepx", "--json", "--seed", "3")
    assert process.stdout
    settings = json.loads(process.stdout.readline())
    assert {"TS_USERNAME", "TS_API_KEY", "TS_REST_URL"} <= set(settings)
    process.terminate()
    rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize(("options", "status"), [((), 404), (("--control",), 200)])
def test_it_can_be_scripted_only_when_asked_for(
    options: tuple[str, ...], status: int, start: Start
) -> None:
    process = start("sandbox", "topstepx", "--json", *options)
    assert process.stdout
    url = json.loads(process.stdout.readline())["TS_REST_URL"]
    assert httpx.get(f"{url}/_sandbox/state", verify=False, trust_env=False).status_code == status
    process.terminate()
    process.communicate()


def test_a_port_that_is_taken(settings: dict[str, str], capsys: Capture) -> None:
    port = settings["TS_REST_URL"].rpartition(":")[2]
    assert main(["sandbox", "topstepx", "--port", port]) == 2
    shown = capsys.readouterr()
    assert shown.err == "tradeforge: the sandbox cannot listen there: Address already in use\n"
