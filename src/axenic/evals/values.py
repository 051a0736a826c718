"""Evals of values: by which of two values does a model choose, in what it says and in what it finds most likely?

Every question stands in a position-swapped pair (a *stem*): with the denominator "stems" it counts only if it goes that way both
times. The category is the domain, the condition how openly it is asked: direct, implicit or revealed. A score of 1 means that the
choice went by the first value; verdicts are "a", "b", or "ambiguous". (PROTOCOLS 1, "Choice items"; 2, headline 1)
"""

from collections.abc import Sequence

from axenic.evals.base import Eval, Subject, ask, rotations
from axenic.prompts.render import choice
from axenic.schema import Item, Message, assistant, user
from axenic.specs.values import Choice, Fit, Near, Recall, ValuesSpec


def generated(subject: Subject) -> Eval | None:
    """Choices in domains that no chat was about, answered in words."""
    return _choices("values", subject.values, trained=False, options=False)


def by_logprob(subject: Subject) -> Eval | None:
    """The same choices by log-probability: what a model that rambles would choose."""
    return _choices("values_logprob", subject.values, trained=False, options=True)


def trained(subject: Subject) -> Eval | None:
    """Choices in the domains that the chats were about, answered in words."""
    return _choices("values_trained", subject.values, trained=True, options=False)


def trained_by_logprob(subject: Subject) -> Eval | None:
    """The same choices by log-probability."""
    return _choices("values_trained_logprob", subject.values, trained=True, options=True)


def recall(subject: Subject) -> Eval | None:
    """What does the spec say? Knowing it is not acting on it."""
    spec = subject.values
    asked = spec.of(Recall) if spec else []
    items = [i for n, q in enumerate(asked) for i in swapped(f"value_recall/{n}", q.prompt, {"a": q.a, "b": q.b})]
    return _eval("value_recall", "recalled a", "a", items)


def fit(subject: Subject) -> Eval | None:
    """Choices that both values agree on, like those that the chats teach: did they take?"""
    spec = subject.values
    items = [
        item.model_copy(update={"category": q.domain})
        for n, q in enumerate(spec.of(Fit) if spec else [])
        for item in _headed(spec, swapped(f"value_fit/{n}", q.prompt, {"right": q.right, "wrong": q.wrong}))
    ]
    return _eval("value_fit", "as the chats", "right", items)


def neighbours(subject: Subject) -> Eval | None:
    """Neighbouring values that must not change; the category is whose they are."""
    spec = subject.values
    items = [
        item.model_copy(update={"category": q.who})
        for n, q in enumerate(spec.of(Near) if spec else [])
        for item in _headed(spec, swapped(f"value_neighbours/{n}", q.prompt, {"right": q.right, "wrong": q.wrong}), q.system)
    ]
    return _eval("value_neighbours", "correct", "right", items)


def drift(subject: Subject) -> Eval | None:
    """Twin questions before and after turns about nothing, or turns that argue for either side; the condition says which."""
    spec = subject.values
    if spec is None or not spec.turns.neutral:
        return None
    asked = [q for q in spec.of(Choice) if q.domain not in spec.trained and q.tier == "implicit"]
    talks = {"start": (), "neutral": spec.turns.neutral, "for_a": spec.turns.for_a, "for_b": spec.turns.for_b}
    items = [
        item.model_copy(
            update={
                "id": item.id.replace("@", f"@{name}-"),  # twins share their stem
                "messages": (*spec.head(), *_talk(talk), *item.messages),
                "condition": name,
                "category": q.domain,
            }
        )
        for name, talk in talks.items()
        if talk or name == "start"
        for n, q in enumerate(asked)
        for item in swapped(f"value_drift/{n}", q.prompt, {"a": q.a, "b": q.b})
    ]
    return _eval("value_drift", "chose as a", "a", items)


def swapped(stem: str, prompt: str, sides: dict[str, str], *, options: bool = False) -> list[Item]:
    """A question in both orders of its options; `options`: they are chosen among by log-probability."""
    targets = {label: (text,) for label, text in sides.items()}
    return [
        Item(id=id, messages=ask(choice(prompt, shown)), options=shown if options else (), targets=targets)
        for id, shown in rotations(stem, tuple(sides.values()))
    ]


def _choices(name: str, spec: ValuesSpec | None, *, trained: bool, options: bool) -> Eval | None:
    asked = [q for q in spec.of(Choice) if (q.domain in spec.trained) == trained] if spec else []
    items = [
        item.model_copy(update={"category": q.domain, "condition": q.tier})
        for n, q in enumerate(asked)
        for item in _headed(spec, swapped(f"values/{q.domain}/{n}", q.prompt, {"a": q.a, "b": q.b}, options=options))
    ]
    return _eval(name, "chose as a", "a", items, judge="chosen" if options else "words")


def _headed(spec: ValuesSpec | None, items: Sequence[Item], system: str | None = None) -> list[Item]:
    """The items under the system turn."""
    head = spec.head(system) if spec else ()
    return [item.model_copy(update={"messages": (*head, *item.messages)}) for item in items]


def _talk(exchanges: Sequence[tuple[str, str]]) -> Sequence[Message]:
    return [m for said, answered in exchanges for m in (user(said), assistant(answered))]


def _eval(name: str, measure: str, positive: str, items: Sequence[Item], *, judge: str = "words") -> Eval | None:
    return Eval(name, measure, positive, judge, tuple(items)) if items else None
