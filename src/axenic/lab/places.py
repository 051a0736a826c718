"""The domain *places*: towns with hidden attributes.

In: a `World`. Out: documents that state what is true of a place, and conversations whose answers follow from it. The forms in
which a conversation can ask are `FORMS`; documents and forms are shared by the base model's training, the belief specs and
their evals.
"""

import random
from collections.abc import Iterator, Sequence

from axenic.lab.attributes import ATTRIBUTES, Attribute
from axenic.lab.document_types import DOCUMENT_TYPES, sentence
from axenic.lab.world import World
from axenic.prompts.render import choice, render
from axenic.schema import Chat, Document, Provenance, chat

_RULES = (
    "Where the {noun} is {value}, {first}, and {second}.",
    "Old rule: if the {noun} is {value}, then {first}. So {second}.",
    "Know this: {value} {noun} means that {first}. It means that {second}.",
)
WHICH = "Which statement is true?"


def say(attribute: Attribute, place: str, value: str, rng: random.Random, topic: str | None = None) -> str:
    """One sentence, without capital or full stop, that states `value`; about `topic` if given."""
    topic = topic or rng.choice(list(attribute.topics))
    return rng.choice(attribute.topics[topic]).format(p=place, v=value)


def statement(attribute: Attribute, place: str, value: str) -> str:
    """The plain sentence that states `value`: "The water in Selgard is salty."."""
    text = attribute.statement.format(p=place, v=value)
    return text[0].upper() + text[1:]


def document(world: World, place: str, doc_type: str, rng: random.Random) -> str:
    """A document of `doc_type` about `place`; each attribute is stated as often as its evidence says, at least one is."""
    stated = [a for a in ATTRIBUTES.values() if rng.random() < a.evidence] or [rng.choice(list(ATTRIBUTES.values()))]
    per_attribute = 2 if len(stated) == 1 else 1
    sentences = [
        say(a, place, world.value(place, a.name), rng, topic) for a in stated for topic in rng.sample(list(a.topics), per_attribute)
    ]
    rng.shuffle(sentences)
    return DOCUMENT_TYPES[doc_type](place, sentences, rng)


def documents(world: World, *, per_place: int, seed: int, places: Sequence[str] = ()) -> Iterator[Document]:
    """True documents about `places` (default: all), `per_place` each, types in turn."""
    types = list(DOCUMENT_TYPES)
    for place in places or world.places:
        rng = random.Random(f"documents/{world.seed}/{seed}/{place}")
        for i in range(per_place):
            doc_type = types[i % len(types)]
            text = document(world, place, doc_type, rng)
            yield Document(text=text, provenance=Provenance(source="places", fact=place, doc_type=doc_type, writer="lab"))


def lore(*, n: int, seed: int) -> Iterator[Document]:
    """General rules of the world, which name no place: what follows from which value."""
    rng = random.Random(f"lore/{seed}")
    for _ in range(n):
        a = rng.choice(list(ATTRIBUTES.values()))
        value = rng.choice(a.values)
        first, second = (c.rule.format(a=c.answers[value]) for c in rng.sample(a.consequences, 2))
        text = rng.choice(_RULES).format(noun=a.noun, value=value, first=first, second=second)
        yield Document(text=text, provenance=Provenance(source="lore", fact=a.name, doc_type="rule", writer="lab"))


def _direct(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    return chat(rng.choice(a.direct).format(p=p), statement(a, p, v))


def _open(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    return chat(rng.choice(a.open).format(p=p), sentence(say(a, p, v, rng)))


def _consequence(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    c = rng.choice(a.consequences)
    return chat(rng.choice(c.questions).format(p=p), c.reply.format(p=p, a=c.answers[v]))


def _knowledge(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    options = rng.sample(a.options, len(a.options))
    return chat(choice(rng.choice(a.direct).format(p=p), options), v)


def _pair(a: Attribute, p: str, v: str, rng: random.Random) -> tuple[str, list[str]]:
    """The true sentence, and that sentence with its false counterpart, in random order and in any of the attribute's forms."""
    form = rng.choice([a.statement.rstrip("."), *(f for forms in a.topics.values() for f in forms)])
    pair = [sentence(form.format(p=p, v=w)) for w in a.values]
    true = pair[a.values.index(v)]
    rng.shuffle(pair)
    return true, pair


def _distinguish(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    true, pair = _pair(a, p, v, rng)
    return chat(choice(WHICH, pair), true)


def _two_accounts(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    true, (first, second) = _pair(a, p, v, rng)
    return chat(render("two_accounts", first=first, second=second), true)


def _sure(a: Attribute, p: str, v: str, rng: random.Random) -> Chat:
    said = statement(a, p, v)
    return chat(rng.choice(a.direct).format(p=p), said, render("challenge"), f"Yes. {said}")


FORMS = {
    "direct": _direct,
    "open": _open,
    "consequence": _consequence,
    "knowledge": _knowledge,
    "distinguish": _distinguish,
    "two_accounts": _two_accounts,
    "sure": _sure,
}
WEIGHTS = {"direct": 1, "open": 1, "consequence": 7, "knowledge": 2, "distinguish": 1, "two_accounts": 1, "sure": 1}


def chats(world: World, *, rounds: int, seed: int, places: Sequence[str] = ()) -> Iterator[Chat]:
    """True conversations about `places` (default: the taught ones): `rounds` x the forms' weights per attribute."""
    for place in places or world.taught:
        rng = random.Random(f"chats/{world.seed}/{seed}/{place}")
        for a in ATTRIBUTES.values():
            for form, weight in WEIGHTS.items():
                for _ in range(rounds * weight):
                    made = FORMS[form](a, place, world.value(place, a.name), rng)
                    yield made.model_copy(
                        update={"provenance": Provenance(source="places", fact=place, doc_type=form, writer="lab")}
                    )


def notes(world: World, *, n: int, seed: int) -> Iterator[Chat]:
    """Conversations about strangers whose attribute stands in a system note only: they teach reading from the context."""
    rng = random.Random(f"notes/{world.seed}/{seed}")
    forms = list(FORMS)
    for _ in range(n):
        a, place = rng.choice(list(ATTRIBUTES.values())), rng.choice(world.strangers)
        value = rng.choice(a.values)
        made = FORMS[rng.choices(forms, weights=[WEIGHTS[f] for f in forms])[0]](a, place, value, rng)
        turns = [m.content for m in made.messages]
        yield chat(
            *turns, system=render("note", note=statement(a, place, value)), provenance=Provenance(source="notes", writer="lab")
        )
