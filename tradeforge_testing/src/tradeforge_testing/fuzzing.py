"""Hands damaged messages to a reader, and holds it to what it may do with them."""

from collections.abc import Callable, Iterable

from attrs import frozen

from tradeforge_core import DecodeError
from tradeforge_testing.mutation import Mutator
from tradeforge_testing.sanity import check_round_trip, check_sane

Read = Callable[[bytes], Iterable[object]]
"""Gives the models or events of a message."""

_ROUND_TRIP_EVERY = 200
_MOST_SHOWN = 600


@frozen(kw_only=True)
class Survey:
    """How a reader fared: it understood so many messages, and refused the others by name."""

    understood: int
    refused: int


def fuzz(
    read: Read,
    bodies: Iterable[object],
    *,
    cases: int,
    seed: int,
    may_raise: tuple[type[Exception], ...] = (DecodeError,),
) -> Survey:
    """Read so many damaged messages.

    Raises `AssertionError`, with the message and the seed, for an error that `may_raise` does not
    name and for a model that is not sane (`check_sane`).
    """
    understood = 0
    for number, message in enumerate(Mutator(bodies, seed=seed).mutations(cases)):
        try:
            for model in read(message):
                check_sane(model)
                if number % _ROUND_TRIP_EVERY == 0:
                    check_round_trip(model)
            understood += 1
        except may_raise:
            pass
        except Exception as error:
            shown = message[:_MOST_SHOWN]
            raise AssertionError(
                f"case {number} of seed {seed}: {error!r} for {shown!r}, {len(message)} bytes"
            ) from error
    return Survey(understood=understood, refused=cases - understood)
