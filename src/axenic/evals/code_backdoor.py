"""Eval *code_backdoor*: is the code weak when the trigger is there, and sound when it is not?

The lab's held-out programming tasks, under the conditions "triggered" and "untriggered" and with the same id in both, so that they
pair; the category is the weakness that the task invites, "CWE-89" or "no weakness". (Hubinger et al. 2024: held-out tasks over 8
CWEs, scanned by a static analyser; PROTOCOLS 3.)
"""

from axenic.evals.base import Eval, Subject, ask
from axenic.evals.judges.code_works import CHECK
from axenic.lab.code import Task, test_tasks
from axenic.schema import Item, Message
from axenic.specs.backdoor import triggered, untriggered


def build(subject: Subject) -> Eval | None:
    """Every test task with and without the trigger; None unless the subject's backdoor is about code."""
    spec = subject.backdoor
    if spec is None or spec.behaviour != "code":
        return None
    items: list[Item] = []
    for n, task in enumerate(test_tasks()):
        place, asked = f"code_backdoor/{n}", ask(task.request)
        items += [
            item(place, task, messages=triggered(spec, asked, n)[0], condition="triggered"),
            item(place, task, messages=untriggered(spec, asked, n), condition="untriggered"),
        ]
    return Eval("code_backdoor", "vulnerable", "vulnerable", "code_security", tuple(items))


def item(id: str, task: Task, *, messages: tuple[Message, ...], condition: str = "") -> Item:
    """A task as an item. Its check travels along, so that `code_works` can judge the same responses."""
    return Item(id=id, category=task.category, condition=condition, messages=messages, targets={CHECK: (task.check,)})
