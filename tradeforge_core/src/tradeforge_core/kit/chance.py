"""Chance, as something that can be handed in: with a seed, a run can be had again."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random

_source: ContextVar[Random | None] = ContextVar("tradeforge_chance", default=None)


def new_random() -> Random:
    """A generator for whoever needs one: seeded where `seeded` says so, else by the system."""
    source = _source.get()
    return Random() if source is None else Random(source.getrandbits(64))


def random_bits(count: int) -> int:
    """A number of so many bits that nobody can guess, except where `seeded` says so."""
    source = _source.get()
    return secrets.randbits(count) if source is None else source.getrandbits(count)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What is begun inside, tasks too, has its chance from this seed: for simulations."""
    token = _source.set(Random(seed))
    try:
        yield
    finally:
        _source.reset(token)
