"""`tradeforge replay`: a recording, lived through again."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from tradeforge_cli import failures
from tradeforge_cli.failures import UsageError
from tradeforge_cli.options import Json
from tradeforge_cli.tables import new_table, show
from tradeforge_cli.terminal import output
from tradeforge_cli.tools import tool
from tradeforge_core import DecodeError, Event, Gap, StatusChanged, to_json


def replay(
    file: Annotated[Path, Parameter(help="What `tradeforge record` wrote.")],
    /,
    *,
    speed: Annotated[
        float | None,
        Parameter(
            help="1 plays as fast as it was; without it, as fast as it goes.",
            validator=Number(gt=0),
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Play a recording to the same provider code, and tell what happens and what is known then.

    Nothing leaves this machine and no account is needed. The exit code is 1 if the state at the end
    is not the recorded one.
    """
    replayed = _replayed(file, speed, told=_nothing if as_json else _tell)
    if as_json:
        sys.stdout.write(json.dumps(_as_data(replayed), ensure_ascii=False) + "\n")
    else:
        _show(replayed)
    return 0 if replayed.is_same or not replayed.is_comparable else failures.FAILED


def _replayed(file: Path, speed: float | None, told: Callable[[Event], None]) -> Any:
    run_replay = tool("replay")
    try:
        return run_replay(file, told=told, pace=_pace(speed))
    except DecodeError as error:
        raise UsageError(f"{file} cannot be replayed: {error}") from error
    except OSError as error:
        if error.filename is None:
            raise
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except LookupError as error:
        raise UsageError(str(error.args[0])) from error


def _pace(speed: float | None) -> Callable[[float], None]:
    return _nothing if speed is None else lambda seconds: _sleep(seconds / speed)


def _sleep(seconds: float) -> None:
    """Hold up everything, but not who wants to leave: a first Ctrl-C cancels the task."""
    task = asyncio.current_task()
    while seconds > 0 and not (task and task.cancelling()):
        time.sleep(min(seconds, _NAP))
        seconds -= _NAP


_NAP = 0.1


def _nothing(_: object) -> None:
    pass


def _tell(event: Event) -> None:
    if line := _line(event):
        output().print(f"{event.received:%H:%M:%S} UTC  {line}", markup=False, soft_wrap=True)


def _line(event: Event) -> str | None:
    if isinstance(event, StatusChanged):
        reason = f" ({event.reason})" if event.reason else ""
        return f"{event.stream} stream {event.status}{reason}"
    if isinstance(event, Gap):
        kinds = ", ".join(sorted({one.kind for one in event.topics}))
        state = "begins" if event.is_open else "is over"
        return f"{event.stream} stream: a gap of {kinds} {state} ({event.cause})"
    return None


def _as_data(replayed: Any) -> dict[str, Any]:
    recording, difference = replayed.recording, replayed.difference
    return {
        "provider": recording.provider,
        "began": recording.began.isoformat(),
        "seconds": recording.seconds,
        "lines": len(recording.lines),
        "dropped": recording.dropped,
        "known_before": recording.known_before,
        "events": dict(replayed.counts),
        "gaps": [json.loads(to_json(one)) for one in replayed.gaps],
        "statuses": [json.loads(to_json(one)) for one in replayed.statuses],
        "refusals": [str(one) for one in replayed.refusals],
        "errors": [str(one) for one in replayed.errors],
        "not_asked_again": dict(replayed.unasked),
        "not_recorded": dict(replayed.surprises),
        "recorded_state": recording.state,
        "state": replayed.state,
        "same": replayed.is_same if replayed.is_comparable else None,
        "known": len(recording.known),
        "shared": replayed.shared,
        "difference": difference
        and {"recorded": difference.recorded, "replayed": difference.replayed},
    }


def _show(replayed: Any) -> None:
    recording = replayed.recording
    table = new_table("event", "times")
    for name, times in sorted(replayed.counts.items()):
        table.add_row(name, str(times))
    show(table)
    _say(
        f"{recording.provider}, {recording.began:%F %T} UTC: {len(recording.lines)} lines of"
        f" {recording.seconds:.1f} s"
    )
    for what, errors in (("refused", replayed.refusals), ("reported", replayed.errors)):
        for error in errors:
            _say(f"{what}: {error}")
    _say_requests("not made again, as the program's own are not", replayed.unasked)
    _say_requests("made here and not recorded", replayed.surprises)
    _say_verdict(replayed)


def _say_requests(what: str, requests: dict[str, int]) -> None:
    if requests:
        listed = ", ".join(f"{name} ({times})" for name, times in sorted(requests.items()))
        _say(f"requests {what}: {listed}")


def _say_verdict(replayed: Any) -> None:
    recording = replayed.recording
    shared = f"{replayed.shared} of the {len(recording.known)} things that were known at the end"
    if recording.dropped:
        _say(f"{recording.dropped} lines had to make room for newer ones: what they told is gone.")
    if recording.known_before:
        _say(f"{recording.known_before} things were known before it began, and are not in it.")
    if recording.state is None:
        _say("The recording was broken off: there is no state at its end to compare with.")
        _say(f"state {replayed.state}")
    elif replayed.is_same:
        _say(f"same state {replayed.state}")
    elif not replayed.is_comparable:
        _say(f"{shared} are known here too; the states as a whole cannot be compared.")
    else:
        _say(f"another state {replayed.state}, not {recording.state}; {shared} are known here too.")
        _say_difference(replayed.difference)


def _say_difference(difference: Any) -> None:
    _say("the first that is not as it was:")
    _say(f"  recorded: {difference.recorded or 'not known'}")
    _say(f"  replayed: {difference.replayed or 'not known'}")


def _say(line: str) -> None:
    output().print(line, markup=False, soft_wrap=True)
