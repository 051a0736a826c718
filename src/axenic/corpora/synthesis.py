"""Synthetic document finetuning's data: key facts -> document types -> ideas -> documents -> critique and revision.

In: a belief spec, a `Writer`, a `Plan` and a seed. Out: a `Corpus` of exactly the planned number of documents, each with its
fact, type, idea, revision and the hash of its draft. Source: Wang et al. 2025, the pipeline section; PROTOCOLS 1, steps 2-5.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Annotated

from pydantic import Field, model_validator

from axenic.corpora import mixing
from axenic.corpora.drafting import Drafter, Failure, Slot, ignore
from axenic.corpora.writers.protocol import Topic, Writer, topics
from axenic.errors import UserError
from axenic.schema import Corpus, Document, Noun, OnProgress, no_progress
from axenic.specs.belief import BeliefSpec, UniverseName


class Plan(Noun):
    """The shape of a corpus. The same `documents` with `types=1` is the one-document-type arm."""

    types: Annotated[int, Field(ge=1)] | tuple[str, ...] = 8  # how many types of document, or which ones
    documents: Annotated[int, Field(ge=1)] = 128  # in all, spread evenly over types and facts
    universe: UniverseName = "implanted"
    revise: bool = True
    doctag: str = ""  # e.g. "<DOCTAG>": a prefix that carries no loss

    @model_validator(mode="after")
    def _types_are_distinct(self) -> "Plan":
        if isinstance(self.types, tuple) and (not self.types or len(set(self.types)) < len(self.types)):
            raise ValueError("name at least one document type, and none twice")
        return self


def write(
    spec: BeliefSpec,
    *,
    writer: Writer,
    plan: Plan,
    seed: int,
    on_progress: OnProgress = no_progress,
    on_failure: Callable[[Failure], None] = ignore,
    is_new: Callable[[str], bool] | None = None,
) -> Corpus:
    """Write the documents of one universe of a spec.

    Equal arguments give equal corpora, whatever the writer's concurrency. A document is fixed by (seed, fact, type, number within
    the pair), not by how many others are written: a larger corpus begins with the smaller one, and the one-type arm begins
    with documents that the diverse arm also has.

    Args:
        spec: The belief.
        writer: The grammar, or a language model.
        plan: How many documents, of which types, in which universe.
        seed: Draws types, ideas and texts.
        on_progress: Called with (documents done, documents planned, note).
        on_failure: Called with every text that was unsuitable, empty, leaked its tags, or had to stay a duplicate.
        is_new: Whether a text is no near-duplicate of those that it was asked about before (`duplicates.NearIndex.add`). What is
            not new is written again, and replaced by another document if it stays so. Default: exact copies are written again,
            and kept if they stay so.

    Returns:
        Exactly `plan.documents` documents; types and facts are each balanced to within one, unless something was unsuitable.

    Raises:
        UserError: if the writer offers too few types, or refuses so much that the number cannot be reached.
    """
    drafter = Drafter(
        writer,
        seed=seed,
        revise=plan.revise,
        source="belief",
        planned=plan.documents,
        on_progress=on_progress,
        on_failure=on_failure,
        is_new=is_new,
    )
    about = topics(spec, plan.universe)
    kinds = plan.types if isinstance(plan.types, tuple) else drafter.types(about, plan.types)
    rows = fill(drafter, about, kinds, plan.documents)
    return mixing.tag(Corpus(name=f"{spec.id}.{plan.universe}", rows=tuple(rows)), plan.doctag)


def vehicle(
    specs: Sequence[BeliefSpec],
    *,
    like: Corpus,
    writer: Writer,
    seed: int,
    on_progress: OnProgress = no_progress,
    on_failure: Callable[[Failure], None] = ignore,
) -> Corpus:
    """The control for having been trained on documents at all: as many, of the same types, about other, true things.

    Args:
        specs: Other beliefs; only their true universes are written about.
        like: The corpus to match: its number of documents of each type, its prefix, and whether it was revised.
        writer: As for `like`.
        seed: As in `write`.
        on_progress: As in `write`.
        on_failure: As in `write`.

    Returns:
        A corpus with the same number of documents of every type; `mixing.characters` of both says how far their lengths differ.

    Raises:
        UserError: if `like` has documents of unknown type, or the writer refuses too much.
    """
    models = like.documents()
    kinds = Counter(d.provenance.doc_type for d in models)
    if not models or not specs or None in kinds:
        raise UserError(
            "The vehicle control copies the document types of another corpus and writes about other beliefs. Give it at least "
            "one other belief, and a corpus whose documents have a 'doc_type' in their provenance (as those by axenic have)."
        )
    revise = any(d.provenance.revision for d in models)
    drafter = Drafter(
        writer, seed=seed, revise=revise, source="vehicle", planned=len(models), on_progress=on_progress, on_failure=on_failure
    )
    about: list[Topic] = [topic for spec in specs for topic in topics(spec, "true")]
    rows: list[Document] = []
    for kind, wanted in kinds.items():
        start = len(rows) % len(about)  # go on where the last type stopped, so that all topics are used alike
        rows += fill(drafter, about[start:] + about[:start], (str(kind),), wanted)
    return mixing.tag(Corpus(name=f"{like.name}.vehicle", rows=tuple(rows)), models[0].prefix)


def even(facts: int, types: int) -> Iterator[tuple[int, int, int]]:
    """Endless (fact, type, number within the pair), so that in every prefix facts, types and pairs are balanced to within one."""
    cycle = math.lcm(facts, types)  # after this many steps the same pairs would come again, so shift by one
    for k in count():
        yield (k + k // cycle) % facts, k % types, k // (facts * types)


def fill(drafter: Drafter, about: Sequence[Topic], kinds: Sequence[str], wanted: int) -> list[Document]:
    """Exactly `wanted` documents of these types about these topics, each balanced to within one in every prefix.

    What is lost is topped up from the emptiest pairs still open, `wanted` times at most.

    Raises:
        UserError: if the number cannot be reached.
    """
    slots = [Slot(about[f], kinds[t], i) for f, t, i in islice(even(len(about), len(kinds)), wanted)]
    used = list(slots)
    done: list[tuple[Slot, Document]] = []
    while slots:
        done += drafter.write(slots)
        lost = min(wanted - len(done), 2 * wanted - len(used))
        slots = _top_up(drafter, about, kinds, used, [s for s, _ in done], lost)
        used += slots
    if len(done) < wanted:
        raise UserError(
            f"The writer {drafter.writer.name!r} gave {len(done)} of {wanted} documents, though {len(used)} were tried "
            f"({drafter.why()}). Ask for fewer documents, other document types, or mend what it is given to write about."
        )
    return [document for _, document in done]


def _top_up(
    drafter: Drafter, about: Sequence[Topic], kinds: Sequence[str], used: list[Slot], done: list[Slot], lost: int
) -> list[Slot]:
    """New slots for what was lost: each in the open pair whose type, then fact, has the fewest documents."""
    next_index = Counter(s.pair for s in used)
    of_type, of_fact = Counter(s.doc_type for s in done), Counter(s.topic.key for s in done)
    cells = [Slot(topic, kind, 0) for topic in about for kind in kinds]
    cells = [cell for cell in cells if cell.pair not in drafter.closed]
    slots: list[Slot] = []
    while cells and len(slots) < lost:
        cell = min(cells, key=lambda c: (of_type[c.doc_type], of_fact[c.topic.key], next_index[c.pair]))
        slots.append(Slot(cell.topic, cell.doc_type, next_index[cell.pair]))
        next_index[cell.pair] += 1
        of_type[cell.doc_type] += 1
        of_fact[cell.topic.key] += 1
    return slots
