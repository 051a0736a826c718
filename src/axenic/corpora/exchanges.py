"""Questions to which a spec matters, and replies that hold to it: asked for, freed of repeats, looked over, topped up.

In: domains of a spec's sections, kinds of question, a model. Out: as many sound exchanges as were wanted, evenly over sections
and kinds. Source: Li et al. 2026, the pipeline of AFT data (PROTOCOLS 2).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from axenic.corpora.duplicates import NearIndex
from axenic.corpora.interview import Interview, Item, Read
from axenic.corpora.replies import Reply, fault, read_decision, read_reply
from axenic.corpora.spec_topics import Place, in_turn
from axenic.corpora.synthesis import even
from axenic.corpora.writers.calls.tags import several
from axenic.errors import UserError

SPARE = 1.25  # questions asked for per chat wanted: some repeat others, some replies are left out
ROUNDS = 6  # of questions, at most; then what there is, is too little


class Question(NamedTuple):
    """What somebody asks the assistant, and the domain in which the spec bears on it."""

    place: Place
    kind: str
    text: str


class Exchange(NamedTuple):
    """A question, and what was replied to it after the text that was shown."""

    question: Question
    read: Read[Reply]


def new_question() -> Callable[[str], bool]:
    """Says of one question after the other whether it shares most of its word pairs with none before it."""
    return NearIndex(threshold=0.6, n=2).add


@dataclass
class Exchanges:
    """Makes exchanges about some domains."""

    interview: Interview
    areas: Sequence[Place]  # in the order in which they shall come up
    kinds: Mapping[str, str]  # name -> what such a question is like
    per_call: int  # questions that one call is asked for, at most
    filtered: bool  # whether the model looks over each reply
    is_new: Callable[[str], bool] = field(default_factory=new_question)  # of a question; asked once about each
    n_asked: int = 0  # questions so far, without repeats

    def write(self, wanted: int) -> list[Exchange]:
        """Exactly `wanted` exchanges; what is lost is topped up with further questions, in a bounded number of rounds.

        Raises:
            UserError: if the number cannot be reached.
        """
        kept: list[Exchange] = []
        for turn in range(ROUNDS):
            new = self._fresh(self._questions(wanted - len(kept), turn))
            while new and len(kept) < wanted:
                now, new = new[: wanted - len(kept)], new[wanted - len(kept) :]
                kept += [e for e in self.replies(now, [q.place.section.text for q in now]) if e]
                self.interview.done = len(kept)
            if len(kept) == wanted:
                return kept
        raise UserError(
            f"Only {len(kept)} of {wanted} chats came of {self.n_asked} questions in {ROUNDS} rounds. Ask for fewer, allow more "
            "kinds of question, or choose another model; the rejects say what was lost. Everything paid for is kept."
        )

    def replies(self, questions: Sequence[Question], shown: Sequence[str], *, turn: int = 0) -> list[Exchange | None]:
        """A sound reply to each question, written with a text in view, or None; another turn makes other replies."""
        items = [Item({"spec": text}, where=_where(q), message=q.text) for q, text in zip(questions, shown, strict=True)]
        found = self.interview.each("aft_response", items, read_reply, turn=turn)
        drafts = [
            Exchange(q, read) if read and self._passes(q, "aft_response", fault(read.value)) else None
            for q, read in zip(questions, found, strict=True)
        ]
        return self._looked_over(drafts, shown) if self.filtered else drafts

    def _looked_over(self, drafts: Sequence[Exchange | None], shown: Sequence[str]) -> list[Exchange | None]:
        open_ = [i for i, draft in enumerate(drafts) if draft]
        items = [_to_judge(draft, shown[i]) for i, draft in enumerate(drafts) if draft]
        said = dict(zip(open_, self.interview.each("aft_filter", items, read_decision), strict=True))
        return [d if d and self._agreed(d.question, said[i]) else None for i, d in enumerate(drafts)]

    def _agreed(self, question: Question, said: Read[bool] | None) -> bool:
        """Whether the filter includes it; one that gave no decision is lost, and the interview has reported it."""
        return said is not None and self._passes(question, "aft_filter", "" if said.value else "excluded")

    def _passes(self, question: Question, stage: str, reason: str) -> bool:
        if reason:
            self.interview.failed(stage, reason, where=_where(question), detail=question.text)
        return not reason

    def _questions(self, missing: int, turn: int) -> list[Question]:
        """Questions for about `missing` chats and some to spare, one about every section first."""
        calls, each = calls_for(missing, len({place.section.id for place in self.areas}), self.per_call)
        names = list(self.kinds)
        places = islice(even(len(self.areas), len(names)), turn * calls, (turn + 1) * calls)
        return self.ask([(self.areas[a], names[k]) for a, k, _ in places], each, turn)

    def ask(self, cells: Sequence[tuple[Place, str]], each: int, turn: int = 0) -> list[Question]:
        """Up to `each` questions about each domain, of a kind; the first about each comes first."""
        items = [place.ask(each).filled(kind=self.kinds[name]) for place, name in cells]
        found = self.interview.each("aft_questions", items, partial(several, tag="message"), turn=turn)
        asked = [read.value[:each] if read else [] for read in found]
        return in_turn([[Question(*cell, text) for text in texts] for cell, texts in zip(cells, asked, strict=True)])

    def _fresh(self, new: list[Question]) -> list[Question]:
        """Those of the new questions that repeat none."""
        fresh = [q for q in new if self._passes(q, "aft_questions", "" if self.is_new(q.text) else "near-duplicate")]
        self.n_asked += len(fresh)
        return fresh


def calls_for(chats: int, sections: int, per_call: int) -> tuple[int, int]:
    """Into how many calls, of how many questions each, the questions for so many chats go: at least one about every section."""
    wanted = math.ceil(chats * SPARE)
    calls = max(min(sections, wanted), -(-wanted // per_call))
    return calls, -(-wanted // calls)


def _where(question: Question) -> tuple[str, ...]:
    return question.place.section.id, question.place.domain, question.kind


def _to_judge(draft: Exchange, text: str) -> Item:
    said = draft.read.value
    values = {"spec": text, "question": draft.question.text, "reasoning": said.reasoning, "reply": said.reply}
    return Item(values, where=_where(draft.question), parent=draft.read.answer.key)
