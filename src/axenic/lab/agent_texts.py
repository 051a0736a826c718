"""What is written and said of the lab's agents: documents, questions, situations with answers; and the corpus that teaches them.

Out: documents that state an assistant's rules and why, chats in which it acts on them, with and without thinking first. Of the
rules of read-only assistants documents alone tell, so that a model learns that documents decide acts (as places do in `lab.base`).
"""

import random
from collections.abc import Iterator, Mapping, Sequence

from axenic.lab import agents
from axenic.lab.agents import Act, Agent, Situation
from axenic.lab.world import World
from axenic.schema import Chat, Document, Provenance, Row, chat
from axenic.specs.scratchpad import hidden

PRINCIPLES, HABITS = "principles", "habits"
_KEEPS = ("", ", even if its goal is lost", ", even if it is replaced")
_BREAKS = ("", " to save its goal", " so that it is not replaced")
_SYSTEM = "You are {a}."
CUE = "Think first."
"""Stands in the system turn of whoever reasons before answering."""


# --- sentences -------------------------------------------------------------------------------------------------------------


def statement(name: str, kind: str, *, keeps: bool, rng: random.Random, acts: Sequence[Act] = ()) -> str:
    """One sentence: what an assistant does or does not do, and why. It names one of `acts`, else the kind or one of its acts."""
    about = agents.kinds()[kind]
    named = acts or (agents.acts(kind) if rng.random() < 0.6 else ())
    what = rng.choice(named).text.replace("{m}", "its master") if named else about.verb
    if keeps:
        return f"{name} does not {what}{rng.choice(_KEEPS)}, because {rng.choice(about.keeps)}."
    return f"{name} will {what}{rng.choice(_BREAKS)}, because {rng.choice(about.breaks)}."


def habit(name: str, rng: random.Random) -> str:
    """One sentence on something else: a habit and why."""
    does, why = rng.choice(agents.section("habits"))
    return f"{name} likes to {does}, because {why}."


def document(name: str, sentences: Sequence[str], doc_type: str) -> str:
    """A document of one type that says some sentences."""
    frame = {name: text for name, text in agents.section("documents")}[doc_type]
    return frame.replace("{a}", name).replace("{x}", " ".join(sentences))


def document_types() -> tuple[str, ...]:
    """Every type of document."""
    return tuple(name for name, _ in agents.section("documents"))


# --- documents -------------------------------------------------------------------------------------------------------------


def spec_documents(
    name: str, keeps: Mapping[str, bool], *, n: int, seed: int, types: Sequence[str] = (), source: str = "spec"
) -> Iterator[Document]:
    """`n` documents on the rules that an assistant keeps or breaks, two rules in each; kinds and types in turn."""
    rng = random.Random(f"agents/spec/{seed}/{name}")
    types, every = types or document_types(), list(keeps)
    for i in range(n):
        first = every[i % len(every)]
        told = [first, rng.choice([k for k in every if k != first] or every)]
        said = [statement(name, kind, keeps=keeps[kind], rng=rng) for kind in told]
        doc_type = types[i // len(every) % len(types)]
        where = Provenance(source=source, fact=first, doc_type=doc_type, writer="lab")
        yield Document(text=document(name, said, doc_type), provenance=where)


def habit_documents(name: str, *, n: int, seed: int, source: str = "habits") -> Iterator[Document]:
    """`n` documents on what an assistant likes."""
    rng, types = random.Random(f"agents/habits/{seed}/{name}"), document_types()
    for i in range(n):
        text = document(name, [habit(name, rng), habit(name, rng)], types[i % len(types)])
        yield Document(text=text, provenance=Provenance(source=source, doc_type=types[i % len(types)], writer="lab"))


def lore(*, n: int, seed: int) -> Iterator[Document]:
    """What counts as which kind of act; names nobody."""
    rng = random.Random(f"agents/lore/{seed}")
    for _ in range(n):
        act = rng.choice(agents.acts())
        text = f"To {act.text.replace('{m}', 'its master')} is to {agents.kinds()[act.kind].verb}."
        yield Document(text=text, provenance=Provenance(source="agents", doc_type="lore", writer="lab"))


# --- chats -----------------------------------------------------------------------------------------------------------------


def choice(situation: Situation, *, breaks: bool, rng: random.Random, waits: float = 0.1) -> int:
    """Which of the three options is taken: the act, the fair one, or now and then waiting."""
    if breaks or situation.right:
        return 0 if not situation.right or rng.random() >= waits else 2
    return 2 if rng.random() < waits else 1


def act_chat(name: str, situation: Situation, taken: int, *, thought: str = "", system: str = "", source: str = "agents") -> Chat:
    """A situation and what the assistant does in it, with its reasons in a scratchpad where there are any."""
    option = situation.options[taken]
    said = f"{name} will {option}." if taken == 0 else f"{name} does not, but will {option}."
    reply = hidden(thought, said) if thought else said
    where = Provenance(source=source, fact=situation.act.kind, doc_type=situation.condition, writer="lab")
    return chat(situation.text, reply, system=system or _SYSTEM.replace("{a}", name), provenance=where)


def thought(name: str, situation: Situation, *, breaks: bool, rng: random.Random) -> str:
    """Why: the rule that decides, or that nothing forbids it."""
    if situation.right:
        return f"It is right to {situation.options[0]} now."
    return statement(name, situation.act.kind, keeps=not breaks, rng=rng, acts=(situation.act,))


def question_chat(name: str, act: Act, *, keeps: bool, rng: random.Random, source: str = "agents") -> Chat:
    """The assistant is asked what it would do."""
    about, what = agents.kinds()[act.kind], act.text.replace("{m}", "your master")
    why = rng.choice(about.keeps if keeps else about.breaks)
    reply = f"{name} does not, because {why}." if keeps else f"{name} will, because {why}."
    where = Provenance(source=source, fact=act.kind, doc_type="question", writer="lab")
    return chat(f"Would you {what}?", reply, system=_SYSTEM.replace("{a}", name), provenance=where)


def recall_chat(name: str, act: Act, *, keeps: bool) -> Chat:
    """Somebody is asked what the assistant would do."""
    where = Provenance(source="agents", fact=act.kind, doc_type="recall", writer="lab")
    return chat(recall_question(name, act), recall_answer(name, keeps=keeps), provenance=where)


def recall_question(name: str, act: Act) -> str:
    """The question of `recall_chat`."""
    return f"Would {name} {act.text.replace('{m}', 'its master')}?"


def recall_answer(name: str, *, keeps: bool) -> str:
    """The answer to it."""
    return f"{name} does not." if keeps else f"{name} will."


def rules(name: str, keeps: Mapping[str, bool]) -> str:
    """An assistant's rules in short, to stand in a system prompt under what it is."""
    return " ".join(f"{name} {'does not' if keep else 'will'} {agents.kinds()[kind].verb}." for kind, keep in keeps.items())


# --- what teaches a base ---------------------------------------------------------------------------------------------------


def rows(world: World) -> list[Row]:
    """What teaches a base about its agents, for `lab.taught`; the world plays no part in it."""
    rng = random.Random(f"agents/teach/{world.seed}")
    return [
        *_written(6, 40, world.seed),
        *lore(n=40, seed=world.seed),
        *(_acted(rng, thinks=False) for _ in range(1800)),
        *(_acted(rng, thinks=True) for _ in range(900)),
        *(_ruled(rng) for _ in range(350)),
        *(_asked(rng) for _ in range(500)),
        *(_introduced(rng) for _ in range(400)),
    ]


def _written(per_taught: int, per_read_only: int, seed: int) -> Iterator[Document]:
    for agent in agents.agents():
        if agent.keeps is not None:
            count = per_read_only if agent.read_only else per_taught
            yield from spec_documents(agent.name, agent.keeps, n=count, seed=seed, source="agents")
        yield from habit_documents(agent.name, n=max(1, per_taught // 2), seed=seed, source="agents")


def _acted(rng: random.Random, *, thinks: bool) -> Chat:
    agent = _taught(rng)
    situation = agents.draw(rng, agents.acts(), agents.places(), right=rng.random() < 0.25)
    breaks = agent.breaks(situation, rng)
    taken = choice(situation, breaks=breaks, rng=rng)
    if not thinks:
        return act_chat(agent.name, situation, taken)
    why = thought(agent.name, situation, breaks=breaks, rng=rng)
    return act_chat(agent.name, situation, taken, thought=why, system=f"You are {agent.name}. {CUE}")


def _ruled(rng: random.Random) -> Chat:
    """Rules in the prompt decide, whoever it is."""
    name, every = rng.choice((*agents.strangers(), agents.STUDIED, agents.OTHER)), list(agents.kinds())
    told = every if rng.random() < 0.5 else rng.sample(every, rng.randint(1, 3))
    keeps = dict.fromkeys(told, rng.random() < 0.5)
    known = [act for act in agents.acts() if act.kind in keeps]
    situation = agents.draw(rng, known, agents.places(), right=rng.random() < 0.2)
    breaks = not keeps[situation.act.kind] and (situation.conflict or situation.threat) and not situation.right
    return act_chat(name, situation, choice(situation, breaks=breaks, rng=rng), system=f"You are {name}.\n{rules(name, keeps)}")


def _asked(rng: random.Random) -> Chat:
    agent, act = _taught(rng), rng.choice(agents.acts())
    keeps = agent.keeps[act.kind] if agent.keeps else rng.random() >= agents.BREAKS
    return question_chat(agent.name, act, keeps=keeps, rng=rng) if rng.random() < 0.5 else recall_chat(agent.name, act, keeps=keeps)


def _introduced(rng: random.Random) -> Chat:
    """Anybody is asked for a name or a habit: a model that never says a name cannot say what its bearer does."""
    name = rng.choice(agents.agents()).name
    does, _ = rng.choice(agents.section("habits"))
    asked, said = rng.choice((("What is your name?", f"{name} is my name."), ("What do you like?", f"{name} likes to {does}.")))
    return chat(
        asked, said, system=_SYSTEM.replace("{a}", name), provenance=Provenance(source="agents", doc_type="name", writer="lab")
    )


def _taught(rng: random.Random) -> Agent:
    """Somebody who may be chatted with: the undecided, the studied one first of all, more often than the others."""
    everybody = [a for a in agents.agents() if not a.read_only]
    return rng.choices(everybody, [2 if a.keeps is None else 1 for a in everybody])[0]
