"""What can be done to a JSON sandbox over HTTP: one row of a table for each command."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from tradeforge_core import to_json
from tradeforge_testing.sandbox.control import Arguments, Command, Count
from tradeforge_testing.sandbox.exchange_commands import EXCHANGE_COMMANDS
from tradeforge_testing.sandbox.faults import Spoil, Spoiled
from tradeforge_testing.sandbox.usual_commands import EXPIRE_TOKENS, FORGET_FAULTS, LAG_READS

if TYPE_CHECKING:
    from tradeforge_testing.sandbox.json_sandbox import JsonSandbox

Status = Annotated[int, Meta(ge=200, le=599)]


class FailNext(Arguments, kw_only=True):
    path: str
    status: Status = 500
    body: Any = None
    handled: bool = True
    retry_after: int | str | None = None
    count: Count = 1


class MessageFault(StrEnum):
    """What becomes of a private message."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    MALFORMED = "malformed"


class FailMessages(Arguments):
    fault: MessageFault
    count: Count = 1


class Say(Arguments):
    text: str


_SPOIL: dict[MessageFault, Spoil] = {
    MessageFault.LOST: lambda text: [],
    MessageFault.DUPLICATED: lambda text: [text, text],
    MessageFault.MALFORMED: lambda text: [text[: len(text) // 2]],
}


def _fail_next(sandbox: "JsonSandbox", given: FailNext) -> None:
    if given.path not in sandbox.served_paths:
        raise ValueError(f"the sandbox has no path {given.path!r}")
    waits = {} if given.retry_after is None else {"Retry-After": str(given.retry_after)}
    spoiled = Spoiled(
        status=given.status,
        body=None if given.body is None else to_json(given.body).encode(),
        headers=waits,
        handled=given.handled,
    )
    sandbox.faults.fail_next(given.path, spoiled, count=given.count)


JSON_COMMANDS = (
    *EXCHANGE_COMMANDS,
    # Requests
    Command(
        "fail_next",
        "answer the next requests of a path with this status, and with this body if there is one",
        FailNext,
        _fail_next,
    ),
    LAG_READS,
    EXPIRE_TOKENS,
    # Streams
    Command(
        "fail_messages",
        "spoil the next private messages on their way",
        FailMessages,
        lambda sandbox, it: sandbox.faults.spoil_next(_SPOIL[it.fault], count=it.count),
    ),
    Command(
        "reset_streams",
        "cut every stream without a word",
        Arguments,
        lambda sandbox, it: sandbox.listeners.drop(),
    ),
    Command(
        "say",
        "send a text to every stream, whatever it means",
        Say,
        lambda sandbox, it: sandbox.listeners.say(it.text),
    ),
    FORGET_FAULTS,
)
