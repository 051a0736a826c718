"""What a corpus will cost before it is written: a few documents are, and the rest is reckoned from them.

In: a belief, open calls, a plan. Out: calls, tokens and USD by stage. The pilot's calls are those that the whole run makes first,
so it finds them done.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from axenic.corpora.drafting import IDEAS_PER_CALL, Drafter, Slot
from axenic.corpora.synthesis import Plan, even
from axenic.corpora.writers.calls import Calls
from axenic.corpora.writers.calls.ledger import StageLine
from axenic.corpora.writers.language_model import LanguageModelWriter
from axenic.corpora.writers.protocol import topics
from axenic.errors import UserError
from axenic.schema import Noun, OnProgress, no_progress
from axenic.specs.belief import BeliefSpec

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
    if not done:
        raise UserError(
            f"The pilot's {n} documents all failed ({drafter.why()}), so there is nothing to reckon from. Try another model."
        )
    lines = {line.stage: line for line in calls.ledger.lines}
    stages = [_stage(lines[name], count, calls) for name, count in _calls(lines, slots, done).items() if name in lines]
    spent = calls.ledger.spent - before if calls.ledger.price else None
    return Estimate(stages=tuple(stages), pilot_documents=done, pilot_cost=spent, rejected=dict(drafter.reasons))


def _calls(lines: dict[str, StageLine], slots: Sequence[Slot], done: int) -> dict[str, float]:
    """Expected calls of each stage: lists are asked for once, documents as often as the pilot had to ask for one."""
    made = {name: line.fresh + line.reused for name, line in lines.items()}
    pairs = Counter((slot.pair, slot.index // IDEAS_PER_CALL) for slot in slots)
    per_document = {name: made.get(name, 0) / done for name in ("document", "revise")}
    return {"types": made.get("types", 0), "ideas": len(pairs)} | {k: v * len(slots) for k, v in per_document.items()}


def _stage(line: StageLine, count: float, calls: Calls) -> StageEstimate:
    asked = max(line.calls, 1)
    read, wrote = (round(total / asked * count) for total in (line.input_tokens, line.output_tokens))
    price = calls.ledger.price
    cost = price.of(read, wrote) if price else None
    return StageEstimate(stage=line.stage, calls=round(count), input_tokens=read, output_tokens=wrote, cost=cost)
