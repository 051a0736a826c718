"""The chat-completions protocol without a client package around it, for servers that Inspect names `openai-api/SERVICE/MODEL`.

In: a request. Out: a reply. Inspect still decides name, key, address and parameters. The OpenAI package costs about 4 ms of
processor time a call, which caps a run at 250 calls a second; this takes a tenth of that (benchmarks/writer_throughput.py).
"""

import json
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from inspect_ai._util.http import parse_retry_after
from inspect_ai.model import Model

from axenic.corpora.writers.calls.nouns import Request
from axenic.corpora.writers.calls.wire import SETUP, InspectWire, Reply, Trouble, Wire, config, seed

_PLAIN = "inspect_ai.model._providers.openai_compatible.OpenAICompatibleAPI"
"""Inspect's provider `openai-api`, by name: importing it would need the OpenAI package, which other providers do not."""
_FINISH = {"stop": "stop", "length": "length", "content_filter": "filter"}
_FILTERED = ("content_filter", "content_policy_violation", "content_management_policy")


def wire(model: Model, *, batch: bool, concurrency: int) -> Wire:
    """The fast wire where the model is served over plain chat completions, else Inspect's own."""
    api: Any = model.api
    kind = f"{type(api).__module__}.{type(api).__qualname__}"
    # not a subclass: those change messages, parameters or replies in ways of their own
    if kind == _PLAIN and not (batch or api.responses_api or api.stream or api.model_args):
        return ChatCompletionsWire(api, concurrency)
    return InspectWire(model, batch=batch)


class ChatCompletionsWire:
    """A pool of connections to one server."""

    def __init__(self, api: Any, concurrency: int) -> None:
        self._api = api
        self._known: dict[tuple[int, float], tuple[dict[str, Any], dict[str, str]]] = {}
        self._url = f"{str(api.base_url).rstrip('/')}/chat/completions"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=concurrency),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),  # the engine limits the attempt as a whole
            headers={"Authorization": f"Bearer {api.api_key}", "Content-Type": "application/json"},
            proxy=_proxy(self._url),  # looked up once: `trust_env` would ask a thread for it on every call
        )

    async def send(self, request: Request) -> Reply:
        """One POST."""
        settings, headers = self._settings(request)
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        body = {**settings, "seed": seed(request), "messages": messages}
        try:
            async with self._session.post(self._url, data=json.dumps(body), headers=headers) as response:
                raw = await response.read()
                wait = parse_retry_after(response.headers) if response.status != 200 else None
                status = response.status
        except aiohttp.ClientConnectorError as error:
            raise Trouble("passing", f"no connection to {self._url}: {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Trouble("uncertain", f"the connection was lost: {type(error).__name__}") from None
        return _read(raw) if status == 200 else _refused(status, raw.decode("utf-8", "replace"), wait)

    def _settings(self, request: Request) -> tuple[dict[str, Any], dict[str, str]]:
        """What Inspect sends beside messages and seed; a stage asks for the same every time."""
        how = (request.max_tokens, request.temperature)
        if how not in self._known:
            asked = config(request)
            self._known[how] = (self._api.completion_params(asked, tools=False), self._api.request_headers(asked))
        return self._known[how]

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._api.aclose()


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def _read(raw: bytes) -> Reply:
    try:
        data = json.loads(raw)
        choice, usage = data["choices"][0], data.get("usage") or {}
        message = choice["message"]
        text = message.get("content") or ""
        if not isinstance(text, str):
            raise TypeError("content is no text")
        finish = "filter" if message.get("refusal") and not text else _FINISH.get(str(choice.get("finish_reason")), "")
        return Reply(text, finish, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        told = " ".join(raw[:160].decode("utf-8", "replace").split())
        raise Trouble("uncertain", f"the reply is no chat completion ({type(error).__name__}): {told}") from None


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and value >= 0 else None


def _refused(status: int, text: str, wait: float | None) -> Reply:
    """A reply where the provider's filter spoke; all else is trouble."""
    told = f"HTTP {status}: {' '.join(text.split())[:240]}"
    if status in (400, 403, 422) and any(word in text for word in _FILTERED):
        return Reply("", "filter", 0, 0)
    if status in SETUP or (status == 429 and "insufficient_quota" in text):
        raise Trouble("setup", told)
    if status == 429:
        raise Trouble("busy", told, wait=wait)
    if status in (408, 409, 425) or status >= 500:
        raise Trouble("passing", told, wait=wait)
    raise Trouble("hopeless", told)


__all__ = ["ChatCompletionsWire", "InspectWire", "wire"]
