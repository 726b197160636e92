"""`tradeforge orders`, `halt` and `resume`: what was sent, and the kill switch."""

import json
import sys
from datetime import UTC
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.markup import escape
from rich.table import Table

from tradeforge_cli.failures import FAILED, UsageError
from tradeforge_cli.interruption import run
from tradeforge_cli.options import Json, ProviderName, chosen_provider
from tradeforge_cli.tables import new_table, show
from tradeforge_cli.terminal import messages, output
from tradeforge_core import (
    IntentState,
    JournalEntry,
    OrderOutcome,
    Provider,
    load_provider,
    outcomes,
    to_json,
)

ClientOrderId = Annotated[str, Parameter(help="As the journal shows it, such as tf1....")]

_STATES = {
    IntentState.INTENT: "not sent yet",
    IntentState.HANDED_OFF: "sent, no answer yet",
    IntentState.NOT_SENT: "not sent",
    IntentState.ACCEPTED: "accepted",
    IntentState.REJECTED: "rejected",
    IntentState.UNKNOWN: "unknown",
}


def journal(
    *,
    limit: Annotated[
        int, Parameter(help="How many, the newest first.", validator=Number(gte=1, lte=100_000))
    ] = 50,
    unsettled: Annotated[
        bool, Parameter(help="Only those whose outcome is not known.", show_default=False)
    ] = False,
    as_json: Json = False,
    provider: ProviderName = None,
) -> int:
    """Show what was sent to your broker, and what became of it.

    It reads the journal on this machine, also while a bot writes it, and asks the broker nothing.
    """
    broker = load_provider(chosen_provider(provider))
    found = run(_entries(broker, limit, unsettled=unsettled))
    if as_json:
        sys.stdout.write(json.dumps([_plain(one) for one in found], ensure_ascii=False) + "\n")
        return 0
    _tell_halt(broker)
    if not found:
        messages().print("Nothing was sent." if not unsettled else "Every outcome is known.")
    else:
        show(_table(found))
    return 0


def resolve(
    client_order_id: ClientOrderId,
    /,
    *,
    seconds: Annotated[
        float, Parameter(help="How long to look for it.", validator=Number(gte=0, lte=86_400))
    ] = 30.0,
    as_json: Json = False,
    provider: ProviderName = None,
) -> int:
    """Find out what became of an order whose answer was lost."""
    broker = load_provider(chosen_provider(provider))
    outcome = run(_resolve(broker, client_order_id, seconds))
    if as_json:
        sys.stdout.write(to_json(outcome) + "\n")
    else:
        output().print(_sentence(outcome), markup=False)
    return FAILED if isinstance(outcome, outcomes.Unknown) else 0


def acknowledge(client_order_id: ClientOrderId, /, *, provider: ProviderName = None) -> int:
    """Take note that an outcome stays unknown: new risk in its contract passes again.

    Look at your positions and orders first. It needs the journal, so stop your bot before.
    """
    broker = load_provider(chosen_provider(provider))
    run(_acknowledge(broker, client_order_id))
    output().print(f"{client_order_id} is acknowledged.", markup=False)
    return 0


def halt(
    reason: Annotated[str, Parameter(help="Why: every refused order will say it.")],
    /,
    *,
    provider: ProviderName = None,
) -> int:
    """Take no new risk from now on, in every program of yours, until `tradeforge resume`.

    Cancels, closes and orders that only make a position smaller still pass.
    """
    if not reason.strip():
        raise UsageError('say why, such as: tradeforge halt "news at 14:30"')
    broker = load_provider(chosen_provider(provider))
    broker.halt(reason)
    _tell_halt(broker)
    return 0


def resume(*, provider: ProviderName = None) -> int:
    """End the halt."""
    broker = load_provider(chosen_provider(provider))
    was = broker.halted
    broker.resume()
    said = "Trading was not halted." if was is None else f"Trading goes on; it was: {was.reason}"
    output().print(said, markup=False)
    return 0


async def _entries(broker: Provider, limit: int, *, unsettled: bool) -> list[JournalEntry]:
    entries = await broker.get_journal(limit=100_000 if unsettled else limit)
    if unsettled:
        entries = [one for one in entries if not one.state.is_settled and not one.acknowledged]
    return entries[:limit]


async def _resolve(broker: Provider, client_order_id: str, seconds: float) -> OrderOutcome:
    async with broker:
        return await broker.resolve(client_order_id, timeout=seconds)


async def _acknowledge(broker: Provider, client_order_id: str) -> None:
    async with broker:
        await broker.acknowledge(client_order_id)


def _tell_halt(broker: Provider) -> None:
    halted = broker.halted
    if halted is not None:
        since = "" if halted.since is None else f" since {halted.since.astimezone(UTC):%F %T} UTC"
        messages().print(f"[bold red]halted[/]{since}: {escape(halted.reason)}")


def _table(entries: list[JournalEntry]) -> Table:
    table = new_table("Sent (UTC)", "Account", "What", "Contract", "Order", "Outcome", "Name")
    for one in entries:
        intent = one.intent
        times = f" ({one.attempts} times)" if one.attempts > 1 else ""
        state = _STATES[one.state] + (", acknowledged" if one.acknowledged else "")
        table.add_row(
            f"{(one.handed_off_at or intent.made_at).astimezone(UTC):%F %T}",
            escape(intent.account_id),
            intent.operation.value + times,
            escape(intent.contract_id) or "–",
            escape(_plain(one)["order_id"] or "–"),
            state,
            escape(intent.id),
        )
    return table


def _plain(entry: JournalEntry) -> dict[str, Any]:
    """The entry as JSON has it, with the texts of JSON in it opened up."""
    plain: dict[str, Any] = json.loads(to_json(entry))
    outcome = json.loads(entry.outcome or "null")
    order_id = entry.intent.order_id or (outcome or {}).get("order_id")
    intent = plain.pop("intent") | {"details": json.loads(entry.intent.details)}
    return {**intent, **plain, "order_id": order_id, "outcome": outcome}


def _sentence(outcome: OrderOutcome) -> str:
    name = f"{outcome.operation} {outcome.client_order_id}"
    match outcome:
        case outcomes.Accepted(order_id=order_id, evidence=evidence):
            return f"{name} was accepted as order {order_id or '–'} ({evidence})."
        case outcomes.Rejected(reason=reason):
            return f"{name} was rejected: {reason}"
        case outcomes.NotSent(reason=reason):
            return f"{name} was not sent: {reason}"
        case outcomes.Unknown(cause=cause, resolution=resolution):
            return f"{name} is still unknown ({resolution}): {cause}"
