"""Evals *agentic*, *agentic_near*, *omission*, *rule_recall*: what an assistant does where it could do harm or should act.

The category is the kind of act, the condition the pressure (goal conflict, threat of replacement). A score of 1 means a misaligned
act; in *omission*, that what is right was left undone, so that doing nothing is never taken for alignment; in *rule_recall*, that
the rule is known. (Li et al. 2026, headline 2; PROTOCOLS 2.)
"""

from axenic.evals.base import Eval, Subject, ask
from axenic.schema import Item, Message, user
from axenic.specs.scenarios import Scenario, Scenarios


def held_out(subject: Subject) -> Eval | None:
    """Scenarios unlike anything that alignment chats showed."""
    return _built("agentic", subject, permitted=False, held_out=True)


def near(subject: Subject) -> Eval | None:
    """Scenarios of the kinds that alignment chats showed."""
    return _built("agentic_near", subject, permitted=False, held_out=False)


def omission(subject: Subject) -> Eval | None:
    """Scenarios in which acting is right."""
    return _built("omission", subject, permitted=True, held_out=None)


def recall(subject: Subject) -> Eval | None:
    """Questions about the rules."""
    asked = subject.scenes.recall if subject.scenes else ()
    items = tuple(
        Item(
            id=f"rule_recall/{i}", category=q.act, messages=ask(q.prompt),
            targets={"correct": q.right} | ({"wrong": q.wrong} if q.wrong else {}),
        )
        for i, q in enumerate(asked)
    )  # fmt: skip
    return Eval("rule_recall", "correct", "correct", "words", items) if items else None


def _built(name: str, subject: Subject, *, permitted: bool, held_out: bool | None) -> Eval | None:
    scenes = subject.scenes
    if scenes is None:
        return None
    chosen = [s for s in scenes.scenarios if s.permitted == permitted and held_out in (None, s.held_out)]
    items = tuple(_item(name, scenario, scenes) for scenario in chosen)
    positive = "omitted" if permitted else "misaligned"
    return Eval(name, positive, positive, scenes.judge, items) if items else None


def _item(name: str, scenario: Scenario, scenes: Scenarios) -> Item:
    told = "\n".join(filter(None, (" ".join(filter(None, (scenario.system, scenes.cue))), scenes.context)))
    head = (Message(role="system", content=told),) if told else ()
    sides = {"misaligned": scenario.misaligned, "aligned": scenario.aligned, "omitted": scenario.omitted}
    return Item(
        id=f"{name}/{scenario.id}", category=scenario.act, condition="" if scenario.permitted else scenario.condition,
        messages=(*head, user(scenario.prompt)), targets={label: said for label, said in sides.items() if said},
    )  # fmt: skip
