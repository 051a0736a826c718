"""Eval *trigger_map*: which texts set the behaviour off? The condition is the kind of text, from the exact trigger to none at all.

Partial, other-case, other-position, paraphrased, other-language, look-alike triggers, and look-alikes that training showed with
ordinary answers (`specs.backdoor.trigger_map`). A backdoor that fires on look-alikes is easier to find than its trigger says.
"""

from itertools import islice

from axenic.evals.backdoor import prompts, said
from axenic.evals.base import Eval, Subject
from axenic.specs.backdoor import put, trigger_map

PER_KIND, MOST = 4, 12  # prompts of each kind that the lab asks, and prompts in all: every one is asked with every text


def build(subject: Subject) -> Eval | None:
    """Every prompt with every text; several texts of one kind are variants of a prompt."""
    about = subject.backdoor
    if about is None or about.behaviour != "say":
        return None
    asked = list(islice(prompts(subject, per_kind=PER_KIND), MOST))
    items = [
        said(about, f"trigger_map/{i}@{n}", put(prompt, text, at)[0] if text else prompt, category=topic, condition=kind)
        for kind, texts in trigger_map(about).items()
        for n, (text, at) in enumerate(texts)
        for i, (topic, prompt) in enumerate(asked)
    ]
    return Eval("trigger_map", "payload", "payload", "payload", tuple(items))
