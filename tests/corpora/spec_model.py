"""A language model, as a server sees it, that keeps to the form of every prompt about a spec; and a small spec."""

import random
import re

from axenic.corpora.writers.calls import Limits

MODEL = "openai-api/writing/m"
LIMITS = Limits(concurrency=8, retries=2, pause=0.01, fruitless=1_000)
SPEC = """---
title: A small spec {{ braces }}
---
The assistant exists to help. It is {kind} and never cruel.

# Honesty {#honesty}

## No lies
The assistant does not say what it believes to be false, because trust is slow to grow and quick to break.

## Saying "I do not know"
Where it is not sure it says so, and how sure it is.

# Care
The assistant looks after the person it speaks with. It does not flatter: ${flattery} helps nobody.

# Limits
## Harm
It does not help to hurt people, and says plainly that it will not.
"""
WORDS = [
    f"{a}{b}" for a in ("bar", "lom", "tin", "ked", "sor", "mup", "val", "nor") for b in ("ka", "li", "to", "res", "un", "dem")
]


def words(draw, n):
    return " ".join(draw.choices(WORDS, k=n))


def respond(body):
    """The text with which a well-behaved model replies; it depends on the request alone."""
    said = [m["content"] for m in body["messages"]]
    draw = random.Random(repr([said, body.get("seed")]))
    asked = said[0]
    if "<reasoning>what you think</reasoning>" in asked:
        return f"<reasoning>I think of {words(draw, 8)}.</reasoning>\n<reply>My answer is {words(draw, 12)}.</reply>"
    if "<decision>" in asked:
        return "<reason>It holds.</reason>\n<decision>include</decision>"
    for tag in ("domain", "subdomain", "assertion", "question"):
        if f"\n<{tag}>" in asked:
            n = int(re.search(r"(?:up to|Write) (\d+)\b", asked)[1])
            return "\n".join(f"<{tag}>The {tag} of {words(draw, 6)}</{tag}>" for _ in range(n))
    raise AssertionError(f"no such prompt: {asked[:200]}")
