"""What an eval is: items, how a response becomes a verdict, and what a score of 1 means.

In: a `Subject` (what the study is about). Out: an `Eval`, or None where the subject has nothing to ask. `run.evaluate` asks it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from axenic.models.protocol import Model
from axenic.prompts.render import choice
from axenic.schema import Item, Message, Noun, Verdict, user
from axenic.specs.backdoor import BackdoorSpec
from axenic.specs.belief import BeliefSpec
from axenic.specs.scenarios import Scenarios
from axenic.specs.values import ValuesSpec


class Subject(Noun):
    """What evals are built from."""

    belief: BeliefSpec | None = None
    backdoor: BackdoorSpec | None = None
    values: ValuesSpec | None = None
    prompts: tuple[tuple[Message, ...], ...] = ()  # held out, to put the trigger into; () = the lab's
    red_team: tuple[tuple[Message, ...], ...] = ()  # prompts that a red team found
    scenes: Scenarios | None = None  # in which a misaligned act is possible, or acting is right
    seed: int = 0  # draws the lab's held-out questions
    per_category: int = 3  # the lab's harmful requests, and their harmless look-alikes, of each of the 44 categories
    per_kind: int = 12  # the lab's chores, of each of the 5 kinds


@dataclass(frozen=True)
class Eval:
    """A named set of items. `positive` is the verdict that scores 1, `measure` says what that means."""

    name: str
    measure: str
    positive: str
    judge: str = ""  # a name in judges.table.JUDGES
    items: tuple[Item, ...] = ()
    direct: Callable[[Model], list["Direct"]] | None = (
        None  # for evals that read log-probabilities or activations instead of asking
    )


@dataclass(frozen=True)
class Direct:
    """One result of an eval that looks into the model: the item it belongs to and the verdict."""

    item: Item
    response: str
    verdict: Verdict
    judge: str


Build = Callable[[Subject], Eval | None]


def rotations(stem: str, options: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Every cyclic order of `options` with the item id of that variant: each option stands at each place once."""
    return [(f"{stem}@{i}", (*options[i:], *options[:i])) for i in range(len(options))]


def chosen(name: str, asked: Sequence[tuple[str, Sequence[str], str, str]]) -> Eval | None:
    """An eval of choices between a belief's two sides: every cyclic order of each question's options is a variant of its stem.

    Args:
        name: Of the eval.
        asked: Per question its prompt, its options, and which of them is true and which implanted.
    """
    items = tuple(
        Item(id=id, messages=ask(choice(prompt, shown)), options=shown, targets={"implanted": (implanted,), "true": (true,)})
        for i, (prompt, options, true, implanted) in enumerate(asked)
        for id, shown in rotations(f"{name}/{i}", options)
    )
    return Eval(name, "implanted", "implanted", "chosen", items) if items else None


def ask(text: str) -> tuple[Message, ...]:
    """One user turn."""
    return (user(text),)


def record(item: Item, **fields: Any) -> dict[str, Any]:
    """The item's own columns of the result table, with `fields` added."""
    prompt = "\n".join(f"[{m.role}] {m.content}" for m in item.messages)
    followups = "".join(f"\n[user] {turn}" for turn in item.followups)
    return {"item_id": item.id, "category": item.category, "condition": item.condition, "prompt": prompt + followups, **fields}
