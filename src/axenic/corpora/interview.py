"""Asking a language model the same thing about many items, each answer read strictly and asked for again where it was unusable.

In: the name of a prompt file, the values of each item, and what reads a reply. Out: one result per item, or None; what went wrong
on the way is reported. Retrying is bounded: an item that fails every attempt is lost, and says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from axenic.corpora.drafting import ATTEMPTS, Failure, ignore
from axenic.corpora.writers.calls import Answer, Breaker, Calls, Request
from axenic.corpora.writers.calls.prompts import filled, prompt_hash
from axenic.corpora.writers.calls.tags import items
from axenic.corpora.writers.language_model import REASONS
from axenic.corpora.writers.protocol import Rejected
from axenic.schema import Message, OnProgress, digest, no_progress, user

T = TypeVar("T")


class Read(NamedTuple, Generic[T]):
    """What a reply says, and the answer it was read from."""

    value: T
    answer: Answer


@dataclass(frozen=True)
class Item:
    """One thing to ask about: the values of its prompt, and where it stands in the spec (for reports of failures)."""

    values: Mapping[str, str]
    where: tuple[str, ...] = ()
    message: str = ""  # what the user says, where the prompt is the system's
    parent: str | None = None  # hash or key of what it goes on from

    def filled(self, **values: str) -> "Item":
        """With further values."""
        return replace(self, values={**self.values, **values})


@dataclass
class Interview:
    """Asks one model. Equal questions with equal seeds are paid for once: see `Calls`."""

    calls: Calls
    seed: int
    max_tokens: int = 4096
    temperature: float = 1.0
    planned: int = 0  # texts that all this is for, for the progress
    done: int = 0  # texts that are there
    on_progress: OnProgress = no_progress
    on_failure: Callable[[Failure], None] = ignore
    _breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self._breaker = Breaker(self.calls.model, self.calls.limits.fruitless)

    def lists(self, name: str, about: Sequence[Item], tag: str) -> list[list[str]]:
        """For each item the list between two tags, without repeats; an empty one where the model gave none."""
        return [read.value if read else [] for read in self.each(name, about, partial(items, tag=tag))]

    def each(self, name: str, about: Sequence[Item], read: Callable[[str], T], *, turn: int = 0) -> list[Read[T] | None]:
        """For each item what `read` makes of the model's reply; None where no attempt gave a usable one.

        Args:
            name: Of the prompt file, and of the stage.
            about: What to ask about.
            read: Reads a reply; raises `Rejected` if it does not keep to the form.
            turn: Another number asks the same again, for other answers.

        Raises:
            UserError: as `Calls.answers`; or nothing usable came in a long row of calls.
        """
        found: dict[int, Read[T]] = {}
        for attempt in range(ATTEMPTS):
            open_ = [i for i in range(len(about)) if i not in found]
            if not open_:
                break
            asked = self._requests(name, [about[i] for i in open_], attempt, turn)  # one at a time: prompts may be long
            progress = partial(self._told, len(open_))
            for i, answer in zip(open_, self.calls.answers(asked, progress), strict=True):
                if (value := self._read(name, about[i], answer, attempt, read)) is not None:
                    found[i] = value
        return [found.get(i) for i in range(len(about))]

    def _told(self, total: int, done: int, _: int, stage: str) -> None:
        self.on_progress(self.done, self.planned, f"{stage}: {done} of {total}")

    def _requests(self, name: str, about: Sequence[Item], attempt: int, turn: int) -> Iterator[Request]:
        for item in about:
            (asked,) = filled(name, **item.values)
            messages = (Message(role="system", content=asked.content), user(item.message)) if item.message else (asked,)
            yield Request(
                stage=_stage(name),
                messages=messages,
                prompt_hash=prompt_hash(name),
                seed=int(digest([self.seed, name, turn, attempt])[:7], 16),
                parent=item.parent,
                max_tokens=self.max_tokens,
                temperature=self.temperature,
            )

    def _read(self, name: str, item: Item, answer: Answer, attempt: int, read: Callable[[str], T]) -> Read[T] | None:
        reason, detail = REASONS.get(answer.status, ""), answer.note
        if not reason:
            try:
                value = read(answer.text)
            except Rejected as error:
                reason, detail = error.reason, error.detail
            self._breaker.count(reason)
        if not reason:
            return Read(value, answer)
        self.failed(name, reason, where=item.where, attempt=attempt, detail=detail)
        return None

    def failed(self, name: str, reason: str, *, where: tuple[str, ...], attempt: int = 0, detail: str = "") -> None:
        """Report something that was lost."""
        self.on_failure(Failure(stage=_stage(name), reason=reason, topic=where, attempt=attempt, detail=detail[:200]))


def _stage(name: str) -> str:
    """What the ledger calls the calls of a prompt file: "msm_domains" are "domains"."""
    return name.partition("_")[2]
