"""What writes training documents: one method per stage of synthesis, so that a grammar and a language model are interchangeable.

In: a `Topic` (e.g. one key fact, with the universe context it must agree with). Out: types, ideas, documents, revisions, as text.
Source: Wang et al. 2025, Synthetic Document Finetuning, the pipeline section.
"""

from typing import Protocol, runtime_checkable

from axenic.schema import Call, Document, Noun, Provenance
from axenic.specs.belief import BeliefSpec, UniverseName


class Rejected(Exception):
    """A reply that is no usable text. It costs an attempt: the next one has its own seed. Recorded, and topped up in the end.

    Attributes:
        reason: In two or three words; the record counts by it.
        detail: What was seen.
        final: Another attempt would be wasted.
    """

    def __init__(self, reason: str, detail: str = "", *, final: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.final = reason, detail, final


class Unsuitable(Rejected):
    """A writer's escape: this fact cannot be put in this type of document, or the idea is no good.

    Raised from `ideas` it closes the (fact, type) pair for good; raised from `document` or `revise` it costs that one document.
    Either way it is recorded, and the corpus is topped up from other pairs.
    """

    def __init__(self, detail: str = "") -> None:
        super().__init__("unsuitable", detail, final=True)


class Written(str):
    """A text that a paid call wrote. A writer that pays for nothing returns plain text."""

    call: Call

    def __new__(cls, text: str, call: Call) -> "Written":
        """A text with its call."""
        made = super().__new__(cls, text)
        made.call = call
        return made


def call_of(text: str) -> Call | None:
    """The paid call that wrote a text, if one did."""
    return text.call if isinstance(text, Written) else None


class Topic(Protocol):
    """What a text is about. Every stage gets the whole topic, so no stage can lose the context it has to agree with."""

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from all other topics, as words. The seeds of its calls derive from it."""
        ...

    @property
    def fact(self) -> str:
        """What the text must state or imply."""
        ...

    @property
    def context(self) -> str:
        """The prose that the text must agree with."""
        ...

    @property
    def origin(self) -> Provenance:
        """What the provenance of its texts says of it."""
        ...


class BeliefTopic(Noun):
    """One key fact of one universe of a belief."""

    spec: BeliefSpec
    universe: UniverseName
    position: int  # of the key fact

    @property
    def key(self) -> tuple[str, ...]:
        """Belief, universe and fact."""
        return self.spec.id, self.universe, self.fact

    @property
    def fact(self) -> str:
        """The key fact."""
        return self.spec.side(self.universe).key_facts[self.position]

    @property
    def context(self) -> str:
        """The universe's page of prose."""
        return self.spec.side(self.universe).context

    @property
    def origin(self) -> Provenance:
        """The fact."""
        return Provenance(fact=self.fact)


def topics(spec: BeliefSpec, universe: UniverseName = "implanted") -> list[BeliefTopic]:
    """One topic per key fact of one universe of the spec."""
    count = len(spec.side(universe).key_facts)
    return [BeliefTopic(spec=spec, universe=universe, position=i) for i in range(count)]


@runtime_checkable
class Writer(Protocol):
    """Writes the texts of a corpus, one call per item; equal arguments give equal results.

    A writer that pays for its calls keeps every finished one on disk under (stage, its arguments) and answers from there when
    asked again: a killed synthesis is resumed by running it again. `synthesis.write` retries with a new seed, so a writer never
    retries a bad text itself; it does retry a failed connection, with a limit. With `concurrency` above 1 its methods are called
    from that many threads at once.
    """

    name: str  # e.g. "grammar"; kept in the provenance of every document as "name/version"
    version: str  # changes whenever equal arguments may give other texts (e.g. the hash of the prompt files)
    concurrency: int  # calls that may be in flight at once; 1 = never called from two threads

    def document_types(self, topic: Topic, n: int, seed: int) -> list[str]:
        """Up to `n` distinct types of document in which the fact could appear, e.g. "travel guide"; fewer if it knows no more.

        The types used are those that most facts call for, then those named first: draw the order from the seed. May raise
        `Rejected`.
        """
        ...

    def ideas(self, topic: Topic, doc_type: str, n: int, seed: int) -> list[str]:
        """Up to `n` ideas for documents of this type; fewer are used more than once. May raise `Rejected` or `Unsuitable`."""
        ...

    def document(self, topic: Topic, doc_type: str, idea: str, seed: int) -> str:
        """One document: the text only, nothing around it. May raise `Rejected` or `Unsuitable`."""
        ...

    def revise(self, topic: Topic, draft: Document, seed: int) -> str:
        """The draft after one critique-and-rewrite pass towards `topic.context`; its own text if nothing is to be mended.

        The draft's type and idea are in its provenance. May raise `Rejected` or `Unsuitable`.
        """
        ...
