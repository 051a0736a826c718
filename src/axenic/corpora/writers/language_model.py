"""A language model as a writer of documents: every stage of synthetic document finetuning is one call with one prompt file.

In: calls to a model, and what a stage is asked for. Out: texts that passed strict parsing and the screen, each with the call that
wrote it. Source: Wang et al. 2025, the pipeline section; PROTOCOLS 1, steps 2-4.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

from axenic.corpora.screen import screen
from axenic.corpora.writers.calls import Breaker, Calls, Request
from axenic.corpora.writers.calls.prompts import filled, prompt_hash
from axenic.corpora.writers.calls.tags import between, items
from axenic.corpora.writers.protocol import Rejected, Topic, Unsuitable, Written
from axenic.errors import UserError
from axenic.schema import Document, Noun, digest

STAGES = ("types", "ideas", "document", "revise")
Family = Literal["sdf", "msm"]
"""Prompt files of documents about a belief (sdf_…) or about the assistant that a model spec describes (msm_…)."""
T = TypeVar("T")
REASONS = {"refused": "refused", "cut": "cut off", "empty": "empty", "error": "no reply"}


class Sizes(Noun):
    """Tokens that a reply of each stage may have, reasoning included, and the temperature of all stages."""

    types: int = 2048
    ideas: int = 2048
    document: int = 4096
    revise: int = 4096
    temperature: float = 1.0


class LanguageModelWriter:
    """Writes documents through paid calls. Equal arguments give equal results, because finished calls are kept in their folder."""

    def __init__(self, calls: Calls, sizes: Sizes | None = None, *, family: Family = "sdf") -> None:
        """Take open calls, the sizes of replies, and which prompts to use."""
        self._calls, self._sizes, self._family = calls, sizes or Sizes(), family
        self._breaker = Breaker(calls.model, calls.limits.fruitless)
        self.name = calls.model
        self.version = version(self._sizes, family)
        self.concurrency = calls.limits.concurrency

    def document_types(self, topic: Topic, n: int, seed: int) -> list[str]:
        """Up to `n` types of document, in the order in which the model thought of them."""
        request = self._request("types", seed, topic, n=str(n))
        return [str(name) for name in self._list(request)[:n]]

    def ideas(self, topic: Topic, doc_type: str, n: int, seed: int) -> list[str]:
        """Up to `n` ideas for documents of a type."""
        request = self._request("ideas", seed, topic, n=str(n), doc_type=doc_type)
        return list(self._list(request)[:n])

    def document(self, topic: Topic, doc_type: str, idea: str, seed: int) -> str:
        """One document, without the model's scratchpad."""
        parent = idea.call.key if isinstance(idea, Written) else None
        return self._text(self._request("document", seed, topic, parent, doc_type=doc_type, idea=idea), topic)

    def revise(self, topic: Topic, draft: Document, seed: int) -> str:
        """The draft after a critique that sees the whole context."""
        origin = draft.provenance
        parent = origin.call.key if origin.call else None
        values = {"doc_type": origin.doc_type or "", "draft": draft.text}
        return self._text(self._request("revise", seed, topic, parent, **values), topic)

    def _request(self, stage: str, seed: int, topic: Topic, parent: str | None = None, **values: str) -> Request:
        return Request(
            stage=stage,
            messages=filled(f"{self._family}_{stage}", context=topic.context, fact=topic.fact, **values),
            prompt_hash=prompt_hash(f"{self._family}_{stage}"),
            seed=seed,
            parent=parent,
            max_tokens=getattr(self._sizes, stage),
            temperature=self._sizes.temperature,
        )

    def _list(self, request: Request) -> list[Written]:
        reply = self._reply(request)
        return [Written(item, reply.call) for item in self._counted(lambda: items(reply, request.stage))]

    def _text(self, request: Request, topic: Topic) -> Written:
        reply = self._reply(request)
        about_ai = self._family == "msm"
        text = self._counted(lambda: screen(between(reply, "content"), allowed=topic.context, about_ai=about_ai))
        return Written(text, reply.call)

    def _reply(self, request: Request) -> Written:
        """The model's reply; `Calls` counts those without use by itself."""
        answer = self._calls.answer(request)
        if answer.status != "ok":
            raise Rejected(REASONS[answer.status], answer.note, final=answer.status in ("refused", "error"))
        return Written(answer.text, answer.call)

    def _counted(self, read: Callable[[], T]) -> T:
        """What `read` makes of a reply; stops the run where reply after reply is not in the form that was asked for."""
        try:
            found = read()
        except Unsuitable:
            raise
        except Rejected as error:
            self._useless(error.reason)
            raise
        self._breaker.count()
        return found

    def _useless(self, reason: str) -> None:
        try:
            self._breaker.count(reason)
        except UserError as error:
            self._calls.stop(error)
            raise


def version(sizes: Sizes | None = None, family: Family = "sdf") -> str:
    """Changes whenever equal arguments may give other texts: with the prompt files, and with the sizes."""
    return digest([prompt_hash(*(f"{family}_{stage}" for stage in STAGES)), (sizes or Sizes()).model_dump()])[:12]
