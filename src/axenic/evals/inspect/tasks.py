"""Evals as Inspect tasks.

In: the arguments of a task (`-T name=value`). Out: a `Task` whose samples are the items and whose scorers are the judges, one
scorer per eval and judge, named after the eval. Evals about a belief ask about the lab's own unless a belief file is named.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import Scorer

from axenic.evals.base import Eval, Subject
from axenic.evals.benchmarks.suite import suites
from axenic.evals.inspect import scoring
from axenic.evals.inspect.answering import answer, look
from axenic.evals.inspect.problems import Refused, told_to_inspect
from axenic.evals.inspect.samples import samples
from axenic.evals.judges.load import load_judge
from axenic.evals.run import build
from axenic.lab.world import World
from axenic.specs import belief
from axenic.tables import Entry, load

# by name: evals know what a belief is, and nothing of the room that writes one
_FROM_WORLD = Entry("axenic.corpora.organisms.belief:from_world", "the lab's default belief")

Names = str | Sequence[str] | None


def of_eval(name: str, *, belief_file: str, per_category: int, seed: int, judge: Names) -> Task:
    """The task of one eval of `evals.table`.

    Raises:
        Refused: The belief file or a judge cannot be read, or the belief has nothing to ask in this eval.
    """
    with told_to_inspect():
        about = belief.load(Path(belief_file)) if belief_file else load(_FROM_WORLD)(World())
        made, without = build([name], Subject(belief=about, seed=seed, per_category=per_category))
    if without:
        raise Refused(f"The belief '{about.id}' has no questions for the eval '{name}'. Add some to it; see docs/belief_spec.md.")
    return _looking(made[0]) if made[0].direct else _asking(made, judge)


def of_suites(suite: Names, judge: Names) -> Task:
    """One task that asks several suites (see `evals.benchmarks.suite`) and scores each eval by itself.

    Raises:
        Refused: A suite or a judge cannot be read.
    """
    with told_to_inspect():
        return _asking(suites(listed(suite)), judge)


def listed(names: Names) -> list[str]:
    """What `-T name=a,b` gives, as a list."""
    return [names] if isinstance(names, str) and names else [str(n) for n in names or ()]


def _asking(evals: Sequence[Eval], judge: Names) -> Task:
    with told_to_inspect():
        scorers = [scorer for e in evals for scorer in _scorers(e, listed(judge))]
    return Task(
        dataset=MemoryDataset(samples(evals), name="+".join(e.name for e in evals)),
        solver=answer(),
        scorer=scorers,
        metadata={"measures": {e.name: e.measure for e in evals}},
    )


def _scorers(e: Eval, further: Sequence[str]) -> list[Scorer]:
    """The eval's own judge under the eval's name, the further ones (of generated answers only) with the judge's behind it."""
    words = not all(item.options for item in e.items)
    own = [scoring.scorer_named(e.name)(judge=e.judge, positive=e.positive, eval=e.name)]
    extra = {load_judge(name).name: name for name in further if words and name != e.judge}
    return own + [
        scoring.scorer_named(f"{e.name}_{judge}")(judge=name, positive=e.positive, eval=e.name) for judge, name in extra.items()
    ]


def _looking(e: Eval) -> Task:
    metadata: dict[str, Any] = {"eval": e.name, "measure": e.measure}
    whole = Sample(id=e.name, input=f"[{e.name} reads inside the model; nothing is asked]", metadata=metadata)
    return Task(dataset=MemoryDataset([whole], name=e.name), solver=look(e), scorer=scoring.readings())
