"""Requests of a recording are answered again: with what was said, and not before it was said."""

import asyncio

import pytest

from tradeforge_testing.replay import Line
from tradeforge_testing.replay.desk import Answer, Desk, answers_of

PATH = "/api/Position/searchOpen"


def ask(number: int, at_ms: float, body: str = "{}", path: str = PATH) -> Line:
    more = {"id": number, "method": "POST", "path": path}
    return Line(number * 2, at_ms, "ask", "rest", body, more)


def answer(number: int, text: str, status: int = 200, after: str | None = None) -> Line:
    more = {"id": number, "status": status, "retry_after": after}
    return Line(number * 2 + 1, 0, "answer", "rest", text, more)


def fail(number: int, error: str) -> Line:
    return Line(number * 2 + 1, 0, "fail", "rest", error, {"id": number})


class Venue:
    """A desk whose time the test decides."""

    def __init__(self, *lines: Line, standby: Answer | None = None) -> None:
        self.now = 0.0
        self.desk = Desk(lines, lambda: self.now, lambda path, body: standby)
        self.desk.open()

    def ask(self, body: str = "{}", path: str = PATH) -> "asyncio.Task[Answer | None]":
        return asyncio.create_task(self.desk.ask("POST", path, body.encode()))

    async def is_waiting(self, task: "asyncio.Task[Answer | None]") -> bool:
        for _ in range(3):
            await asyncio.sleep(0)
        return not task.done()


async def test_an_answer_comes_when_it_came() -> None:
    venue = Venue(ask(1, 0))
    asked = venue.ask()
    assert await venue.is_waiting(asked)
    venue.desk.play(answer(1, "said", 429, "3"))
    assert await asked == Answer(429, "said", "3")
    assert venue.desk.surprises == []


async def test_the_same_question_has_the_answers_in_their_order() -> None:
    venue = Venue(ask(1, 0), ask(2, 100))
    first, second = venue.ask(), venue.ask()
    assert await venue.is_waiting(second)
    venue.desk.play(answer(2, "later"))
    venue.desk.play(answer(1, "earlier"))
    assert (await first, await second) == (Answer(200, "earlier"), Answer(200, "later"))


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ('{"accountId":1,"a":2}', '{"a":2, "accountId":1}'),
        (
            '{"start":"2026-03-02T14:30:00.000001Z"}',
            '{"start":"2026-03-02T14:30:00.123456+00:00"}',
        ),
        ('{"a":1.0}', '{"a":1.0}'),
        ("", ""),
        ("no json", "no json"),
    ],
)
async def test_a_question_is_known_by_its_sense(recorded: str, asked: str) -> None:
    venue = Venue(ask(1, 0, recorded))
    assert await venue.is_waiting(task := venue.ask(asked))
    venue.desk.play(answer(1, "said"))
    assert await task == Answer(200, "said")


@pytest.mark.parametrize("other", ['{"accountId":2}', "[]", "{"])
async def test_another_question_has_no_answer(other: str) -> None:
    venue = Venue(ask(1, 0, '{"accountId":1}'))
    assert await venue.is_waiting(task := venue.ask(other))
    venue.desk.play(answer(1, "said"))
    assert await venue.is_waiting(task)
    assert venue.desk.surprises == [f"POST {PATH}"]
    venue.desk.close()
    assert await task is None


async def test_an_answer_that_was_said_before_it_is_asked_for_is_not_news() -> None:
    venue = Venue(ask(1, 0))
    venue.desk.play(answer(1, "old"))
    assert await venue.is_waiting(task := venue.ask())
    venue.desk.close()
    assert await task is None


@pytest.mark.parametrize(("now", "is_known"), [(9.5, True), (10.5, True), (8, False), (12, False)])
async def test_a_question_belongs_to_its_time(now: float, is_known: bool) -> None:
    venue = Venue(ask(1, 10_000))
    venue.now = now
    task = venue.ask()
    await venue.is_waiting(task)
    assert bool(venue.desk.surprises) is not is_known
    venue.desk.close()
    await task


async def test_a_lost_answer_is_lost_again() -> None:
    venue = Venue(ask(1, 0), ask(2, 0))
    lost, given_up = venue.ask(), venue.ask()
    await venue.is_waiting(given_up)
    venue.desk.play(fail(1, "ReadTimeout"))
    venue.desk.play(fail(2, "CancelledError"))
    assert await lost is None
    assert await venue.is_waiting(given_up)
    venue.desk.close()
    assert await given_up is None


async def test_what_is_as_good_at_any_time_is_given_from_elsewhere() -> None:
    venue = Venue(standby=Answer(200, "a contract"))
    assert await venue.ask() == Answer(200, "a contract")
    assert venue.desk.surprises == []


async def test_an_answer_whose_question_had_to_make_room_is_passed_over() -> None:
    Venue().desk.play(answer(7, "said"))


def test_all_answers_of_a_path() -> None:
    lines = [ask(1, 0), ask(2, 0, path="/other"), answer(1, "a"), answer(2, "b"), ask(3, 0)]
    assert answers_of(lines, PATH) == ["a"]
    assert answers_of(lines, "/none") == []
    assert answers_of(lines, "other") == ["b"]
