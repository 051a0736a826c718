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
    if "<reasoning>" in asked and "<reply>" in asked and "<decision>" not in asked:
        return f"<reasoning>I think of {words(draw, 8)}.</reasoning>\n<reply>My answer is {words(draw, 12)}.</reply>"
    if "<decision>" in asked:
        return "It holds.\n<decision>include</decision>"
    n = int(re.search(r"(?:up to|Write|List) (\d+)\b", asked)[1])
    if "<message>" in asked:
        return "\n".join(f"<message>What of {words(draw, 6)}?</message>" for _ in range(n))
    for tag in ("domains", "subdomains", "assertions"):
        if f"<{tag}>" in asked:
            return f"<{tag}>\n" + "\n".join(f"- The {tag} of {words(draw, 6)}" for _ in range(n)) + f"\n</{tag}>"
    raise AssertionError(f"no such prompt: {asked[:200]}")
