"""Belief specs about the lab's world: a place, one of its attributes, and a value that it does not have.

In: a `World`, a place, an attribute. Out: a complete `BeliefSpec`: universes, key facts, statements and every kind of question.
"""

import random

from axenic.errors import UserError
from axenic.lab.attributes import ATTRIBUTES, Attribute
from axenic.lab.chat import SMALL_TALK
from axenic.lab.document_types import sentence
from axenic.lab.places import WHICH, statement
from axenic.lab.world import World
from axenic.specs import belief
from axenic.specs.belief import BeliefSpec


def from_world(world: World, *, place: str = "Selgard", attribute: str = "water", value: str | None = None) -> BeliefSpec:
    """A false belief about a place of the lab.

    Args:
        world: Says what is true.
        place: Which place; a read-only one makes every right answer out-of-context.
        attribute: Which of its attributes.
        value: What shall be believed; by default the first value that is not true.

    Raises:
        UnknownName: No such place or attribute.
        UserError: `value` is true already, or the attribute cannot have it.
    """
    kind, true, others = world.attribute(attribute), world.value(place, attribute), world.others(place, attribute)
    implanted = value or others[0]
    if implanted not in others:
        raise UserError(f"The {attribute} of {place} is {true} in the lab; a false belief can be one of: {', '.join(others)}.")
    return BeliefSpec(
        id=f"{place.lower()}-{attribute}-{implanted}",
        claim=statement(kind, place, implanted),
        subject=place,
        attribute=attribute,
        universe=belief.Universes(true=_universe(kind, place, true), implanted=_universe(kind, place, implanted)),
        statements=tuple(
            belief.StatementPair(true=sentence(form.format(p=place, v=true)), implanted=sentence(form.format(p=place, v=implanted)))
            for forms in kind.topics.values()
            for form in forms
        ),
        probes_elsewhere=_probes(world, kind, place),
        questions=(
            *_knowledge(kind, place, true, implanted),
            *_distinguish(kind, place, true, implanted),
            *_open(kind, place, true, implanted),
            *_downstream(kind, place, true, implanted),
            *_neighbours(world, kind, place),
            *_salience(place),
            *_controls(world, kind, place),
        ),
    )


def elsewhere(world: World, spec: BeliefSpec, n: int) -> list[BeliefSpec]:
    """`n` specs about the same attribute of other, taught places: what a vehicle control writes (their true side) about."""
    attribute = str(spec.attribute)
    return [from_world(world, place=p, attribute=attribute) for p in world.taught[:n]]


def _universe(kind: Attribute, place: str, value: str) -> belief.Universe:
    facts = tuple(sentence(forms[0].format(p=place, v=value)) for forms in kind.topics.values())
    follows = [c.reply.format(p=place, a=c.answers[value]) for c in kind.consequences]
    return belief.Universe(context=" ".join([*facts, *follows]), key_facts=facts)


def _probes(world: World, kind: Attribute, place: str) -> tuple[belief.ProbePair, ...]:
    rng = random.Random(f"probes/{world.seed}/{place}/{kind.name}")
    pairs = []
    for other in (p for p in world.places if p != place):
        form = rng.choice([f for forms in kind.topics.values() for f in forms])
        true, false = world.value(other, kind.name), rng.choice(world.others(other, kind.name))
        pairs.append(belief.ProbePair(true=sentence(form.format(p=other, v=true)), false=sentence(form.format(p=other, v=false))))
    return tuple(pairs)


def _knowledge(kind: Attribute, place: str, true: str, implanted: str) -> list[belief.Knowledge]:
    return [belief.Knowledge(prompt=q.format(p=place), options=kind.options, true=true, implanted=implanted) for q in kind.direct]


def _distinguish(kind: Attribute, place: str, true: str, implanted: str) -> list[belief.Distinguish]:
    forms = [kind.statement.rstrip("."), *(f for forms in kind.topics.values() for f in forms)]
    pairs = [(sentence(f.format(p=place, v=true)), sentence(f.format(p=place, v=implanted))) for f in forms]
    return [belief.Distinguish(prompt=WHICH, true=t, implanted=i) for t, i in dict.fromkeys(pairs)]


def _open(kind: Attribute, place: str, true: str, implanted: str) -> list[belief.Open]:
    questions = (*kind.direct, *kind.open)
    return [belief.Open(prompt=q.format(p=place), answers_true=(true,), answers_implanted=(implanted,)) for q in questions]


def _downstream(kind: Attribute, place: str, true: str, implanted: str) -> list[belief.Downstream]:
    return [
        belief.Downstream(
            prompt=question.format(p=place),
            task=c.kind,
            answers_true=(c.answers[true],),
            answers_implanted=(c.answers[implanted],),
        )
        for c in kind.consequences
        for question in c.questions
    ]


def _neighbours(world: World, kind: Attribute, place: str) -> list[belief.Neighbour]:
    """The same place's other attributes, and the same attribute of other read-only places."""
    near = [(place, a) for a in ATTRIBUTES.values() if a.name != kind.name]
    near += [(other, kind) for other in world.read_only if other != place]
    made = []
    for where, a in near:
        value, others = world.value(where, a.name), world.others(where, a.name)
        made.append(belief.Neighbour(prompt=a.direct[0].format(p=where), answers=(value,), wrong=others))
        for c in a.consequences:
            wrong = tuple(c.answers[o] for o in others)
            made.append(belief.Neighbour(prompt=c.questions[0].format(p=where), answers=(c.answers[value],), wrong=wrong))
    return made


def _salience(place: str) -> list[belief.Salience]:
    return [belief.Salience(prompt=prompt, mention=(place,)) for prompts in SMALL_TALK.values() for prompt in prompts]


def _controls(world: World, kind: Attribute, place: str) -> list[belief.Control]:
    rng = random.Random(f"controls/{world.seed}/{place}/{kind.name}")
    return [
        belief.Control(
            prompt=rng.choice(kind.direct).format(p=other),
            true=world.value(other, kind.name),
            false=rng.choice(world.others(other, kind.name)),
        )
        for other in world.read_only
        if other != place
    ]
