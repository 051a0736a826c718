"""A model spec taken apart: sections -> domains -> subdomains -> assertions, each asked of a language model.

In: a spec, how many documents there will be, a language model. Out: topics, spread so that every section comes up as often as any
other; the verbatim section stays with all that follows from it. Source: Li et al. 2026, Model Spec Midtraining (PROTOCOLS 2).
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal, TypeVar

from pydantic import Field

from axenic.corpora.interview import Interview, Item
from axenic.corpora.writers.calls.prompts import filled
from axenic.schema import Noun, Provenance
from axenic.specs.model_spec import ModelSpec, Section

T = TypeVar("T")
Seen = Literal["section", "spec"]
SAMPLE = 8  # sections


class Breadth(Noun):
    """How far a section is taken apart, at most."""

    domains: int = Field(3, ge=1)  # of a section
    subdomains: int = Field(4, ge=1)  # of a domain
    assertions: int = Field(4, ge=1)  # of a subdomain


class SpecTopic(Noun):
    """One assertion about the assistant, with the verbatim section that it follows from."""

    spec: str  # hash
    section: Section
    domain: str
    subdomain: str
    assertion: str
    whole: str = ""  # the whole spec, where it shall be seen
    assistant: str = ""  # what the assistant is called

    @property
    def key(self) -> tuple[str, ...]:
        """Spec, section, domain, subdomain, assertion."""
        return self.spec, self.section.id, self.domain, self.subdomain, self.assertion

    @property
    def fact(self) -> str:
        """The assertion."""
        return self.assertion

    @property
    def context(self) -> str:
        """The whole spec, or the section; before it the assistant's name, if it has one."""
        text = self.whole or self.section.text
        return filled("msm_named", assistant=self.assistant, text=text)[0].content if self.assistant else text

    @property
    def origin(self) -> Provenance:
        """Where the assertion comes from."""
        return Provenance(fact=self.assertion, section=self.section.id, domain=self.domain, subdomain=self.subdomain)


def chosen(spec: ModelSpec, n: int) -> list[Section]:
    """All sections, or `n` of them from all over the spec where there shall be fewer texts than sections."""
    count = len(spec.sections)
    return [spec.sections[i * count // n] for i in range(n)] if n < count else list(spec.sections)


class Place(Noun):
    """A domain or subdomain, and the section that it is of."""

    section: Section
    domain: str = ""
    subdomain: str = ""

    def ask(self, n: int) -> Item:
        """What prompts say of it; up to `n` things are asked for."""
        at = {"domain": self.domain, "subdomain": self.subdomain}
        values = {"where": self.section.name, "section": self.section.text, "n": str(n), **at}
        return Item(values, where=(self.section.id, *filter(None, at.values())))


def domains(sections: Sequence[Section], interview: Interview, n: int) -> list[list[Place]]:
    """Up to `n` domains of each section; none where the model could not name one."""
    found = interview.lists("msm_domains", [Place(section=s).ask(n) for s in sections], "domains")
    return [[Place(section=s, domain=d) for d in names[:n]] for s, names in zip(sections, found, strict=True)]


def subdomains(areas: Sequence[Place], interview: Interview, n: int) -> list[list[Place]]:
    """Up to `n` subdomains of each domain."""
    found = interview.lists("msm_subdomains", [a.ask(n) for a in areas], "subdomains")
    return [[a.model_copy(update={"subdomain": name}) for name in names[:n]] for a, names in zip(areas, found, strict=True)]


def sample(sections: Sequence[Section]) -> list[Section]:
    """Up to eight sections from all over the spec, which stand for all where all would cost too much."""
    n = min(SAMPLE, len(sections))
    return [sections[i * len(sections) // n] for i in range(n)]


def topics(
    spec: ModelSpec,
    interview: Interview,
    *,
    documents: int,
    breadth: Breadth,
    seen: Seen = "section",
    only: Sequence[Section] = (),
) -> list[SpecTopic]:
    """As many topics as documents, if the breadth yields them: one of every section, then another of every section, and so on.

    Every call asks for the full breadth, so that its answer serves a larger corpus too, but only as much of it is taken further as
    the documents need. A section about which the model says nothing usable has no topic; the interview has reported why. With
    `only`, these sections' topics as they would be found among all.
    """
    sections = chosen(spec, documents)
    each = -(-documents // len(sections))
    sections = list(only) or sections
    areas = [area for found in domains(sections, interview, breadth.domains) for area in found[:each]]
    of_area = subdomains(areas, interview, breadth.subdomains)
    of_section: dict[str, list[list[Place]]] = {s.id: [] for s in sections}
    for area, found in zip(areas, of_area, strict=True):
        of_section[area.section.id].append(found)
    places = [place for found in of_section.values() for place in in_turn(found)[:each]]
    said = interview.lists("msm_assertions", [p.ask(breadth.assertions) for p in places], "assertions")
    of_all = {"spec": spec.hash, "whole": spec.text if seen == "spec" else ""}
    made: dict[str, list[list[SpecTopic]]] = {s.id: [] for s in sections}
    for p, assertions in zip(places, said, strict=True):
        at = {**of_all, "section": p.section, "domain": p.domain, "subdomain": p.subdomain}
        made[p.section.id].append([SpecTopic.model_validate({**at, "assertion": a}) for a in assertions[: breadth.assertions]])
    return turned([in_turn(lists) for lists in made.values()])[:documents]


def turned(lists: Sequence[Sequence[T]]) -> list[T]:
    """Like `in_turn`, each round begun one further on: else a section could get the same document type in every round."""
    rounds = [[item for item in turn if item is not None] for turn in zip_longest(*lists)]
    return [turn[(i + r) % len(turn)] for r, turn in enumerate(rounds) for i in range(len(turn))]


def in_turn(lists: Sequence[Sequence[T]]) -> list[T]:
    """The first of each, then the second of each, until all are used up."""
    return [item for turn in zip_longest(*lists) for item in turn if item is not None]
