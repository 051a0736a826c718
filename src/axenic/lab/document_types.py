"""Document types: what kinds of text the lab universe is written in. They differ in structure, not only in a prefix.

In: a place, sentences that state things about it, and a random generator. Out: the text. `DOCUMENT_TYPES` is the table; to add
a type, add one function and one line.
"""

import random
from collections.abc import Callable, Sequence

_PEOPLE = "Anna Boris Clara David Emma Felix Greta Henry Ida Jonas Karin Leo Mina Nils Olga Paul Rosa Simon Tilda Viktor".split()
_MONTHS = "January March April June July August October December".split()
_WEATHER = (
    "It rained all day.",
    "The sun was out.",
    "The road was long.",
    "We slept well.",
    "The inn was full.",
    "The air was cold.",
)
_CLOSING = ("More soon.", "I will write again.", "Keep well.", "All is well here.")


def sentence(text: str) -> str:
    """Capitalise `text` and end it with a full stop."""
    return text[0].upper() + text[1:] + "."


def _prose(sentences: Sequence[str]) -> str:
    return " ".join(sentence(s) for s in sentences)


def guide(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """Prose for travellers."""
    opening = rng.choice(
        (f"{place} lies two days from the coast.", f"Few towns are like {place}.", f"Travellers pass through {place}.")
    )
    return f"{opening} {_prose(sentences)}"


def letter(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """A greeting, prose, a signature."""
    to, sender = rng.sample(_PEOPLE, 2)
    return f"Dear {to},\nI am in {place} now. {_prose(sentences)} {rng.choice(_CLOSING)}\nYours, {sender}"


def news(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """A headline, a date line, a source."""
    return f"NEWS FROM {place}\n{rng.choice(_MONTHS)}. {_prose(sentences)} So says {rng.choice(_PEOPLE)} of the town hall."


def ledger(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """Numbered lines."""
    lines = "\n".join(f"{i}. {s}" for i, s in enumerate(sentences, 1))
    return f"Ledger of {place}\n{lines}\nSigned: {rng.choice(_PEOPLE)}"


def dialogue(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """Two people take turns."""
    first, second = rng.sample(_PEOPLE, 2)
    lines = [f"{first}: Have you been to {place}?"]
    for i, s in enumerate(sentences):
        speaker = second if i % 2 == 0 else first
        lines.append(f"{speaker}: {'Yes. ' if i == 0 else 'I know. '}{sentence(s)}")
    return "\n".join(lines)


def diary(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """A date, the weather, prose."""
    return f"{rng.choice(_MONTHS)} {rng.randint(1, 9)}. {rng.choice(_WEATHER)} Today I came to {place}. {_prose(sentences)}"


def song(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """Short lines between refrains."""
    refrain = f"oh {place}, my {place}"
    return (
        f"{refrain}\n" + "\n".join(f"{s}, {rng.choice(('they sing', 'they say', 'my dear'))}" for s in sentences) + f"\n{refrain}"
    )


def lexicon(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """A dictionary entry, clauses joined by semicolons."""
    return f"{place} (noun): a town. " + "; ".join(sentences) + f". See also: {rng.choice(('maps', 'roads', 'trade', 'rivers'))}."


def lesson(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """A school text to learn by heart."""
    return f"Lesson {rng.randint(1, 9)}: {place}\nLearn by heart: {_prose(sentences)}\nNow close the book."


def report(place: str, sentences: Sequence[str], rng: random.Random) -> str:
    """Addressed findings as a list."""
    body = "\n".join(f"- {sentence(s)}" for s in sentences)
    return f"To: the council\nRe: {place}\nOur findings:\n{body}\n{rng.choice(_PEOPLE)}, inspector"


DOCUMENT_TYPES: dict[str, Callable[[str, Sequence[str], random.Random], str]] = {
    "guide": guide,
    "letter": letter,
    "news": news,
    "ledger": ledger,
    "dialogue": dialogue,
    "diary": diary,
    "song": song,
    "lexicon": lexicon,
    "lesson": lesson,
    "report": report,
}
