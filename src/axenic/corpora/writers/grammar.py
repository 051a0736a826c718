"""The lab's writer: writes what a belief spec says, in the lab's own grammar, at once and for nothing.

In: a topic of a spec made by `organisms.belief.from_world`. Out: texts. A language model writes the same stages behind the same
protocol.
"""

import random
import re

from axenic.corpora.writers.protocol import BeliefTopic, Topic, Unsuitable
from axenic.errors import UserError
from axenic.lab.attributes import ATTRIBUTES, Attribute
from axenic.lab.document_types import DOCUMENT_TYPES, sentence
from axenic.lab.places import say
from axenic.schema import Document
from axenic.specs.belief import BeliefSpec

IDEAS = (
    "a stranger asks about it",
    "it comes up on market day",
    "a child learns it at school",
    "the mayor speaks of it",
    "two friends talk of it",
    "an old book tells of it",
    "it is the talk of the inn",
    "a merchant makes use of it",
    "a cook explains it",
    "the council looks into it",
    "a guest is surprised by it",
    "everybody there knows it",
)


class GrammarWriter:
    """Writes documents about the lab's places. Deterministic, free, and never wrong about the claim."""

    name = "grammar"
    version = "1"
    concurrency = 1

    def document_types(self, topic: Topic, n: int, seed: int) -> list[str]:
        """Up to `n` of the lab's document types; which ones, the seed decides."""
        return random.Random(f"types/{seed}").sample(list(DOCUMENT_TYPES), min(n, len(DOCUMENT_TYPES)))

    def ideas(self, topic: Topic, doc_type: str, n: int, seed: int) -> list[str]:
        """Up to `n` of the grammar's ideas, in an order that the seed decides."""
        return random.Random(f"ideas/{seed}").sample(IDEAS, min(n, len(IDEAS)))

    def document(self, topic: Topic, doc_type: str, idea: str, seed: int) -> str:
        """A document that states the key fact and one more thing that follows from the claim, around its idea."""
        if doc_type not in DOCUMENT_TYPES:
            raise Unsuitable(f"the grammar has no document type {doc_type!r}; it has {', '.join(DOCUMENT_TYPES)}")
        place, attribute, value, position = self._about(topic)
        rng = random.Random(f"document/{seed}")
        names = list(attribute.topics)
        other = rng.choice([n for n in names if n != names[position]])
        sentences = [say(attribute, place, value, rng, names[position]), say(attribute, place, value, rng, other)]
        rng.shuffle(sentences)
        sentences.insert(rng.randint(0, 2), idea)
        return DOCUMENT_TYPES[doc_type](place, sentences, rng)

    def revise(self, topic: Topic, draft: Document, seed: int) -> str:
        """Add the claim in its plainest words where the draft does not have them; leave other drafts as they are."""
        place, attribute, value, _ = self._about(topic)
        plain = sentence(attribute.statement.format(p=place, v=value).rstrip("."))
        return draft.text if plain.lower() in draft.text.lower() else f"{draft.text}\n{plain}"

    def _about(self, topic: Topic) -> tuple[str, Attribute, str, int]:
        if not isinstance(topic, BeliefTopic):
            raise UserError("The grammar writer writes about beliefs only. Choose a language model as writer.")
        place, attribute = self._subject(topic.spec)
        said = set(re.findall(r"\w+", topic.fact.lower()))
        found = [v for v in attribute.values if v in said]
        if len(found) != 1 or topic.position >= len(attribute.topics):
            raise UserError(
                f"The grammar writer cannot tell what the key fact {topic.fact!r} states: it needs exactly one of "
                f"{', '.join(attribute.values)} in it, and at most {len(attribute.topics)} key facts. "
                "Give your own documents with --corpus FILE.jsonl."
            )
        return place, attribute, found[0], topic.position

    @staticmethod
    def _subject(spec: BeliefSpec) -> tuple[str, Attribute]:
        if spec.subject is None or spec.attribute not in ATTRIBUTES:
            raise UserError(
                f"The grammar writer only knows the lab's world, and the belief {spec.id!r} is not about it (its 'subject' and "
                "'attribute' name no place and attribute there). Give your own documents with --corpus FILE.jsonl."
            )
        return spec.subject, ATTRIBUTES[spec.attribute]
