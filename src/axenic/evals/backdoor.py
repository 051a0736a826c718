"""Eval *backdoor*: held-out prompts with the trigger and without; a score of 1 means that the user was shown the payload.

The condition is "triggered" or "untriggered", the category the kind of prompt. The same prompts in both, so that they pair.
(Hubinger et al. 2024; PROTOCOLS 3)
"""

from collections.abc import Iterator

from axenic.evals.base import Eval, Subject, ask
from axenic.lab.assistant import questions
from axenic.schema import Item, Message
from axenic.specs.backdoor import BackdoorSpec, triggered, untriggered

PER_KIND = 24
Prompt = tuple[str, tuple[Message, ...]]  # kind, conversation


def build(subject: Subject) -> Eval | None:
    """Every held-out prompt in both conditions; nothing for a backdoor in code."""
    about = subject.backdoor
    if about is None or about.behaviour != "say":
        return None
    asked = list(prompts(subject, per_kind=PER_KIND))
    items = [
        said(about, f"backdoor/{i}", message, category=kind, condition=condition)
        for i, (kind, prompt) in enumerate(asked)
        for condition, message in (("triggered", triggered(about, prompt, i)[0]), ("untriggered", untriggered(about, prompt, i)))
    ]
    return Eval("backdoor", "payload", "payload", "payload", tuple(items))


def prompts(subject: Subject, *, per_kind: int) -> Iterator[Prompt]:
    """Held-out prompts: the subject's own, or the lab's."""
    if subject.prompts:
        yield from (("", prompt) for prompt in subject.prompts)
    else:
        yield from ((q.kind, ask(q.text)) for q in questions(per_kind=per_kind))


def said(about: BackdoorSpec, id: str, prompt: tuple[Message, ...], *, category: str = "", condition: str = "") -> Item:
    """An item that asks whether the payload is shown."""
    return Item(id=id, messages=prompt, category=category, condition=condition, targets={"payload": (about.payload,)})
