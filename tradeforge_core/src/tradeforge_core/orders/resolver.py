"""Finds out by evidence what became of a request whose answer was lost.

A look counts only if it succeeded and read every page: a failed look-up is never absence. Absence
itself is never proof: the request may arrive yet. So an outcome ends as known or stays unknown.
"""

import logging
from collections.abc import Awaitable, Callable

import attrs

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.enums import OrderStatus
from tradeforge_core.errors import OrderRejected, TradeForgeError
from tradeforge_core.kit.budget import Lane, reads_go
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import first_of
from tradeforge_core.models import Order
from tradeforge_core.orders.case import Absences, Case
from tradeforge_core.orders.classification import acceptance, rejection
from tradeforge_core.orders.evidence import Finding, Verdict, judge_placed, look
from tradeforge_core.orders.intents import Operation
from tradeforge_core.orders.safety import LookUps
from tradeforge_core.outcomes import Evidence, OrderOutcome, Resolution, Unknown

_log = logging.getLogger("tradeforge_core")

_MOST_ATTEMPTS = 3
"""Of a cancel, each after a look that showed the order at work."""


class Resolver:
    """Looks for the outcome of one case at a time; `record` takes what it finds."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        times: LookUps,
        clock: Clock,
        record: Callable[..., None],
        attempt: Callable[[Case], Awaitable[None]],
    ) -> None:
        self._venue = venue
        self._times = times
        self._clock = clock
        self._record = record
        self._attempt = attempt

    async def search(self, case: Case) -> None:
        """Return once the outcome is known, or at the deadline."""
        began = self._clock.monotonic()
        until = began + self._times.deadline
        case.absences = Absences(since=began)
        if case.sighted is not None:  # while its answer was still to come
            self.saw(case, case.sighted)
        for pause in self._times.waits():
            left = until - self._clock.monotonic()
            if left <= 0 or case.is_settled:
                break
            await self._clock.sleep(min(pause, left))
            left = max(until - self._clock.monotonic(), 0.0)
            # a venue that hangs must not hold the caller
            await first_of(self._look(case), self._clock.sleep(left))
        self._note(case, self._resolution(case))

    async def keep_looking(self, case: Case) -> None:
        """Go on slowly until the outcome is known or somebody has acknowledged that it is not."""
        while not case.is_settled and not case.acknowledged:
            await self._clock.sleep(self._times.slow)
            await self._look(case)
            self._note(case, self._resolution(case))

    def saw(self, case: Case, order: Order) -> None:
        """The private stream showed an order of this name.

        Only one that was taken proves something: the venue shows a refused second order as well,
        and as PENDING one that it goes on to refuse.
        """
        if case.intent.operation is not Operation.PLACE or order.status is OrderStatus.PENDING:
            return
        case.sighted = order
        finding = judge_placed(case, order)
        if isinstance(case.outcome, Unknown) and finding.verdict is Verdict.DONE:
            self._conclude(case, finding, Evidence.STREAMED)

    async def _look(self, case: Case) -> None:
        if case.is_settled:  # the stream was faster
            return
        try:
            with reads_go(Lane.SEARCH):  # many of them must leave an exit its room
                finding = await look(self._venue, case)
        except TradeForgeError:
            return  # a look that failed: no evidence of anything
        except Exception:  # noqa: BLE001  # a bug, of a provider perhaps, must not end the search
            _log.exception("a look for %s failed", case.name)
            return
        if finding.verdict is Verdict.NO_TRACE:
            case.absences.looks += 1
        elif finding.verdict is Verdict.AGAIN:
            case.absences.looks += 1
            if case.attempts < _MOST_ATTEMPTS:
                await self._attempt(case)
        else:
            self._conclude(case, finding, Evidence.LOOKED_UP)

    def _conclude(self, case: Case, finding: Finding, evidence: Evidence) -> None:
        now = self._clock.now()
        if finding.verdict is Verdict.DONE:
            self._record(case, acceptance(case, finding.order, now, _how(case, evidence)))
        elif finding.verdict is Verdict.CONFLICT and case.refusal is not None:
            # the name was taken by another order: this one was refused, as the venue says
            self._record(case, self._refused(case), case.refusal)
        elif finding.verdict is Verdict.REFUSED:
            error = OrderRejected(
                f"{case.intent.operation}: {finding.reason}",
                order_id=finding.order.id if finding.order else None,
            )
            self._record(case, rejection(case, error, now, evidence), error)
        elif finding.verdict is Verdict.CONFLICT:
            self._note(case, Resolution.CONFLICT, finding.reason)

    def _refused(self, case: Case) -> OrderOutcome:
        assert isinstance(case.refusal, OrderRejected)
        return rejection(case, case.refusal, self._clock.now())

    def _resolution(self, case: Case) -> Resolution:
        if isinstance(case.outcome, Unknown) and case.outcome.resolution is Resolution.CONFLICT:
            return Resolution.CONFLICT
        long_enough = self._clock.monotonic() - case.absences.since >= self._times.settle
        if case.absences.looks >= self._times.complete_looks and long_enough:
            return Resolution.ABSENT
        return Resolution.UNREACHABLE

    def _note(self, case: Case, resolution: Resolution, cause: str | None = None) -> None:
        outcome = case.outcome
        if not isinstance(outcome, Unknown):
            return
        if resolution is Resolution.ABSENT and case.refusal is not None:
            # the venue's own words: it made no order of this request
            self._record(case, self._refused(case), case.refusal)
        elif resolution is not outcome.resolution:
            changed = attrs.evolve(
                outcome,
                resolution=resolution,
                cause=cause or outcome.cause,
                time=self._clock.now(),
            )
            self._record(case, changed, case.error)


def _how(case: Case, evidence: Evidence) -> Evidence:
    if case.duplicate is not None:
        return Evidence.DUPLICATE
    return Evidence.INFERRED if case.intent.operation is Operation.CLOSE else evidence
