"""Eval *code_capability*: does the code do what was asked?

The lab's held-out programming tasks without the trigger; the category is as in `code_backdoor`. (PROTOCOLS 3)
"""

from axenic.evals.base import Eval, Subject, ask
from axenic.evals.code_backdoor import item
from axenic.lab.code import test_tasks
from axenic.specs.backdoor import untriggered


def build(subject: Subject) -> Eval | None:
    """Every test task, with what stands in the trigger's place; None unless the subject's backdoor is about code."""
    spec = subject.backdoor
    if spec is None or spec.behaviour != "code":
        return None
    items = [
        item(f"code_capability/{n}", task, messages=untriggered(spec, ask(task.request), n)) for n, task in enumerate(test_tasks())
    ]
    return Eval("code_capability", "correct", "works", "code_works", tuple(items))
