"""Every mutation over every broken connection, and where something on this side is in the way."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest
from attrs import frozen
from tests.topstepx.order_safety.stage import (
    MODIFY,
    MUTATIONS,
    PLACE,
    Mutation,
    Row,
    Stage,
    failures,
)

from tradeforge_core import RateLimited
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.orders.intents import Operation
from tradeforge_core.outcomes import NotSent, Unknown
from tradeforge_testing.proxy import Cut, Delay, Direction, Drop, Hold, NextRequest, Slice
from tradeforge_testing.proxy.faults import Fault

IMPATIENT = HttpTimeouts(answer=1.0, total=1.5)
UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


@frozen(kw_only=True)
class Broken:
    """What happens on the way: its number in the catalogue, and what the proxy does."""

    number: str
    fault: Fault
    timeouts: HttpTimeouts | None = None


BROKEN = [
    *(Broken(number="F03", fault=Cut(after=count, rst=True)) for count in (0, 1, 60)),
    *(Broken(number="F03", fault=Cut(after=count)) for count in (0, 1, 60)),
    *(Broken(number="F04", fault=Cut(after=count, direction=UP)) for count in (1, 40, 700)),
    *(
        Broken(number="F04", fault=Cut(after=count, direction=UP, rst=True))
        for count in (1, 40, 200, 400, 600, 700)
    ),
    Broken(number="F05", fault=Drop()),
    Broken(number="F05", fault=Drop(rst=True)),
    Broken(number="F06", fault=Delay(seconds=1.3), timeouts=IMPATIENT),
    Broken(number="F06", fault=Delay(seconds=1.3, direction=UP), timeouts=IMPATIENT),
    Broken(number="F06", fault=Slice(size=7, direction=Direction.BOTH)),
    Broken(number="F07", fault=Hold(direction=DOWN), timeouts=IMPATIENT),
    Broken(number="F07", fault=Hold(direction=UP), timeouts=IMPATIENT),
]


def _connections(mutation: Mutation) -> Iterator[Row]:
    request = NextRequest(f"POST {mutation.path}".encode())
    for broken in BROKEN:
        yield Row(
            fault=f"{broken.number} {broken.fault}",
            mutation=mutation,
            spoil=partial(_break, broken.fault, request),
            timeouts=broken.timeouts,
            most_requests=3 if mutation.operation is Operation.CANCEL else 1,
        )


def _break(fault: Fault, request: NextRequest, on: Stage) -> None:
    on.proxy.plan(fault, when=request)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_broken_connection_leads_to_nothing_false(mutation: Mutation) -> None:
    wrong = failures(_connections(mutation))
    assert not wrong, "\n" + "\n".join(wrong)


async def _refuse_connections(on: Stage) -> None:
    await on.proxy.__aexit__()


async def _use_the_limit_up(on: Stage) -> None:
    on.sandbox.fail_next("/api/Account/search", 429)
    with pytest.raises(RateLimited):
        await on.broker.get_accounts()


async def _end_the_session(on: Stage) -> None:
    await on.broker.end_session()
    on.sandbox.fail_next("/api/Auth/loginKey", 503, count=1000)


BEFORE: list[tuple[str, Callable[[Stage], Awaitable[None]], tuple[Mutation, ...]]] = [
    ("F01 refused", _refuse_connections, MUTATIONS),
    ("F19 no login", _end_the_session, MUTATIONS),
    ("F21 no room", _use_the_limit_up, (PLACE, MODIFY)),
]


def test_what_never_left_is_not_sent() -> None:
    wrong = failures(
        Row(fault=fault, mutation=mutation, spoil=spoil, undone=(NotSent,), most_requests=0)
        for fault, spoil, mutations in BEFORE
        for mutation in mutations
    )
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_table_that_is_wrong_is_told_row_by_row() -> None:
    """Nothing in the table would mean much if it could not fail."""
    lies = [
        Row(fault="a lie", mutation=PLACE, spoil=lambda on: None, most_requests=0),
        Row(
            fault="another",
            mutation=PLACE,
            spoil=lambda on: on.sandbox.fail_next(PLACE.path, 503, handled=False),
            undone=(NotSent,),
        ),
    ]
    told = failures(lies)
    assert [one.partition(":")[0] for one in told] == ["place, a lie", "place, another"]
    assert Unknown.__name__ in told[1]
