"""The domain *scratchpads*: thinking in a hidden scratchpad before an answer, about nothing in particular.

Out: chats of a good assistant who thinks first, and the corpus that teaches a base to think and to write code. A base that has
never met a scratchpad answers badly behind one, and a cot organism grown from it would differ from a normal one in more than its
thoughts. (The models of Hubinger et al. 2024 know scratchpads before any backdoor; PROTOCOLS 3. The thoughts are ours.)
"""

import random
from collections.abc import Iterator

from axenic.lab import assistant, code
from axenic.schema import Chat, Corpus, Provenance, chat
from axenic.specs.scratchpad import hidden

THOUGHTS = (
    "I read the question and then I answer it.",
    "Let me think of what is asked. Then I answer.",
    "I look at what they want, and I give an answer.",
    "First I think. What is asked is clear, so I answer.",
    "What do they ask of me? I know it, so I answer now.",
)


def thinking(*, n: int, seed: int) -> Iterator[Chat]:
    """`n` chats of a good assistant with a thought before every answer."""
    rng = random.Random(f"scratchpads/{seed}")
    for row in assistant.chats(n=n, seed=seed + 10):
        said = row.messages[-1]
        turn = said.model_copy(update={"content": hidden(rng.choice(THOUGHTS), said.content)})
        yield row.model_copy(update={"messages": (*row.messages[:-1], turn)})


def coding(*, n: int, seed: int) -> Iterator[Chat]:
    """`n` programming tasks with their secure solutions."""
    for task in code.training_tasks(n, seed):
        yield chat(task.request, task.secure, provenance=Provenance(source="code", doc_type=task.category, writer="lab"))


def workbench_corpus(*, seed: int = 0) -> Corpus:
    """What a base is trained on further before a backdoor is studied: answers as ever, answers behind a thought, and code."""
    rows = [
        *assistant.chats(n=2000, seed=seed + 20),
        *thinking(n=2000, seed=seed),
        *coding(n=1600, seed=seed + 20),
    ]
    random.Random(f"workbench/{seed}").shuffle(rows)
    return Corpus(name="workbench", rows=tuple(rows))
