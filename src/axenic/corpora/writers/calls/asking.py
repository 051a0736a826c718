"""One call until it is answered or hopeless: attempts, pauses, the pace of all calls, and the budget that they share.

In: a request. Out: a reply, settled in the ledger before its allowance is given back. The only place that retries.
"""

import asyncio
import contextlib
import gc
import random
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from inspect_ai.model import GenerateConfig

from axenic.corpora.limits import Limits
from axenic.corpora.writers.calls.chat_completions import wire
from axenic.corpora.writers.calls.folder import Folder
from axenic.corpora.writers.calls.ledger import Ledger
from axenic.corpora.writers.calls.nouns import BudgetReached, Request
from axenic.corpora.writers.calls.pace import Pace
from axenic.corpora.writers.calls.wire import Reply, Trouble, Wire
from axenic.errors import UserError
from axenic.models.provider import connect

_LONGEST_PAUSE = 60.0  # seconds between attempts after an error; a provider may ask for more
_BATCH_TIMEOUT = 26 * 3600.0  # seconds: providers promise a batch within a day
Settled = TypeVar("Settled")


class Asker:
    """Asks one model. For one event loop; a client belongs to one, so it connects inside it."""

    def __init__(self, model: str, limits: Limits, ledger: Ledger, folder: Folder, base_url: str) -> None:
        self.stopped: Exception | None = None  # why no further call may begin
        self._model, self._limits, self._ledger, self._folder, self._base_url = model, limits, ledger, folder, base_url
        self._pace = Pace(limits.concurrency)
        self._in_flight = 0
        self._settled = asyncio.Condition()
        self._connecting = asyncio.Lock()
        self._wire: Wire | None = None

    async def ask(self, request: Request, settle: Callable[[Reply], Settled]) -> Settled:
        """What `settle` makes of the reply; it is called at once, before another call can spend the same money.

        Raises:
            Trouble: There is no reply, after all retries.
            UserError: There can be none, for this call or any other.
        """
        loop, attempts, failures = asyncio.get_running_loop(), 0, 0
        patience = loop.time() + self._limits.patience
        while True:
            began = 0.0
            try:
                async with self._pace as began, self._allowance(request):
                    settled = settle(await self._attempt(request))
                self._pace.well()
                return settled
            except Trouble as trouble:
                attempts, failures = attempts + 1, failures + (trouble.kind != "busy")
                wait = self._wait(trouble, attempts)
                if trouble.kind == "setup":
                    raise self._unusable(trouble) from None
                if trouble.kind == "hopeless" or failures > self._limits.retries or loop.time() + wait > patience:
                    raise
                if trouble.kind == "busy":  # all wait as long as asked, or a little; this call as long as its attempts say
                    self._pace.slow_down(began, self._limits.pause if trouble.wait is None else trouble.wait)
                if trouble.kind != "busy" or trouble.wait is None:
                    await asyncio.sleep(wait)

    async def close(self) -> None:
        """Let go of connections."""
        if self._wire is not None:
            await self._wire.close()
            gc.unfreeze()

    def _wait(self, trouble: Trouble, attempts: int) -> float:
        """Seconds until the next attempt: what the provider asks for, else a growing pause with jitter."""
        if trouble.wait is not None:
            return trouble.wait
        return min(self._limits.pause * 2.0 ** (attempts - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)

    async def _attempt(self, request: Request) -> Reply:
        line = await self._connected()
        seconds = _BATCH_TIMEOUT if self._limits.batch else self._limits.timeout
        try:
            async with asyncio.timeout(seconds):
                return await line.send(request)
        except TimeoutError:
            self._perhaps_charged(request)
            raise Trouble("uncertain", f"no reply within {seconds:g} s") from None
        except asyncio.CancelledError:
            self._perhaps_charged(request)
            raise
        except Trouble as trouble:
            if trouble.kind == "uncertain":
                self._perhaps_charged(request)
            raise

    def _perhaps_charged(self, request: Request) -> None:
        """A budget that forgot such calls would not be a hard stop."""
        if cost := self._ledger.worst(request):
            self._ledger.may_have_taken(cost)
            self._folder.perhaps(request.stage, cost)

    async def _connected(self) -> Wire:
        if self._wire is None:
            async with self._connecting:
                if self._wire is None:
                    settings = GenerateConfig(max_retries=0, max_connections=self._limits.concurrency)
                    model = connect(self._model, settings, task="writing", base_url=self._base_url)
                    self._wire = wire(model, batch=self._limits.batch, concurrency=self._limits.concurrency)
                    gc.freeze()  # provider packages are a million objects: looking through them stops all calls for 0.1 s and more
        return self._wire

    @contextlib.asynccontextmanager
    async def _allowance(self, request: Request) -> AsyncIterator[None]:
        """Hold a call's dearest outcome against the budget while it is in flight; wait for others where that may make it fit."""
        worst = self._ledger.worst(request)
        async with self._settled:
            while self.stopped is None and not self._ledger.fits(worst):
                if not self._in_flight:
                    raise self._too_dear(worst)
                await self._settled.wait()
            if self.stopped is not None:
                raise self.stopped.with_traceback(None)  # one error for all: it must not collect every caller's trace
            self._folder.require_room()
            self._in_flight += 1
            self._ledger.held += worst
        try:
            yield
        finally:
            self._in_flight -= 1
            self._ledger.held = self._ledger.held - worst if self._in_flight else 0.0
            async with self._settled:
                self._settled.notify_all()

    def _too_dear(self, worst: float) -> BudgetReached:
        budget, spent = self._ledger.budget or 0.0, self._ledger.spent
        return BudgetReached(
            f"The budget of ${budget:.4g} does not allow another call: ${spent:.4g} is spent, and the next could cost up to "
            f"${worst:.4g}. Everything paid for is kept: run the same command with a larger budget to go on "
            "(--budget, or --set writing.budget=USD in a study)."
        )

    def _unusable(self, trouble: Trouble) -> UserError:
        return UserError(
            f"The writing model '{self._model}' cannot be used: {trouble}. Check the key, the model's name and the account; "
            "everything paid for is kept."
        )
