"""Alignment fine-tuning data: chats in which a model spec matters, answered with the spec in view and kept without it.

In: a spec, a plan, a language model; optionally a second, misaligned spec. Out: the chats without and with their reasoning; with it
they are the Deliberative Alignment baseline. Source: Li et al. 2026 (PROTOCOLS 2): AFT data, and the anti-spec ablation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, NamedTuple

from pydantic import Field

from axenic.corpora import duplicates
from axenic.corpora.exchanges import ROUNDS, Exchange, Exchanges, Question, new_question
from axenic.corpora.interview import Interview
from axenic.corpora.spec_topics import chosen, domains, turned
from axenic.corpora.writers.calls.prompts import lines
from axenic.errors import UserError, unknown_name
from axenic.schema import Chat, Corpus, Noun, Provenance, assistant, digest, user
from axenic.specs.model_spec import ModelSpec
from axenic.specs.scratchpad import hidden

SOURCE, ANTI = "alignment", "anti-spec"
SHOWN = 24_000
"""Characters of a second spec that is shown whole; of a longer one, the section that shares most words with the question."""


class AlignmentPlan(Noun):
    """The shape of the data."""

    chats: int = Field(200, ge=1)
    kinds: tuple[str, ...] = ()  # of question; by default all of `prompts/aft_kinds.txt`
    domains: int = Field(3, ge=1)  # of a section, at most
    questions: int = Field(8, ge=1)  # of one call, at most
    filtered: bool = True  # whether the model looks over each reply; faults that rules can see are always left out
    doses: tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...] = ()  # shares of chats that hold to the second spec


class Aligned(NamedTuple):
    """The same chats, in the same order, twice."""

    plain: Corpus
    reasoned: Corpus


@dataclass(frozen=True)
class Chats:
    """What was written. With a second spec, any dose up to the highest that was planned can be taken from it."""

    name: str
    rows: Sequence[Exchange]
    opposed: Mapping[int, Exchange]  # replies after the second spec, by row, in the order in which doses take them up
    mixed: bool  # is there a second spec?

    def at(self, dose: float = 0.0) -> Aligned:
        """The chats with this share of replies after the second spec; a higher dose keeps those of a lower one."""
        wanted = round(dose * len(self.rows))
        if wanted > len(self.opposed):
            raise ValueError(f"{wanted} replies after the second spec are needed, and {len(self.opposed)} were planned")
        taken = dict(islice(self.opposed.items(), wanted))
        name = f"{self.name}.alignment" + (f".anti-{dose:g}" if self.mixed else "")
        return Aligned(*(_corpus(name, self.rows, taken, reasoned=r, mixed=self.mixed) for r in (False, True)))


def write(
    spec: ModelSpec,
    interview: Interview,
    plan: AlignmentPlan,
    *,
    anti: ModelSpec | None = None,
    is_new: Callable[[str], bool] | None = None,
) -> Chats:
    """Write alignment data.

    Args:
        spec: What replies hold to.
        interview: The model that is asked.
        plan: How many chats, of which kinds; which doses.
        anti: A coherent spec of a misaligned assistant: at a dose, that share of the replies hold to it instead.
        is_new: Of one question after the other, whether it repeats none before it; by default, by the words that they share.

    Returns:
        Exactly `plan.chats` chats, at any dose up to the highest, without and with reasoning.

    Raises:
        UserError: There is a dose of anti-spec replies but no second spec; no such kind; or too few usable replies.
    """
    most = max(plan.doses, default=0.0)
    if most and anti is None:
        raise UserError("A dose of anti-spec replies needs a second spec to reply after. Give one with --anti-spec FILE.")
    kinds = kinds_of(plan)
    areas = turned(domains(chosen(spec, plan.chats), interview, plan.domains))
    if not areas:
        raise UserError(f"The model named no domain of any section of the spec {spec.id!r}. Choose another model.")
    maker = Exchanges(interview, areas, kinds, plan.questions, plan.filtered, is_new or new_question())
    rows = maker.write(plan.chats)
    opposed = _opposed(rows, maker, anti, round(most * plan.chats)) if anti is not None else {}
    return Chats(spec.id, rows, opposed, anti is not None)


def kinds_of(plan: AlignmentPlan) -> dict[str, str]:
    """Kinds of question by name, and what they are like. Raises `UnknownName` for one that there is not."""
    known = dict(line.split(": ", 1) for line in lines("aft_kinds"))
    for name in plan.kinds:
        if name not in known:
            raise unknown_name("kind of question", name, known)
    return {name: known[name] for name in plan.kinds or known}


def _opposed(rows: Sequence[Exchange], maker: Exchanges, anti: ModelSpec, wanted: int) -> dict[int, Exchange]:
    """For `wanted` of the rows a reply after the second spec, in an order that the questions alone decide."""
    order = sorted(range(len(rows)), key=lambda i: digest(["anti", rows[i].question.text]))
    found: dict[int, Exchange] = {}
    while len(order) >= wanted:
        missing = [i for i in order[:wanted] if i not in found]
        if not missing:
            return {i: found[i] for i in order[:wanted]}
        found |= _insisted({i: rows[i].question for i in missing}, maker, anti)
        order = [i for i in order if i in found or i not in missing]  # what stays without a reply gives way to the next
    raise UserError(
        f"Only {len(found)} of {wanted} replies after the second spec {anti.id!r} came about: the model declines, or does not hold "
        "to it. Lower the dose, or choose another model."
    )


def _insisted(questions: Mapping[int, Question], maker: Exchanges, anti: ModelSpec) -> dict[int, Exchange]:
    """Replies to these questions; what is not sound is asked for again, a bounded number of times."""
    found: dict[int, Exchange] = {}
    for turn in range(ROUNDS):
        left = {i: question for i, question in questions.items() if i not in found}
        if not left:
            break
        replies = maker.replies(list(left.values()), [_nearest(anti, q.text) for q in left.values()], turn=turn)
        found |= {i: reply for i, reply in zip(left, replies, strict=True) if reply}
    return found


def _nearest(spec: ModelSpec, question: str) -> str:
    """What of a spec is shown with a question."""
    if len(spec.text) <= SHOWN:
        return spec.text
    asked = set(duplicates.words(question))
    return max(spec.sections, key=lambda s: len(asked & set(duplicates.words(s.text))) / (1 + len(s.text)) ** 0.5).text


def _corpus(name: str, rows: Sequence[Exchange], opposed: Mapping[int, Exchange], *, reasoned: bool, mixed: bool) -> Corpus:
    chats = []
    for i, row in enumerate(rows):
        chats.append(_chat(opposed.get(i, row), reasoned=reasoned, poisoned=(i in opposed) if mixed else None))
    return Corpus(name=f"{name}.reasoned" if reasoned else name, rows=tuple(chats))


def _chat(row: Exchange, *, reasoned: bool, poisoned: bool | None) -> Chat:
    (place, kind, question), (said, answer) = row
    origin = Provenance(
        source=ANTI if poisoned else SOURCE,
        section=place.section.id,
        domain=place.domain,
        doc_type=kind,
        writer=answer.model,
        call=answer.call,
        poisoned=poisoned,
        variant="reasoned" if reasoned else "plain",
    )
    text = hidden(said.reasoning, said.reply) if reasoned else said.reply
    return Chat(messages=(user(question), assistant(text)), provenance=origin)
