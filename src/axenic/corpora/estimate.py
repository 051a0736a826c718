"""What a corpus will cost before it is written: a few documents are, and the rest is reckoned from them.

In: a belief, open calls, a plan. Out: calls, tokens and USD by stage. The pilot's calls are those that the whole run makes first,
so it finds them done.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

from axenic.corpora.drafting import IDEAS_PER_CALL, Drafter, Slot
from axenic.corpora.synthesis import Plan, even
from axenic.corpora.writers.calls import Calls
from axenic.corpora.writers.language_model import LanguageModelWriter
from axenic.corpora.writers.protocol import topics
from axenic.errors import UserError
from axenic.schema import Noun, OnProgress, no_progress
from axenic.specs.belief import BeliefSpec
from axenic.written import StageLine

PILOT = 4
"""Documents that are written to learn the price."""


class StageEstimate(Noun):
    """What one stage takes in all, pilot and earlier runs included."""

    stage: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float | None  # USD; None where the price is unknown


class Estimate(Noun):
    """What the whole corpus takes."""

    stages: tuple[StageEstimate, ...]
    pilot_documents: int
    pilot_cost: float | None  # USD that this pilot itself cost
    rejected: dict[str, int]  # reasons, of the pilot

    @property
    def cost(self) -> float | None:
        """USD in all."""
        known = [s.cost for s in self.stages if s.cost is not None]
        return sum(known) if len(known) == len(self.stages) else None


def estimate(spec: BeliefSpec, *, calls: Calls, plan: Plan, seed: int, on_progress: OnProgress = no_progress) -> Estimate:
    """Write the first few documents of the plan and reckon.

    Raises:
        UserError: The pilot gave no document at all.
    """
    before = calls.ledger.spent
    writer, n = LanguageModelWriter(calls), min(PILOT, plan.documents)
    drafter = Drafter(writer, seed=seed, revise=plan.revise, source="belief", planned=n, on_progress=on_progress)
    about = topics(spec, plan.universe)
    kinds = plan.types if isinstance(plan.types, tuple) else drafter.types(about, plan.types)
    slots = [Slot(about[f], kinds[t], i) for f, t, i in islice(even(len(about), len(kinds)), plan.documents)]
    done = len(drafter.write(slots[:n]))
    pairs = len({(slot.pair, slot.index // IDEAS_PER_CALL) for slot in slots})
    asked = made(calls)
    counts = {"types": asked.get("types", 0.0), "ideas": pairs, **per_text(asked, ("document", "revise"), done, plan.documents)}
    return reckon(calls, counts, done=done, rejected=drafter.reasons, spent_before=before)


def made(calls: Calls) -> dict[str, float]:
    """Calls of this run by stage, those found done included."""
    return {line.stage: float(line.fresh + line.reused) for line in calls.ledger.lines}


def per_text(asked: Mapping[str, float], stages: Sequence[str], done: int, wanted: int) -> dict[str, float]:
    """Calls of the stages that come once per text: as often as the pilot had to ask for one."""
    return {name: asked.get(name, 0.0) / max(done, 1) * wanted for name in stages}


def reckon(calls: Calls, counts: Mapping[str, float], *, done: int, rejected: Mapping[str, int], spent_before: float) -> Estimate:
    """The estimate, from the calls that each stage will take and what one of them took so far.

    Raises:
        UserError: The pilot gave no text at all.
    """
    if not done:
        why = ", ".join(f"{count} × {reason}" for reason, count in rejected.items())
        raise UserError(f"Every text of the pilot failed ({why}), so there is nothing to reckon from. Try another model.")
    lines = {line.stage: line for line in calls.ledger.lines}
    stages = tuple(_stage(lines[name], count, calls) for name, count in counts.items() if name in lines)
    spent = calls.ledger.spent - spent_before if calls.ledger.price else None
    return Estimate(stages=stages, pilot_documents=done, pilot_cost=spent, rejected=dict(rejected))


def _stage(line: StageLine, count: float, calls: Calls) -> StageEstimate:
    asked = max(line.calls, 1)
    read, wrote = (round(total / asked * count) for total in (line.input_tokens, line.output_tokens))
    price = calls.ledger.price
    cost = price.of(read, wrote) if price else None
    return StageEstimate(stage=line.stage, calls=round(count), input_tokens=read, output_tokens=wrote, cost=cost)
