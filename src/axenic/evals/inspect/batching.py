"""Many callers, one call: what is asked at the same time is answered together, in a worker thread.

In: a function from a list of questions to a list of answers. Out: `await batcher.ask(question)`. Whoever waits first answers for
all who wait; while that call runs, the next batch gathers. Inspect asks one sample at a time, and a model answers hundreds at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
import anyio.to_thread

from axenic.errors import UserError

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(eq=False)
class _Call(Generic[Q, A]):
    question: Q
    answer: list[A] = field(default_factory=list)  # empty until answered
    error: Exception | None = None

    @property
    def pending(self) -> bool:
        return not self.answer and self.error is None


class Batcher(Generic[Q, A]):
    """Gathers concurrent questions.

    Args:
        run: Answers a batch, one answer per question in order. Never called twice at once.
        quiet: Seconds without a new question after which a batch is taken to be complete.
        most: Questions after which a batch is complete at once.
    """

    def __init__(self, run: Callable[[Sequence[Q]], Sequence[A]], *, quiet: float = 0.0, most: int = 4096) -> None:
        self._run, self._quiet, self._most = run, quiet, most
        self._waiting: list[_Call[Q, A]] = []
        self._open = 0

    async def ask(self, question: Q) -> A:
        """The answer to `question`.

        Raises:
            Exception: What `run` raised. A `UserError` speaks of one question only, so the others of its batch are asked again.
        """
        if self._open == 0:  # a lock belongs to one event loop, and every evaluation brings its own
            self._turn, self._waiting = anyio.Lock(), []
        call: _Call[Q, A] = _Call(question)
        self._waiting.append(call)
        self._open += 1
        try:
            async with self._turn:
                if call.pending:
                    await self._serve()
        finally:
            self._open -= 1
        if call.error is not None:
            raise call.error
        return call.answer[0]

    async def _serve(self) -> None:
        seen = 0
        while seen < len(self._waiting) < self._most and self._quiet:
            seen = len(self._waiting)
            await anyio.sleep(self._quiet)
        batch, self._waiting = self._waiting, []
        await anyio.to_thread.run_sync(self._answer, batch)

    def _answer(self, batch: list[_Call[Q, A]]) -> None:
        try:
            answers = self._run([call.question for call in batch])
        except UserError as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for call in batch:
                    self._answer([call])
        except Exception as error:
            for call in batch:
                call.error = error
        else:
            for call, answer in zip(batch, answers, strict=True):
                call.answer = [answer]
