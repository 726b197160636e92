"""What the public and the private sockets answer to a client: acknowledgements and pongs."""

from collections.abc import Callable
from typing import Any

from tradeforge_bybit.sandbox.lines import Line, Message

LONGEST = 21_000
"""Characters of the topics of one connection."""


def ack(line: Line, said: Message, text: str = "", *, success: bool = True) -> Message:
    """Public and private sockets write with underscores."""
    return {
        "success": success,
        "ret_msg": text,
        "conn_id": line.conn_id,
        **_number(said),
        "op": said.get("op", ""),
    }


def _number(said: Message) -> Message:
    return {"req_id": said["req_id"]} if "req_id" in said else {}


def invalid(line: Line, said: Message) -> Message:
    op, args = said.get("op", ""), said.get("args")
    return {
        "success": False,
        "ret_msg": "error:invalid op",
        "conn_id": line.conn_id,
        "request": {"op": op, "args": args},
    }


def subscribe(
    line: Line, said: Message, check: Callable[[str], str | None], most: int | None = None
) -> str | None:
    """Change what the line hears; what is wrong with the request, None if nothing is."""
    args: Any = said.get("args")
    if not isinstance(args, list) or not args or not all(isinstance(one, str) for one in args):
        return "error:args invalid"
    if most is not None and len(args) > most:
        return f"args size >{most}"
    wrong = next((text for text in map(check, args) if text is not None), None)
    if wrong is not None:
        return wrong
    if said["op"] == "unsubscribe":
        line.topics -= set(args)
        return None
    if sum(map(len, line.topics | set(args))) > LONGEST:
        return "error:args too long"
    line.topics |= set(args)
    return None
