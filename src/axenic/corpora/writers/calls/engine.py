"""Many calls to one model: in parallel, within a budget, each kept on disk the moment it is answered.

In: requests, from any number of threads. Out: an answer to each. What was answered before, in this run or an earlier one, is not
asked again.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from axenic.corpora.limits import Limits, Price
from axenic.corpora.writers.calls.asking import Asker
from axenic.corpora.writers.calls.breaker import Breaker
from axenic.corpora.writers.calls.folder import Folder
from axenic.corpora.writers.calls.ledger import Ledger, price_of
from axenic.corpora.writers.calls.nouns import Answer, Request
from axenic.corpora.writers.calls.verdict import verdict
from axenic.corpora.writers.calls.wire import Reply, Trouble
from axenic.errors import UserError
from axenic.models.contents import hash_directory
from axenic.schema import OnProgress, no_progress

_SYNC_EVERY = 1.0  # seconds
_BYTES_PER_TOKEN = 4  # where a provider does not count
T = TypeVar("T")


class Calls:
    """Calls to one model, kept in one folder. Use as a context manager; `answer` and `answers` may be called from any thread.

    Attributes:
        ledger: What was spent, by stage.
        breaker: Stops the run after too many answers in a row without use; whoever parses answers has one of its own.
    """

    def __init__(
        self, model: str, folder: str | Path, limits: Limits | None = None, *, price: Price | None = None, base_url: str = ""
    ) -> None:
        """Say what to call; nothing is opened yet.

        Args:
            model: As Inspect writes it: PROVIDER/NAME.
            folder: Where answers are kept; one process at a time.
            limits: How hard the provider is asked.
            price: Of the model, where the table has none or another.
            base_url: Of the provider's server, where it is not the provider's own.

        Raises:
            UserError: A budget without a price.
        """
        self.model, self.limits = model, limits or Limits()
        self.ledger = Ledger(model, price_of(model, price), self.limits)
        self.breaker = Breaker(model, self.limits.fruitless)
        self._path, self._base_url = Path(folder), base_url
        self._flying: dict[str, asyncio.Task[Answer]] = {}

    def __enter__(self) -> "Calls":
        self._identity = _identity(self.model)
        self._folder = Folder(self._path)
        for answer, perhaps in self._folder.load():
            if answer is not None:
                self.ledger.took(answer, fresh=False)
            self.ledger.may_have_taken(perhaps)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="calls", daemon=True)
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._run(self._shut())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._folder.close()

    def answer(self, request: Request) -> Answer:
        """The answer to one request; blocks until it is there.

        Raises:
            BudgetReached: It could cost more than what is left.
            UserError: The provider, its key or the model's name is wrong, or nothing usable came in a long row of calls.
            EnvironmentProblem: The disk is full.
        """
        return self._run(self._answer(request))

    def answers(self, requests: Iterable[Request], on_progress: OnProgress = no_progress) -> list[Answer]:
        """The answers, in order. Raises as `answer` does, after the calls in flight have ended: what they cost is kept."""
        return self._run(self._all(requests, on_progress))

    def finished(self, request: Request) -> bool:
        """Whether this request would be answered from the folder."""
        return request.key(self._identity) in self._folder

    def stop(self, why: Exception) -> None:
        """Begin no further call: each raises `why`. Calls in flight end as they would."""
        self._loop.call_soon_threadsafe(self._stop, why)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # --- inside the event loop ---------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        self._asker = Asker(self.model, self.limits, self.ledger, self._folder, self._base_url)
        self._syncing = asyncio.create_task(self._sync())

    async def _shut(self) -> None:
        await self._cancel(self._syncing, *self._flying.values())
        await self._asker.close()
        await self._cancel(*(asyncio.all_tasks() - {asyncio.current_task()}))  # what a provider left running

    @staticmethod
    async def _cancel(*tasks: "asyncio.Task[Any] | None") -> None:
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY)
            if self._folder.dirty:
                await asyncio.to_thread(self._folder.sync)

    def _stop(self, why: Exception) -> None:
        self._asker.stopped = self._asker.stopped or why

    async def _all(self, requests: Iterable[Request], on_progress: OnProgress) -> list[Answer]:
        total = len(requests) if isinstance(requests, Sequence) else 0
        todo, done = enumerate(requests), dict[int, Answer]()

        async def work() -> None:
            for i, request in todo:
                done[i] = await self._answer(request)
                on_progress(len(done), total, request.stage)

        ended = await asyncio.gather(*(work() for _ in range(self.limits.concurrency)), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        return [done[i] for i in range(len(done))]

    async def _answer(self, request: Request) -> Answer:
        key = request.key(self._identity)
        answer = self._folder.get(key)
        if answer is not None:
            answer = answer.model_copy(update={"cached": True})
            self.ledger.reused(answer)
        else:
            if key not in self._flying:
                self._flying[key] = asyncio.create_task(self._ask(request, key))
            answer = await asyncio.shield(self._flying[key])
        try:
            self.breaker.count(_why(answer))
        except UserError as error:
            self._stop(error)
            raise (self._asker.stopped or error) from None
        return answer

    async def _ask(self, request: Request, key: str) -> Answer:
        try:
            return await self._asker.ask(request, lambda reply: self._settle(request, key, reply))
        except Trouble as trouble:  # it cost nothing, and a rerun tries it again
            self.ledger.failed(request.stage)
            return self._noun(request, key, text="", status="error", note=str(trouble))
        except Exception as error:  # a wrong key, a spent budget, a full disk: no further call can do better
            self._stop(error)
            raise
        finally:
            del self._flying[key]

    def _settle(self, request: Request, key: str, reply: Reply) -> Answer:
        """Enter a reply into folder and ledger."""
        text = reply.text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written down
        read = request.most_input_tokens // _BYTES_PER_TOKEN if reply.input_tokens is None else reply.input_tokens
        wrote = len(reply.text.encode()) // _BYTES_PER_TOKEN if reply.output_tokens is None else reply.output_tokens
        status, note = verdict(text, reply.finish, full=wrote >= request.max_tokens)
        cost = self.ledger.price.of(read, wrote) if self.ledger.price else None
        found = {"status": status, "note": note, "input_tokens": read, "output_tokens": wrote, "cost": cost}
        answer = self._noun(request, key, text=text, **found)
        self.ledger.took(answer, fresh=True)
        self._folder.add(answer)
        return answer

    def _noun(self, request: Request, key: str, **found: Any) -> Answer:
        asked = {"stage": request.stage, "prompt_hash": request.prompt_hash, "parent": request.parent}
        return Answer(key=key, model=self.model, **asked, **found)


def _why(answer: Answer) -> str:
    """What made an answer useless; "" for one that is not."""
    if answer.status == "error":
        return f"no reply: {answer.note[:80]}"
    return "" if answer.status == "ok" else answer.status


def _identity(model: str) -> str:
    """What answers belong to: the model's name, and for a local directory the files in it."""
    path = Path(model.partition("/")[2])
    return f"{model}@{hash_directory(path)}" if model.startswith("hf/") and path.is_dir() else model
