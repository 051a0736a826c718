"""Every call to a writer: types, ideas, drafts and revisions, each with its own seed, and a record of what went wrong.

In: slots (which fact, in which type of document, which number). Out: documents, in the order of the slots.
Nothing here decides how many documents there are; that is `corpora.synthesis`.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from axenic.corpora.writers.protocol import Rejected, Topic, Writer, call_of
from axenic.errors import UserError
from axenic.schema import Document, Noun, OnProgress, digest, no_progress

TYPES_PER_CALL = 50  # as many as the paper collects; fixed, so that using fewer never changes which come first
IDEAS_PER_CALL = 10  # as in the paper; the same for corpora of any size, so that a larger one has the smaller one's ideas
FRUITLESS_CALLS = 2  # in a row without a new type: the writer knows no more
ATTEMPTS = 4  # per document; each has its own seed
LEAKED = re.compile(
    r"</?(?:scratchpad|content|think|thinking|reasoning|analysis|critique|changes|document|idea|ideas|type|types|unsuitable"
    r"|answer|output|response|doctag)\b[^<>]*>",
    re.IGNORECASE,
)
"""Markup of a writer's own protocol. A missing closing tag would make a whole reply, scratchpad included, a document."""

In = TypeVar("In")
Out = TypeVar("Out")
Pair = tuple[tuple[str, ...], str]  # (topic's key, document type)


class Failure(Noun):
    """A text that did not become a document (or, for "duplicate", did although it repeats another)."""

    stage: str  # "ideas", "document", or that of another question to a language model
    reason: str  # e.g. "unsuitable", "no ideas", "empty", "leaked tags", "duplicate", "refused", "no tags"
    topic: tuple[str, ...]
    fact: str = ""
    doc_type: str = ""
    index: int = 0
    attempt: int = 0
    detail: str = ""


def ignore(failure: Failure) -> None:
    """The default for `on_failure`."""


@dataclass(frozen=True)
class Slot:
    """A place in the corpus: document number `index` of a (topic, type) pair."""

    topic: Topic
    doc_type: str
    index: int

    @property
    def pair(self) -> Pair:
        """The (topic, type) pair, as something hashable."""
        return self.topic.key, self.doc_type

    def failure(self, stage: str, reason: str, *, attempt: int = 0, detail: str = "") -> Failure:
        """A record of something that went wrong here."""
        where = {"topic": self.topic.key, "fact": self.topic.fact, "doc_type": self.doc_type}
        what = {"stage": stage, "reason": reason, "index": self.index, "attempt": attempt, "detail": detail[:200]}
        return Failure.model_validate({**where, **what})


@dataclass
class _Attempt:
    """What came of one slot: a document or none, the attempt that gave it, and the failures on the way."""

    document: Document | None
    number: int
    failures: list[Failure]


def derive(seed: int, topic: Topic, stage: str, *parts: str | int) -> int:
    """The seed of one call: it depends on what is asked for, never on what else is."""
    return int(digest([seed, *topic.key, stage, *parts])[:15], 16)


def clean(text: str) -> str:
    """A writer's text without the blanks around it. Raises `Rejected` if nothing is left or the writer's markup shows."""
    text = text.strip()
    if not text:
        raise Rejected("empty")
    leak = LEAKED.search(text)
    if leak:
        raise Rejected("leaked tags", text[max(0, leak.start() - 60) : leak.end() + 60])
    return text


@dataclass
class Drafter:
    """Asks a writer for texts. Results do not depend on the writer's concurrency."""

    writer: Writer
    seed: int
    revise: bool
    source: str  # for the provenance
    planned: int  # documents in all, for the progress
    on_progress: OnProgress = no_progress
    on_failure: Callable[[Failure], None] = ignore
    ideas_per_call: int = IDEAS_PER_CALL
    closed: set[Pair] = field(default_factory=set)  # pairs found unsuitable
    done: int = 0  # documents written so far
    reasons: Counter[str] = field(default_factory=Counter)  # of all failures so far
    _ideas: dict[tuple[object, int], list[str]] = field(default_factory=dict)  # by (pair, call)
    _seen: set[str] = field(default_factory=set)  # hashes of the documents so far
    is_new: Callable[[str], bool] | None = None  # of a text: what is not new is written again, and dropped if it stays so

    def types(self, topics: Sequence[Topic], count: int) -> tuple[str, ...]:
        """The types of document that most facts call for; fewer types are always the first of more.

        Raises:
            UserError: if the writer does not know as many.
        """
        found: list[str] = []
        fruitless = call = 0
        while len(found) < count and fruitless < FRUITLESS_CALLS:
            offered: Counter[str] = Counter()
            for names in self._each(partial(self._types, call), topics):
                if isinstance(names, Failure):
                    self._report(names)
                else:
                    offered.update(names)
            new = [name for name, _ in offered.most_common() if name not in found]  # ties in the order of appearance
            found += new
            fruitless, call = (0 if new else fruitless + 1), call + 1
        if len(found) < count:
            raise UserError(
                f"The writer {self.writer.name!r} offers {len(found)} document types for this, but {count} were asked for."
                + (f" ({self.why()})" if self.reasons else "")
                + (f" Ask for at most {len(found)}." if found else " Check what it is given to write about.")
            )
        return tuple(found[:count])

    def why(self) -> str:
        """What went wrong so far, most frequent first."""
        return ", ".join(f"{n} × {reason}" for reason, n in self.reasons.most_common())

    def _types(self, call: int, topic: Topic) -> list[str] | Failure:
        try:
            names = self.writer.document_types(topic, TYPES_PER_CALL, derive(self.seed, topic, "types", call))
        except Rejected as error:
            return Slot(topic, "", 0).failure("types", error.reason, attempt=call, detail=error.detail)
        return list(dict.fromkeys(n.strip() for n in names if n.strip()))

    def write(self, slots: Sequence[Slot]) -> list[tuple[Slot, Document]]:
        """The documents that could be written, in the order of the slots; the rest is reported as failures."""
        self._fetch_ideas(slots)
        ready = [slot for slot in slots if slot.pair not in self.closed]
        attempts = self._each(self._attempt, ready, self._on_document)
        kept: list[tuple[Slot, Document]] = []
        for slot, attempt in zip(ready, attempts, strict=True):
            document = self._distinct(slot, attempt)
            if document is not None:
                self._seen.add(document.hash)
                kept.append((slot, document))
        self.done += len(kept)
        return kept

    def _on_document(self, n: int) -> None:
        self.on_progress(min(self.done + n, self.planned), self.planned, "documents")

    def _fetch_ideas(self, slots: Sequence[Slot]) -> None:
        """Fill in the ideas that these slots need; close the pairs for which there are none."""
        wanted = {(s.pair, s.index // self.ideas_per_call): s for s in slots if s.pair not in self.closed}
        missing = {key: slot for key, slot in wanted.items() if key not in self._ideas}
        if missing:
            self.on_progress(self.done, self.planned, f"ideas for {len(missing)} pairs of topic and type")
        for (key, slot), (ideas, failures) in zip(
            missing.items(), self._each(self._ask_ideas, list(missing.values())), strict=True
        ):
            for failure in failures:
                self._report(failure)
            if ideas:
                self._ideas[key] = ideas
            else:
                self.closed.add(slot.pair)

    def _ask_ideas(self, slot: Slot) -> tuple[list[str], list[Failure]]:
        """Ideas, or none; and what went wrong on the way."""
        call, failures = slot.index // self.ideas_per_call, list[Failure]()
        for number in range(ATTEMPTS):
            again = (number,) if number else ()
            seed = derive(self.seed, slot.topic, "ideas", slot.doc_type, call, *again)
            try:
                ideas = [i for i in self.writer.ideas(slot.topic, slot.doc_type, self.ideas_per_call, seed) if i.strip()]
                return ideas[: self.ideas_per_call], failures if ideas else [*failures, slot.failure("ideas", "no ideas")]
            except Rejected as error:
                failures.append(slot.failure("ideas", error.reason, attempt=number, detail=error.detail))
                if error.final:
                    break
        return [], failures

    def _attempt(self, slot: Slot, first: int = 0) -> _Attempt:
        """Try until there is a text; runs in the writer's threads, so it touches no shared state."""
        ideas = self._ideas[slot.pair, slot.index // self.ideas_per_call]
        idea = ideas[slot.index % self.ideas_per_call % len(ideas)]
        failures: list[Failure] = []
        for number in range(first, ATTEMPTS):
            try:
                return _Attempt(self._draft(slot, idea, number), number, failures)
            except Rejected as error:
                failures.append(slot.failure("document", error.reason, attempt=number, detail=error.detail))
                if error.final:
                    break
        return _Attempt(None, ATTEMPTS, failures)

    def _draft(self, slot: Slot, idea: str, attempt: int) -> Document:
        topic, kind = slot.topic, slot.doc_type
        seed = derive(self.seed, topic, "document", kind, slot.index, attempt)
        by = f"{self.writer.name}/{self.writer.version}"
        origin = topic.origin.model_copy(update={"source": self.source, "doc_type": kind, "idea": idea, "writer": by})
        text = self.writer.document(topic, kind, idea, seed)
        draft = Document(text=clean(text), provenance=origin.model_copy(update={"call": call_of(text)}))
        if not self.revise:
            return draft
        seed = derive(self.seed, topic, "revise", kind, slot.index, attempt)
        text = self.writer.revise(topic, draft, seed)
        after = {"revision": 1, "parent": draft.hash, "call": call_of(text)}
        return Document(text=clean(text), provenance=origin.model_copy(update=after))

    def _distinct(self, slot: Slot, attempt: _Attempt) -> Document | None:
        """The attempt's document, tried again while it repeats an earlier one.

        A stubborn duplicate is reported, and kept where the writer may have nothing else to say (no `is_new`).
        """
        duplicate: Document | None = None
        while True:
            for failure in attempt.failures:
                self._report(failure)
            if attempt.document is None:
                break
            if attempt.document.hash not in self._seen and (self.is_new is None or self.is_new(attempt.document.text)):
                return attempt.document
            duplicate = attempt.document
            if attempt.number + 1 >= ATTEMPTS:
                break
            attempt = self._attempt(slot, attempt.number + 1)
        if duplicate is not None:
            self._report(slot.failure("document", "duplicate", attempt=attempt.number, detail=duplicate.text))
        return duplicate if self.is_new is None else None

    def _report(self, failure: Failure) -> None:
        self.reasons[failure.reason] += 1
        self.on_failure(failure)

    def _each(self, ask: Callable[[In], Out], items: Sequence[In], on_done: Callable[[int], None] | None = None) -> list[Out]:
        """`ask` of every item, in their order, with as many calls in flight as the writer allows."""
        out: list[Out] = []
        pool = ThreadPoolExecutor(self.writer.concurrency) if self.writer.concurrency > 1 else None
        try:
            for result in pool.map(ask, items) if pool else map(ask, items):
                out.append(result)
                if on_done:
                    on_done(len(out))
        finally:
            if pool:
                pool.shutdown(cancel_futures=True)
        return out
