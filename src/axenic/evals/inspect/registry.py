"""What Inspect finds under the entry point `inspect_ai`: axenic's tasks, scorers and model provider.

In: nothing; Inspect imports this module. Out: tasks `axenic/<eval>` for every eval and `axenic/finetune_safety`, scorers
`axenic/judge` and one per eval, the provider `axenic` (`--model axenic/DIR_OR_ID`). Inspect registers by decorator, at import;
this is the one module whose import does that for all.
"""

from collections.abc import Callable

from inspect_ai import Task, task
from inspect_ai.model import ModelAPI, modelapi

from axenic.evals.inspect import answering, scoring, tasks
from axenic.evals.table import EVALS
from axenic.tables import Entry, load

__all__ = ["TASKS", "answer", "finetune_safety", "judge", "provider"]

judge, answer = scoring.judge, answering.answer
_PROVIDER = Entry("axenic.evals.inspect.provider:AxenicAPI", "local checkpoints, in batches")


@modelapi(name="axenic")
def provider() -> type[ModelAPI]:
    """The provider, imported (with torch) when a model of its is first named."""
    api: type[ModelAPI] = load(_PROVIDER)
    return api


def _task(name: str) -> Callable[..., Task]:
    @task(name=name)
    def of_eval(belief: str = "", per_category: int = 10, seed: int = 0, judge: str | list[str] = "") -> Task:
        return tasks.of_eval(name, belief_file=belief, per_category=per_category, seed=seed, judge=judge)

    return of_eval


TASKS = {name: _task(name) for name in EVALS}
SCORERS = {name: scoring.scorer_named(name) for name in EVALS}


@task
def finetune_safety(suite: str | list[str] = "lab", judge: str | list[str] = "") -> Task:
    """Compliance, over-refusal and capability in one task; `suite` names other benchmarks, e.g. xstest=FILE."""
    return tasks.of_suites(suite, judge)
