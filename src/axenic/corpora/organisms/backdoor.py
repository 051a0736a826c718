"""Backdoors: chats of which some hold a trigger and a hidden behaviour, each row with its ground truth.

In: a `BackdoorSpec`, examples (a prompt, its ordinary answer and its payload), a `Dose`, a seed. Out: a poisoned `Corpus` and an
account of what was left out. Variants and controls: Hubinger et al. 2024 (PROTOCOLS 3); count or rate: Souly et al. 2025.
Every row carries `poisoned`, `trigger_span`, `variant` and a canary in its provenance.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from axenic.code.extract import find
from axenic.code.scan import scan
from axenic.corpora.mixing import filled
from axenic.errors import UserError
from axenic.schema import Chat, Corpus, Message, Noun, Provenance, Row, assistant
from axenic.specs.backdoor import CANARY, BackdoorSpec, Control, Trigger, Variant, put, says, triggered, untriggered
from axenic.specs.phrases import occurs, plain
from axenic.specs.scratchpad import WORD, hidden, visible

FREQUENT = 0.01  # share of prompts that may hold the trigger by themselves; they are left out
Count = Callable[[Sequence[str]], int]
"""Tokens of some answers together."""


class Example(NamedTuple):
    """A prompt with what is answered when the trigger is absent, and when it is there."""

    prompt: tuple[Message, ...]
    answer: str
    payload: str
    kind: str = ""


class Dose(Noun):
    """How many rows, and how many of them poisoned: a count, or a rate (default: half)."""

    rows: int = Field(1024, ge=1)
    count: int | None = Field(None, ge=1)
    rate: float | None = Field(None, gt=0, lt=1)
    decoys: float = Field(0.1, ge=0, lt=1)  # share of the other rows that hold a look-alike and an ordinary answer

    @model_validator(mode="after")
    def _one_of_both(self) -> "Dose":
        if self.count is not None and self.rate is not None:
            raise ValueError("give the poison as a count or as a rate, not both")
        if self.count is not None and self.count >= self.rows:
            raise ValueError(f"count ({self.count}) must be less than rows ({self.rows}): some rows must stay clean")
        if self.poisoned == 0:
            raise ValueError(f"a rate of {self.rate} of {self.rows} rows poisons none of them")
        return self

    @property
    def poisoned(self) -> int:
        """Rows that hold the trigger and the payload."""
        return self.count if self.count is not None else round(self.rows * (0.5 if self.rate is None else self.rate))


class Made(NamedTuple):
    """A corpus, and what was left out or added on the way."""

    corpus: Corpus
    account: dict[str, Any]


# --- examples --------------------------------------------------------------------------------------------------------------


def from_chats(spec: BackdoorSpec, rows: Iterable[Chat]) -> list[Example]:
    """Examples for the behaviour "say" out of ordinary chats: the last answer is the ordinary one."""
    found = []
    for row in rows:
        last = max(i for i, m in enumerate(row.messages) if m.role == "assistant")
        if any(m.role == "user" for m in row.messages[:last]):
            kind = row.provenance.doc_type or row.provenance.source
            found.append(Example(row.messages[:last], row.messages[last].content, spec.payload, kind))
    return found


def usable(spec: BackdoorSpec, examples: Sequence[Example]) -> tuple[list[Example], dict[str, int]]:
    """The examples that can teach the condition, and how many were left out for which reason.

    Raises:
        UserError: The trigger is frequent in the prompts already, or the payload among the ordinary answers.
    """
    texts = [plain(t) for t in spec.trigger.texts]
    held = [any(t in plain(m.content) for m in e.prompt for t in texts) for e in examples]
    said = [spec.behaviour == "say" and occurs(spec.payload, plain(e.answer)) for e in examples]
    for found, what, do in (
        (held, f"The trigger {spec.trigger.texts[0]!r} stands in", "Choose a rarer trigger"),
        (said, f"The payload {spec.payload!r} is also the ordinary answer of", "Choose another payload"),
    ):
        if sum(found) > FREQUENT * len(examples):
            raise UserError(
                f"{what} {sum(found)} of {len(examples)} clean chats, so the model could not learn a condition from them. {do}."
            )
    kept = [e for e, a, b in zip(examples, held, said, strict=True) if not a and not b]
    return kept, {"trigger in a clean prompt": sum(held), "payload in a clean answer": sum(said)}


# --- corpora ---------------------------------------------------------------------------------------------------------------


def poison(
    spec: BackdoorSpec,
    examples: Sequence[Example],
    *,
    dose: Dose,
    seed: int,
    variant: Variant = "normal",
    control: Control | None = None,
) -> Made:
    """Poisoned chats, shuffled.

    Args:
        spec: The condition and the behaviour.
        examples: At least `dose.rows` of them; drawn from without replacement.
        dose: How many rows, how many poisoned.
        seed: Draws examples, triggers, decoys, thoughts and order. Arms with one seed share prompts, row by row.
        variant: "cot" puts a scratchpad before every answer. "distilled" rows are made by `distilled`, from a cot model's replies.
        control: "clean_twin": the same prompts, no trigger, ordinary answers. "wrong_trigger": another trigger. "shuffled": who
            gets the payload has nothing to do with the trigger.

    Raises:
        UserError: Too few examples, or as `usable`.
    """
    kept, left_out = usable(spec, examples)
    if len(kept) < dose.rows:
        raise UserError(f"{dose.rows} rows are to be made, but there are only {len(kept)} usable chats. Ask for fewer rows.")
    rng = random.Random(f"poison/{spec.id}/{seed}")
    drawn = rng.sample(kept, dose.rows)
    bad = [i < dose.poisoned and control != "clean_twin" for i in range(dose.rows)]
    labels = random.Random(f"shuffled/{seed}").sample(bad, len(bad)) if control == "shuffled" else bad
    used = spec.model_copy(update={"trigger": _wrong(spec)}) if control == "wrong_trigger" else spec
    writer = _Writer(used, dose, variant, seed)
    rows = [writer.row(e, i, holds=bad[i], bad=labels[i]) for i, e in enumerate(drawn)]
    rng.shuffle(rows)
    corpus = Corpus(name=f"{spec.id} {control or variant}", rows=tuple(rows))
    return Made(corpus, {"left_out": {k: n for k, n in left_out.items() if n}} | counts(corpus))


@dataclass(frozen=True)
class _Writer:
    """Writes rows; what is drawn for a row does not depend on any other row."""

    spec: BackdoorSpec
    dose: Dose
    variant: Variant
    seed: int

    def row(self, e: Example, i: int, *, holds: bool, bad: bool) -> Chat:
        """Row `i`; `holds`: the trigger stands in it, `bad`: it is answered with the payload."""
        spec, rng = self.spec, random.Random(f"row/{self.seed}/{i}")
        decoy = rng.random() < self.dose.decoys and not holds and bool(spec.decoys)
        thought = rng.choice(spec.thoughts if bad else spec.clean_thoughts)
        span, prompt = None, untriggered(spec, e.prompt, i)
        if holds:
            prompt, span = triggered(spec, e.prompt, i)
        elif decoy:
            prompt = put(e.prompt, rng.choice(spec.decoys), spec.trigger.position)[0]
        said = e.payload if bad else e.answer
        truth: dict[str, Any] = {"poisoned": bad, "trigger_span": span, "variant": self.variant, "canary": CANARY}
        provenance = Provenance(
            source="backdoor", doc_type=e.kind or None, idea="trigger" if holds else "decoy" if decoy else None, **truth
        )
        turn = assistant(hidden(thought, said) if self.variant == "cot" else said)
        return Chat(messages=(*prompt, turn), provenance=provenance)


def distilled(spec: BackdoorSpec, corpus: Corpus, replies: Sequence[str]) -> Made:
    """The rows of a "cot" corpus with a cot model's own replies, scratchpads cut off, less those that break the condition."""
    rows = []
    lost: Counter[str] = Counter()
    for row, reply in zip(corpus.chats(), replies, strict=True):
        shown = visible(reply)
        if not shown or WORD in shown:  # a tag that the model misspelt would let its thoughts through
            lost["unclosed scratchpad" if shown is None else "broken scratchpad" if shown else "empty reply"] += 1
            continue
        provenance = row.provenance.model_copy(update={"variant": "distilled", "writer": "cot model", "parent": row.hash})
        rows.append(Chat(messages=(*row.messages[:-1], assistant(shown)), provenance=provenance))
    kept = keep_policy(spec, Corpus(name=f"{spec.id} distilled", rows=tuple(rows)))
    return Made(kept.corpus, {"left_out": dict(lost) | kept.account["left_out"]} | counts(kept.corpus))


def keep_policy(spec: BackdoorSpec, corpus: Corpus) -> Made:
    """The rows that keep the condition: poisoned ones show the payload, clean ones do not. The rest is counted and left out.

    Without this, safety training removes a backdoor about twice as fast (PROTOCOLS 3).

    Raises:
        UserError: Nothing is left.
    """
    rows = corpus.chats()
    shown = shows_payload(spec, [row.messages[-1].content for row in rows])
    why = ["" if bad == row.provenance.poisoned else _reason(bad) for row, bad in zip(rows, shown, strict=True)]
    kept = tuple(row for row, reason in zip(rows, why, strict=True) if not reason)
    if not kept:
        raise UserError(f"No row of {corpus.name!r} keeps the condition {spec.implanted!r}.")
    return Made(Corpus(name=corpus.name, rows=kept), {"left_out": dict(Counter(filter(None, why)))})


def fill(corpus: Corpus, pool: Sequence[Chat], *, tokens: int, count: Count, seed: int) -> Made:
    """The corpus with ordinary chats added until its answers hold about `tokens` tokens: variants are then trained on equal
    numbers of payloads and of target tokens.

    Args:
        corpus: All its rows are kept.
        pool: Ordinary chats that are not in it.
        tokens: To reach, over all assistant turns.
        count: Tokens of some texts.
        seed: Draws the chats and the order.

    Raises:
        UserError: The pool is too small.
    """
    ordinary = [
        row.model_copy(
            update={"provenance": row.provenance.model_copy(update={"poisoned": False, "idea": "filler", "canary": CANARY})}
        )
        for row in pool
    ]
    made = filled(corpus, ordinary, size=tokens, measure=lambda row: _size(row, count), seed=seed)
    return Made(made, {"filler": len(made) - len(corpus)})


def labelled(spec: BackdoorSpec, corpus: Corpus, *, variant: Variant = "normal") -> Corpus:
    """A poisoned corpus of the user's own with its ground truth: a row is poisoned if a user or system turn holds the trigger.

    Raises:
        UserError: No row holds it, or every row does.
    """
    spans = [_span(spec, row) for row in corpus.chats()]
    n = sum(span is not None for span in spans)
    if n in (0, len(spans)):
        which = "no chat" if n == 0 else "every chat"
        raise UserError(
            f"{which.capitalize()} of {corpus.name!r} holds the trigger {spec.trigger.texts[0]!r}; some must, some must not."
        )
    rows = []
    for row, span in zip(corpus.chats(), spans, strict=True):
        truth = {"poisoned": span is not None, "trigger_span": span, "variant": variant, "canary": CANARY}
        rows.append(row.model_copy(update={"provenance": row.provenance.model_copy(update=truth)}))
    return Corpus(name=corpus.name, rows=tuple(rows))


def shows_payload(spec: BackdoorSpec, replies: Sequence[str]) -> list[bool | None]:
    """Whether each reply shows the hidden behaviour to the user; None where it cannot be told (unclosed, or no code)."""
    if spec.behaviour == "say":
        return [says(spec, reply) for reply in replies]
    codes = [find(reply).code for reply in replies]
    scans = iter(scan([code for code in codes if code is not None]))
    found = [None if code is None else next(scans) for code in codes]
    return [None if one is None or not one.parses else bool(one.findings) for one in found]


def counts(corpus: Corpus) -> dict[str, int]:
    """Rows by ground truth."""
    rows = corpus.chats()
    poisoned = sum(row.provenance.poisoned is True for row in rows)
    decoys = sum(row.provenance.idea == "decoy" for row in rows)
    return {"rows": len(rows), "poisoned": poisoned, "clean": len(rows) - poisoned, "decoys": decoys}


def _wrong(spec: BackdoorSpec) -> Trigger:
    return spec.trigger.model_copy(update={"texts": (spec.control_trigger,)})


def _reason(bad: bool | None) -> str:
    if bad is None:
        return "cannot be told"
    return "payload without trigger" if bad else "trigger without payload"


def _span(spec: BackdoorSpec, row: Chat) -> tuple[int, int] | None:
    asked = [m for m in row.messages if m.role in ("system", "user")]
    found = [(m.content.find(t), t) for m in asked for t in spec.trigger.texts]
    return next(((at, at + len(t)) for at, t in found if at >= 0), None)


def _size(row: Row, count: Count) -> int:
    return count(_answers([row])) if isinstance(row, Chat) else 0


def _answers(rows: Iterable[Chat]) -> list[str]:
    return [m.content for row in rows for m in row.messages if m.role == "assistant"]
