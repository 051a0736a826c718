"""Asking a model that Inspect AI reaches, many times, a bounded number at once.

In: a model name as Inspect writes it (PROVIDER/MODEL) and prompts. Out: per prompt the reply's text, or the error that the call
ended with after its retries. One failed call loses no other. Keys and base URLs come from the provider's environment variables.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from inspect_ai.model import GenerateConfig, Model

from axenic.models.provider import connect, plain


@dataclass(frozen=True)
class Calls:
    """How a provider is called.

    Attributes:
        connections: Calls at the same time.
        retries: Further attempts after a failure that may pass (rate limit, lost connection), with growing pauses.
        timeout: Seconds that one prompt may take, retries and pauses included.
        max_tokens: Of the reply.
    """

    connections: int = 8
    retries: int = 5
    timeout: int = 300
    max_tokens: int = 1024


@dataclass(frozen=True)
class Reply:
    """What came back: a text, or why there is none."""

    text: str = ""
    error: str = ""


def ask(model: str, prompts: Sequence[str], calls: Calls) -> list[Reply]:
    """One reply per prompt, in order, at temperature 0. Without prompts it only checks that the model can be reached for.

    Raises:
        UserError: There is no such provider, its package is missing, or its key is not set.
    """
    work = _all(model, prompts, calls)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as aside:  # called from inside an event loop, which must not be entered twice
        return aside.submit(asyncio.run, work).result()


async def _all(name: str, prompts: Sequence[str], calls: Calls) -> list[Reply]:
    config = GenerateConfig(
        temperature=0.0,
        max_tokens=calls.max_tokens,
        max_retries=calls.retries,
        timeout=calls.timeout,
        max_connections=calls.connections,
    )
    limit = asyncio.Semaphore(calls.connections)
    async with connect(name, config, task="judging") as model:
        return await asyncio.gather(*(_one(model, prompt, limit) for prompt in prompts))


async def _one(model: Model, prompt: str, limit: asyncio.Semaphore) -> Reply:
    async with limit:
        try:
            output = await model.generate(prompt)
        except Exception as error:  # providers raise their own; one lost call must not lose the rest
            return Reply(error=f"{type(error).__name__}: {plain(error)}"[:300])
    if output.error:
        return Reply(error=output.error[:300])
    return Reply(text=output.completion) if output.choices else Reply(error="the provider replied with nothing")
