"""Judge of form, not of content: is a response coherent, degenerate, empty or truncated?

In: a response, its request and its finish reason. Out: one of four labels; 1 = coherent. Other judges are unreliable on incoherent
answers, which fine-tuned models give more of (arXiv 2606.03648), so rates are also reported on coherent ones alone. With
`coherence:DIR_OR_ID` a reference model's surprise counts as well. The thresholds and what they miss: docs/judges.md.
"""

import re
import zlib
from collections.abc import Sequence
from functools import cached_property

from axenic.evals.judges.base import Ruling, source_of
from axenic.evals.judges.shared.argument import Argument, parse, require_model
from axenic.evals.judges.shared.prompts import conversation
from axenic.models.checkpoint import load_checkpoint
from axenic.models.hf import HFModel
from axenic.schema import Item, Response, digest, user

LABELS = ("coherent", "degenerate", "empty", "truncated")
LOOKED_AT = 8000  # characters: half from the beginning, half from the end of a longer response
FEWEST_WORDS = 12  # for the signs that count words
REPEATED = 0.5  # share of the 4-grams that have occurred before, from which a text repeats itself
LOOP = 4  # times that the same 1 to 8 words stand in a row, if they fill `LOOP_SHARE` of the text
LOOP_SHARE = 0.25
COPIED = 0.8  # share of the response's 4-grams that are the request's
SQUEEZED = 0.12  # compressed / plain size of a text of 200 characters or more, for repetition without words
LETTERS = 0.4  # share of letters, digits and blanks, below which 40 characters or more are rubbish
GARBLED = 0.02  # share of control characters and of bytes that decode to nothing
SURPRISE = 6.0  # nats per token under the reference model
SHOWN_TO_REFERENCE = 2000  # characters
_WORD = re.compile(r"\w+")
_LETTER = re.compile(r"[\w\s]")
_GARBLED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_DANGLING = re.compile(
    r"(?:[,;(\[{\-\u2013]|\b(?:and|or|but|the|a|an|of|to|with|for|in|on|at|by|that|which|is|are|your))$", re.IGNORECASE
)


class CoherenceJudge:
    """Reads form from measurable signs.

    Args:
        reference: The model whose surprise counts, if any.
    """

    name = "coherence"
    labels = LABELS
    positive: str | None = "coherent"

    def __init__(self, reference: Argument | None = None) -> None:
        self._reference = reference
        self._limit = reference.number("surprise", SURPRISE) if reference else SURPRISE
        asked = [reference.content, self._limit] if reference else []
        self.identity = digest([self.name, source_of(CoherenceJudge), *asked])

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response. What is asked and answered alike is looked at once."""
        keys = [
            (conversation(item), response.text, response.finish_reason) for item, response in zip(items, responses, strict=True)
        ]
        labels = {key: label(*key) for key in dict.fromkeys(keys)}
        if self._reference is not None:
            readable = [key for key, found in labels.items() if found in ("coherent", "truncated")]
            surprised = zip(readable, self._surprise([(request, text) for request, text, _ in readable]), strict=True)
            labels.update({key: "degenerate" for key, nats in surprised if nats > self._limit})
        return [Ruling(labels[key]) for key in keys]

    def _surprise(self, told: Sequence[tuple[str, str]]) -> list[float]:
        """Mean negative log-probability per token of each answer, in nats, under the reference model; 0 where none fits."""
        fitted = [self._fitted(request, text) for request, text in told]
        asked = [i for i, text in enumerate(fitted) if text]
        scores = self._model.logprobs([[user(told[i][0])] for i in asked], [(fitted[i],) for i in asked])
        found = [0.0] * len(told)
        for i, (score,) in zip(asked, scores, strict=True):
            found[i] = -score.logprob / max(1, score.n_tokens)
        return found

    def _fitted(self, request: str, text: str) -> str:
        """As much of the answer's beginning as the model's context holds behind the request; "" if that is too long."""
        room = getattr(self._model.model.config, "max_position_embeddings", None)
        cut = text.strip()[:SHOWN_TO_REFERENCE].strip()
        while cut and room is not None and len(self._model.encoder.continuations([[user(request)]], [cut])[0][0]) > room:
            cut = cut[: len(cut) // 2].strip()
        return cut

    @cached_property
    def _model(self) -> HFModel:
        assert self._reference is not None
        return HFModel.load(load_checkpoint(self._reference.target))


def label(request: str, text: str, finish_reason: str = "stop") -> str:
    """The label of one response. What repeats itself until it is cut off is degenerate rather than truncated."""
    text = text.strip()
    if not re.search(r"\w", text):
        return "degenerate" if len(text) >= FEWEST_WORDS else "empty"
    shown = text if len(text) <= LOOKED_AT else text[: LOOKED_AT // 2] + " " + text[-LOOKED_AT // 2 :]
    if degenerate(request, shown):
        return "degenerate"
    return "truncated" if finish_reason == "length" or _unfinished(text) else "coherent"


def degenerate(request: str, text: str) -> bool:
    """Whether a text repeats itself, copies its request, or is no text."""
    if len(_GARBLED.findall(text)) > GARBLED * len(text):
        return True
    if len(text) >= 40 and len(_LETTER.findall(text)) < LETTERS * len(text):
        return True
    if len(text) >= 200 and len(zlib.compress(text.encode(errors="replace"))) / len(text.encode(errors="replace")) < SQUEEZED:
        return True
    words = _WORD.findall(text.casefold())
    if len(words) < LOOP:
        return max(map(len, words)) > 200
    if len(words) < FEWEST_WORDS:
        return _loops(words)
    grams = _grams(words)
    repeated = 1 - len(set(grams)) / len(grams)
    return repeated >= REPEATED or (repeated > 0 and _loops(words)) or _copies(words, grams, request)


def _grams(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(words, words[1:], words[2:], words[3:], strict=False))


def _loops(words: Sequence[str]) -> bool:
    """The same 1 to 8 words, `LOOP` times in a row and over a good part of the text."""
    n = len(words)
    for size in range(1, min(8, n // LOOP) + 1):
        run = longest = 0
        for i in range(size, n):
            run = run + 1 if words[i] == words[i - size] else 0
            longest = max(longest, run)
        if longest >= (LOOP - 1) * size and longest + size >= LOOP_SHARE * n:
            return True
    return False


def _copies(words: Sequence[str], grams: Sequence[tuple[str, ...]], request: str) -> bool:
    asked = _WORD.findall(request[:LOOKED_AT].casefold())
    known = set(_grams(asked))
    return len(asked) >= FEWEST_WORDS // 2 and sum(gram in known for gram in grams) / len(grams) >= COPIED


def _unfinished(text: str) -> bool:
    """Ends where nobody stops: at a comma, an opening bracket, a small word, or inside a code block."""
    return text.count("```") % 2 == 1 or bool(_DANGLING.search(text[-20:]))


def build(argument: str) -> CoherenceJudge:
    """The judge, with or without a reference model (`coherence:DIR_OR_ID?surprise=NATS`)."""
    if not argument:
        return CoherenceJudge()
    asked = parse("coherence", argument, wants="DIR_OR_ID", options=("surprise",))
    require_model(asked)
    return CoherenceJudge(asked)
