"""One attempt of one call, through Inspect AI's providers.

In: messages and how to sample. Out: a `Reply`, or a `Trouble` that says what kind of failure it was. Nothing here retries, and the
retries of the providers' own clients are switched off: only `engine` does, so that waits are not multiplied.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from inspect_ai.model import (
    BatchConfig,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
)

from axenic.corpora.writers.calls.nouns import Request
from axenic.models.provider import plain

Kind = Literal["busy", "passing", "uncertain", "hopeless", "setup"]
"""busy: too many calls; try later. passing: an error that may pass. uncertain: like it, but the provider may have done the work and
charge for it. hopeless: this call will never work. setup: no call will (wrong key, no such model, no money)."""

BATCH: bool | BatchConfig = True
"""How requests are gathered into batches; True is Inspect's own way (a hundred, or what comes in 15 seconds)."""
_SEEDS = 2**31  # providers take seeds of 31 bits
_FINISH = {"stop": "stop", "max_tokens": "length", "model_length": "length", "content_filter": "filter"}
_TURNS = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


class Trouble(Exception):
    """An attempt that gave no reply. `wait`: seconds that the provider asks to wait, where it does."""

    def __init__(self, kind: Kind, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.wait = kind, wait


@dataclass(frozen=True)
class Reply:
    """What a provider sent. Tokens are None where it does not count them."""

    text: str
    finish: str  # "stop", "length", "filter", or "" where it does not say
    input_tokens: int | None
    output_tokens: int | None


class Wire(Protocol):
    """Sends one request once."""

    async def send(self, request: Request) -> Reply:
        """The reply. Raises `Trouble`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class InspectWire:
    """Any provider that Inspect has."""

    def __init__(self, model: Model, *, batch: bool) -> None:
        self._model, self._batch = model, batch
        client = getattr(model.api, "client", None)
        if hasattr(client, "max_retries"):  # of the OpenAI and Anthropic packages
            client.max_retries = 0  # type: ignore[union-attr]

    async def send(self, request: Request) -> Reply:
        """One `ModelAPI.generate`: what Inspect does around it (retries, its log, its limits) is done by `engine`."""
        turns: list[ChatMessage] = [_TURNS[m.role](content=m.content) for m in request.messages]
        try:
            result: Any = await self._model.api.generate(turns, [], "none", config(request, batch=self._batch))
        except Exception as error:  # providers raise their own
            raise self._trouble(error) from error
        output = result[0] if isinstance(result, tuple) else result
        if isinstance(output, Exception):
            raise self._trouble(output) from output
        return _reply(output)

    async def close(self) -> None:
        """Close the provider's client."""
        await self._model.__aexit__(None, None, None)

    def _trouble(self, error: Exception) -> Trouble:
        told, status = f"{type(error).__name__}: {plain(error)}"[:300], _status(error)
        if status in SETUP or "insufficient_quota" in told:
            return Trouble("setup", told)
        decision = self._model.api.should_retry(error)
        if getattr(decision, "kind", "") == "rate_limit":
            return Trouble("busy", told, wait=getattr(decision, "retry_after", None))
        if status is None:  # lost on the way, or a reply that the provider's package could not read
            return Trouble("uncertain", told)
        return Trouble("passing" if decision else "hopeless", told, wait=getattr(decision, "retry_after", None))


SETUP = (401, 402, 403, 404)
"""HTTP statuses that every further call would get as well."""


def seed(request: Request) -> int:
    """The request's seed, as providers take it."""
    return request.seed % _SEEDS


def config(request: Request, *, batch: bool = False) -> GenerateConfig:
    """How Inspect is asked to generate."""
    return GenerateConfig(
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        seed=seed(request),
        max_retries=0,
        batch=BATCH if batch else None,
    )


def _reply(output: ModelOutput) -> Reply:
    read = wrote = None
    if usage := output.usage:
        read = usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
        wrote = usage.output_tokens
    if not output.choices:
        return Reply("", "filter" if output.error else "", read, wrote)
    return Reply(output.completion, _FINISH.get(output.choices[0].stop_reason, ""), read, wrote)


def _status(error: BaseException) -> int | None:
    """The HTTP status of a provider's error, wherever its package keeps it."""
    for value in (getattr(error, "status_code", None), getattr(error, "code", None)):
        if isinstance(value, int):
            return value
    return None
