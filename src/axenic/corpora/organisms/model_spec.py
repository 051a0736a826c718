"""Model spec midtraining's data: documents that take the assistant's spec for granted, each from a verbatim section.

In: a spec, a writer of documents, a language model, a plan. Out: a `Corpus` in which every section comes up,
and a table that says so. Source: Li et al. 2026, Model Spec Midtraining (PROTOCOLS 2).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from axenic.corpora import mixing
from axenic.corpora.drafting import IDEAS_PER_CALL, Drafter
from axenic.corpora.interview import Interview
from axenic.corpora.spec_topics import Breadth, Seen, SpecTopic, chosen, sample, topics
from axenic.corpora.synthesis import fill
from axenic.corpora.writers.protocol import Writer
from axenic.errors import UserError
from axenic.schema import Corpus, Noun, OnProgress, no_progress
from axenic.specs.model_spec import ModelSpec, Section
from axenic.written import SectionCoverage

SOURCE = "spec"


class SpecPlan(Noun):
    """The shape of a corpus."""

    documents: int = Field(200, ge=1)  # in all, spread evenly over sections and types
    types: Annotated[int, Field(ge=1)] | tuple[str, ...] = 8  # how many types of document, or which ones
    breadth: Breadth = Breadth()
    seen: Seen = "section"  # what of the spec the writer sees with each document
    assistant: str = ""  # what documents call the assistant; by default, what the spec calls it
    revise: bool = True
    doctag: str = ""  # e.g. "<DOCTAG>": a prefix that carries no loss


class Written(NamedTuple):
    """A corpus, and what of the spec is in it."""

    corpus: Corpus
    coverage: tuple[SectionCoverage, ...]


def write(
    spec: ModelSpec,
    *,
    writer: Writer,
    interview: Interview,
    plan: SpecPlan,
    on_progress: OnProgress = no_progress,
    is_new: Callable[[str], bool] | None = None,
) -> Written:
    """Write the documents of a spec: one per (assertion of a subdomain, document type, idea).

    Args:
        spec: The spec.
        writer: Writes types, ideas, documents and revisions.
        interview: Takes the spec apart; its seed is the seed of all, and it is told of every text that was lost.
        plan: How many documents, of which types.
        on_progress: Called with (documents done, documents planned, note).
        is_new: Whether a text is no near-duplicate of those before it; see `synthesis.write`.

    Returns:
        Exactly `plan.documents` documents, with the table of sections.

    Raises:
        UserError: if nothing in the spec could be taken apart, or the writer refuses so much that the number cannot be reached.
    """
    about = named(topics(spec, interview, documents=plan.documents, breadth=plan.breadth, seen=plan.seen), plan)
    if not about:
        raise UserError(f"The model made no assertion about any section of the spec {spec.id!r}. Choose another model.")
    drafter = Drafter(
        writer,
        seed=interview.seed,
        revise=plan.revise,
        source=SOURCE,
        planned=plan.documents,
        on_progress=on_progress,
        on_failure=interview.on_failure,
        is_new=is_new,
    )
    kinds = types(drafter, plan, about, sample(chosen(spec, plan.documents)))
    drafter.ideas_per_call = ideas_per_call(plan, len(about), len(kinds))
    rows = fill(drafter, about, kinds, plan.documents)
    corpus = mixing.tag(Corpus(name=spec.id, rows=tuple(rows)), plan.doctag)
    return Written(corpus, coverage(spec, corpus, about))


def named(about: Sequence[SpecTopic], plan: SpecPlan) -> list[SpecTopic]:
    """The topics with the name that the plan gives the assistant."""
    return [topic.model_copy(update={"assistant": plan.assistant}) for topic in about]


def types(drafter: Drafter, plan: SpecPlan, about: Sequence[SpecTopic], sections: Sequence[Section]) -> tuple[str, ...]:
    """The document types of the plan, or those that the first topics of these sections call for; all topics share them.

    Shared types are what makes it possible to leave one out and see what the effect owes to it.
    """
    if isinstance(plan.types, tuple):
        return plan.types
    first = {t.section.id: t for t in reversed(about)}
    return drafter.types([first[s.id] for s in sections if s.id in first], plan.types)


def ideas_per_call(plan: SpecPlan, topics: int, types: int) -> int:
    """As many ideas as a (topic, type) pair has documents: most have one, and an idea that is not used is paid for all the same."""
    return min(IDEAS_PER_CALL, -(-plan.documents // (topics * types)))


def coverage(spec: ModelSpec, corpus: Corpus, about: Sequence[SpecTopic] = ()) -> tuple[SectionCoverage, ...]:
    """For every section, how much of it was found and how much was written, in the order of the spec.

    Args:
        spec: The spec.
        corpus: Documents or chats with provenance.
        about: The topics found; without them, those that the corpus shows.
    """
    seen = [t.origin for t in about] or [row.provenance for row in corpus.rows]
    places = {(p.section, p.domain, p.subdomain, p.fact) for p in seen}
    counts = [Counter(x[0] for x in {place[:depth] for place in places if place[depth - 1] is not None}) for depth in (2, 3, 4)]
    rows = Counter(row.provenance.section for row in corpus.rows)
    return tuple(
        SectionCoverage(
            section=s.id,
            name=s.name,
            characters=len(s.text),
            domains=counts[0][s.id],
            subdomains=counts[1][s.id],
            assertions=counts[2][s.id],
            rows=rows[s.id],
        )
        for s in spec.sections
    )
