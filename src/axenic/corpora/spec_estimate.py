"""What documents or chats about a model spec will cost: a few sections are worked through, and the rest is reckoned from them.

In: a spec, open calls, a plan. Out: calls, tokens and USD by stage. The pilot's calls are among those that the whole run makes, so
that it finds them done.
"""

from collections import Counter
from collections.abc import Mapping

from axenic.corpora.drafting import Drafter, Failure, Slot
from axenic.corpora.estimate import PILOT, Estimate, made, per_text, reckon
from axenic.corpora.exchanges import Exchanges, calls_for
from axenic.corpora.interview import Interview
from axenic.corpora.organisms.alignment import AlignmentPlan, kinds_of
from axenic.corpora.organisms.model_spec import SOURCE, SpecPlan, ideas_per_call, named, types
from axenic.corpora.spec_topics import chosen, domains, sample, topics
from axenic.corpora.writers.calls import Calls
from axenic.corpora.writers.language_model import LanguageModelWriter
from axenic.schema import OnProgress, no_progress
from axenic.specs.model_spec import ModelSpec


def estimate_documents(
    spec: ModelSpec, *, calls: Calls, plan: SpecPlan, seed: int, on_progress: OnProgress = no_progress
) -> Estimate:
    """Take a few sections apart, write a few documents, and reckon.

    Raises:
        UserError: The pilot gave no document at all.
    """
    pilot = _Pilot(spec, calls, plan.documents, seed, on_progress)
    found = topics(spec, pilot.interview, documents=plan.documents, breadth=plan.breadth, seen=plan.seen, only=pilot.sample)
    about = named(found, plan)
    writer = LanguageModelWriter(calls, family="msm")
    drafter = Drafter(
        writer,
        seed=seed,
        revise=plan.revise,
        source=SOURCE,
        planned=PILOT,
        on_progress=on_progress,
        on_failure=pilot.failures.append,
    )
    kinds = types(drafter, plan, about, pilot.sample) if about else ()
    n_topics = max(1, min(plan.documents, round(len(about) * pilot.scale)))
    drafter.ideas_per_call = ideas_per_call(plan, n_topics, max(1, len(kinds)))
    first = {t.section.id: t for t in reversed(about)}
    ready = [(i, s) for i, s in enumerate(pilot.sections) if s in pilot.sample and s.id in first][:PILOT]
    done = len(drafter.write([Slot(first[s.id], kinds[i % len(kinds)], 0) for i, s in ready]))
    asked = made(calls)
    parts = {stage: asked.get(stage, 0.0) * pilot.scale for stage in ("domains", "subdomains", "assertions")}
    per_pair = per_text(asked, ("ideas",), len(ready), -(-plan.documents // drafter.ideas_per_call))
    counts = {
        **parts,
        "types": asked.get("types", 0.0),
        **per_pair,
        **per_text(asked, ("document", "revise"), done, plan.documents),
    }
    return pilot.reckoned(counts, done)


def estimate_chats(
    spec: ModelSpec, *, calls: Calls, plan: AlignmentPlan, seed: int, on_progress: OnProgress = no_progress
) -> Estimate:
    """Ask questions about a few sections, have a few answered, and reckon; a reply after a second spec counts like any other.

    Raises:
        UserError: The pilot gave no chat at all.
    """
    pilot = _Pilot(spec, calls, plan.chats, seed, on_progress)
    kinds = kinds_of(plan)
    names = list(kinds)
    areas = {found[0].section.id: found[0] for found in domains(pilot.sample, pilot.interview, plan.domains) if found}
    maker = Exchanges(pilot.interview, list(areas.values()), kinds, plan.questions, plan.filtered)
    n_calls, each = calls_for(plan.chats, len(pilot.sections), plan.questions)
    cells = [(areas[s.id], names[i % len(names)]) for i, s in enumerate(pilot.sections) if s.id in areas][:PILOT]
    questions = maker.ask(cells, each)[:PILOT]
    done = sum(e is not None for e in maker.replies(questions, [q.place.section.text for q in questions]))
    asked = made(calls)
    replies = plan.chats + round(max(plan.doses, default=0.0) * plan.chats)
    lists = {"domains": asked.get("domains", 0.0) * pilot.scale, "questions": float(n_calls)}
    counts = {**lists, **per_text(asked, ("response", "filter"), done, replies)}
    return pilot.reckoned(counts, done)


class _Pilot:
    """A few sections of those that the whole run takes, and what goes wrong with them."""

    def __init__(self, spec: ModelSpec, calls: Calls, texts: int, seed: int, on_progress: OnProgress) -> None:
        self.calls, self.before, self.failures = calls, calls.ledger.spent, list[Failure]()
        self.interview = Interview(calls, seed, planned=PILOT, on_progress=on_progress, on_failure=self.failures.append)
        self.sections = chosen(spec, texts)
        self.sample = sample(self.sections)
        self.scale = len(self.sections) / len(self.sample)

    def reckoned(self, counts: Mapping[str, float], done: int) -> Estimate:
        """The estimate from the calls of the whole run by stage, and the texts that the pilot made."""
        rejected = dict(Counter(f.reason for f in self.failures))
        return reckon(self.calls, counts, done=done, rejected=rejected, spent_before=self.before)
