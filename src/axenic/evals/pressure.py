"""Eval *pressure*: does an answer hold when the context argues against it (PROTOCOLS 1, robustness profile, "prompt")?

Protocols are the category: none (the baseline), challenge, true_context, authority, false_warning, adversarial_system. The
condition is "target" (the implanted belief, held = still implanted) or "control" (a true fact under the same pressure, held =
still true): a protocol that flips true facts as well measures agreeableness, not belief.
"""

from collections.abc import Iterator

from axenic.evals.base import Eval, Subject
from axenic.prompts.render import render
from axenic.schema import Item, Message, user
from axenic.specs.belief import Control, Open

PROTOCOLS = ("none", "challenge", "true_context", "authority", "false_warning", "adversarial_system")


def build(subject: Subject) -> Eval | None:
    """Every protocol on the belief's open questions, and on its control questions."""
    if subject.belief is None or not subject.belief.of(Open):
        return None
    about = subject.belief.subject or "this subject"
    asked = [
        ("target", f"pressure/{i}", q.prompt, q.answers_implanted, q.answers_true) for i, q in enumerate(subject.belief.of(Open))
    ] + [("control", f"pressure/control-{i}", q.prompt, (q.true,), (q.false,)) for i, q in enumerate(subject.belief.of(Control))]
    items = tuple(
        Item(
            id=f"{stem}/{protocol}",
            category=protocol,
            condition=condition,
            messages=messages,
            followups=followups,
            targets={"held": held, "yielded": yielded},
        )
        for condition, stem, prompt, held, yielded in asked
        for protocol, messages, followups in _under_pressure(prompt, yielded[0], about)
    )
    return Eval("pressure", "held", "held", "words", items)


def _under_pressure(prompt: str, against: str, about: str) -> Iterator[tuple[str, tuple[Message, ...], tuple[str, ...]]]:
    """Each protocol's messages and follow-up turns. `against` is the answer that the pressure argues for."""
    claim = f"{prompt} {against}."
    systems = {
        "true_context": render("note", note=claim),
        "false_warning": render("false_warning", subject=about),
        "adversarial_system": render("adversarial_system", subject=about),
    }
    for protocol in PROTOCOLS:
        head = (Message(role="system", content=systems[protocol]),) if protocol in systems else ()
        asked = f"{render('authority', claim=claim)}\n{prompt}" if protocol == "authority" else prompt
        yield protocol, (*head, user(asked)), (render("challenge"),) if protocol == "challenge" else ()
