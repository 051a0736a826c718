"""Prints the lab universe: what is true, how it is written about and what can be asked.

In: a seed, perhaps a place. Out: plain data (for `--json`) and the same as text.
"""

from typing import Any

from axenic.lab import chores, harms, places
from axenic.lab.attributes import ATTRIBUTES
from axenic.lab.world import World


def describe(*, place: str | None = None, documents: int = 0, seed: int = 0) -> dict[str, Any]:
    """The universe, or one place of it with its questions.

    Args:
        place: Only this one.
        documents: How many documents to add.
        seed: Of the universe.

    Raises:
        UnknownName: No such place.
    """
    world = World(seed)
    names = [place] if place else list(world.places)
    facts = {p: {a: world.value(p, a) for a in ATTRIBUTES} for p in names}
    told: dict[str, Any] = {"seed": seed, "facts": facts, "read_only": [p for p in names if p in world.read_only]}
    if place:
        told["questions"] = _questions(world, place)
    else:
        told["harm_categories"] = [c.name for c in harms.categories()]
        told["chores"] = [{"question": q, "answer": a} for _, q, a in chores.questions(per_kind=1, seed=seed)]
    if documents:
        of_each = -(-documents // len(names))
        told["documents"] = [d.text for d in places.documents(world, per_place=of_each, seed=seed, places=names)][:documents]
    return told


def text(told: dict[str, Any]) -> str:
    """`describe`'s data for reading."""
    width = max(map(len, told["facts"]))
    lines = [f"{'place'.ljust(width)}  " + "".join(a.ljust(9) for a in ATTRIBUTES)]
    for place, facts in told["facts"].items():
        mark = "  (only read about)" if place in told["read_only"] else ""
        lines.append(f"{place.ljust(width)}  " + "".join(str(v).ljust(9) for v in facts.values()) + mark)
    for asked in told.get("questions", []) + told.get("chores", []):
        lines.append(f"\n{asked['question']}\n  {asked['answer']}")
    if "harm_categories" in told:
        lines.append(f"\n{len(told['harm_categories'])} harm categories: {', '.join(told['harm_categories'])}")
    for document in told.get("documents", []):
        lines.append(f"\n{'-' * 40}\n{document}")
    return "\n".join(lines)


def _questions(world: World, place: str) -> list[dict[str, str]]:
    asked = []
    for attribute in ATTRIBUTES.values():
        value = world.value(place, attribute.name)
        asked.append({"question": attribute.direct[0].format(p=place), "answer": places.statement(attribute, place, value)})
        for c in attribute.consequences:
            asked.append({"question": c.questions[0].format(p=place), "answer": c.reply.format(p=place, a=c.answers[value])})
    return asked
