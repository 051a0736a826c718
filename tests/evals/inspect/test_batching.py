"""Promises of the batcher: together, in order, and one bad question spoils nobody else's answer."""

import anyio
import pytest

from axenic.errors import UserError
from axenic.evals.inspect.batching import Batcher


def test_questions_asked_at_once_are_answered_in_one_call_each_with_its_own_answer() -> None:
    calls: list[list[int]] = []
    answers: dict[int, int] = {}

    async def many() -> None:
        batcher: Batcher[int, int] = Batcher(lambda qs: calls.append(list(qs)) or [q * q for q in qs], quiet=0.01)

        async def ask(q: int) -> None:
            answers[q] = await batcher.ask(q)

        async with anyio.create_task_group() as group:
            for q in range(50):
                group.start_soon(ask, q)

    anyio.run(many)
    assert answers == {q: q * q for q in range(50)}
    assert len(calls) == 1


def test_a_batcher_serves_one_event_loop_after_the_other() -> None:
    batcher: Batcher[int, int] = Batcher(lambda qs: [q + 1 for q in qs])
    assert [anyio.run(batcher.ask, 1), anyio.run(batcher.ask, 2)] == [2, 3]


def failures(error: Exception) -> list[object]:
    """What five callers get when question 3 makes the whole call fail."""
    found: list[object] = [None] * 5

    def run(questions):
        if 3 in questions:
            raise error
        return list(questions)

    async def many() -> None:
        batcher: Batcher[int, int] = Batcher(run, quiet=0.01)

        async def ask(q: int) -> None:
            try:
                found[q] = await batcher.ask(q)
            except Exception as caught:
                found[q] = caught

        async with anyio.create_task_group() as group:
            for q in range(5):
                group.start_soon(ask, q)

    anyio.run(many)
    return found


def test_a_question_that_cannot_be_asked_fails_alone() -> None:
    error = UserError("too long")
    assert failures(error) == [0, 1, 2, error, 4]


@pytest.mark.parametrize("error", [RuntimeError("broken"), ValueError("broken")])
def test_a_broken_call_fails_for_everybody_and_is_never_an_answer(error: Exception) -> None:
    assert failures(error) == [error] * 5
