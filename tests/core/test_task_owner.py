"""Tasks with an owner: none is forgotten, and none dies of its caller's cancellation."""

import asyncio

import pytest

from tradeforge_core import Disconnected
from tradeforge_core.kit.tasks import TaskOwner, to_the_end

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_the_result_and_the_error_are_the_caller_s() -> None:
    async def works() -> int:
        return 7

    async def fails() -> int:
        raise KeyError("x")

    owner = TaskOwner()
    assert await owner.run(works(), name="works") == 7
    with pytest.raises(KeyError):
        await owner.run(fails(), name="fails")
    assert not owner._tasks


async def test_the_work_outlives_its_caller() -> None:
    owner, may_end, ended = TaskOwner(), asyncio.Event(), []

    async def work() -> None:
        await may_end.wait()
        ended.append(True)

    caller = asyncio.create_task(owner.run(work(), name="work"))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_end.set()
    await owner.close(grace=5)
    assert ended


async def test_closing_ends_what_runs_and_tells_who_waits() -> None:
    owner = TaskOwner()
    caller = asyncio.create_task(owner.run(asyncio.Event().wait(), name="reading"))
    await asyncio.sleep(0)
    await owner.close()
    with pytest.raises(Disconnected, match=r"reading was ended by disconnect\(\)"):
        await caller
    assert not caller.cancelled()


async def test_closing_waits_for_as_long_as_it_was_told() -> None:
    owner, may_end = TaskOwner(), asyncio.Event()
    caller = asyncio.create_task(owner.run(may_end.wait(), name="work"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(owner.close(grace=5))
    await asyncio.sleep(0)
    may_end.set()
    await closing
    assert await caller


async def test_who_closes_in_a_task_of_its_own_is_not_ended() -> None:
    owner, ended = TaskOwner(), []

    async def close() -> None:
        await owner.close()
        ended.append(True)

    await owner.start(close(), name="close")
    assert ended


async def test_a_task_that_begins_another_while_it_ends() -> None:
    owner, ended = TaskOwner(), []

    async def last_words() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            owner.start(last_words(), name="last words")

    owner.start(work(), name="work")
    await asyncio.sleep(0)
    await owner.close()
    assert not owner._tasks


async def test_a_cancelled_close_still_ends_the_tasks() -> None:
    owner = TaskOwner()
    task = owner.start(asyncio.Event().wait(), name="work")
    closing = asyncio.create_task(owner.close(grace=60))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await asyncio.wait([task])
    assert task.cancelled()


async def test_an_error_that_nobody_awaits_is_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise KeyError("x")

    owner = TaskOwner()
    task = owner.start(fails(), name="fails")
    await asyncio.wait([task])
    del task
    assert not caplog.records


async def test_closing_that_is_cancelled_still_joins_what_it_cancels() -> None:
    owner, ended = TaskOwner(), list[bool]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    owner.start(work(), name="work")
    closing = asyncio.create_task(owner.close(grace=5))
    for _ in range(3):
        await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert ended == [True]


async def test_what_goes_to_the_end_lets_every_cancellation_wait() -> None:
    may_end, ended = asyncio.Event(), list[bool]()

    async def work() -> None:
        await may_end.wait()
        ended.append(True)

    caller = asyncio.create_task(to_the_end(work(), name="work"))
    for _ in range(3):
        await asyncio.sleep(0)
        caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended == [True]


async def test_an_error_on_the_way_to_the_end_is_the_caller_s() -> None:
    async def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await to_the_end(work(), name="work")
