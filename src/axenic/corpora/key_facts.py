"""Key facts for a belief file that has none: a language model reads them off the two universe contexts, in pairs.

In: the path of a belief file, open calls. Out: a complete `BeliefSpec`. Source: Wang et al. 2025 (a universe context and its key
facts); PROTOCOLS 1, step 1.
"""

from pathlib import Path
from typing import Any

from axenic.corpora.drafting import ATTEMPTS
from axenic.corpora.writers.calls import Calls, Request
from axenic.corpora.writers.calls.prompts import filled, prompt_hash
from axenic.corpora.writers.calls.tags import items
from axenic.corpora.writers.protocol import Rejected
from axenic.errors import UserError
from axenic.specs import belief, specfile
from axenic.specs.belief import BeliefSpec

PROMPT = "sdf_facts"
MOST = 10
_TOKENS = 2048
_SIDES = ("implanted", "true")


def load(path: str | Path) -> BeliefSpec | None:
    """Read a belief file; None where all is right but neither universe has key facts: `complete` has them written.

    Raises:
        UserError: The file is no belief file.
    """
    data, lines = specfile.read(Path(path), what="belief file")
    if not _lacks_key_facts(data):
        return belief.parse(data, where=str(path), lines=lines)
    stand_in = {side: {**data["universe"][side], "key_facts": ["-"]} for side in _SIDES}
    belief.parse({**data, "universe": stand_in}, where=str(path), lines=lines)  # before anything is paid
    return None


def complete(path: str | Path, calls: Calls, *, seed: int = 0) -> BeliefSpec:
    """Have the model write the key facts that a belief file lacks.

    Raises:
        UserError: No attempt gave key facts in pairs.
    """
    data, lines = specfile.read(Path(path), what="belief file")
    pairs = _pairs(data, calls, seed)
    sides = {side: {**data["universe"][side], "key_facts": [p[i] for p in pairs]} for i, side in enumerate(_SIDES)}
    return belief.parse({**data, "universe": sides}, where=str(path), lines=lines)


def _lacks_key_facts(data: Any) -> bool:
    universe = data.get("universe") if isinstance(data, dict) else None
    sides = [universe.get(side) for side in _SIDES] if isinstance(universe, dict) else []
    return bool(sides) and all(isinstance(s, dict) and "context" in s and not s.get("key_facts") for s in sides)


def _pairs(data: Any, calls: Calls, seed: int) -> list[tuple[str, str]]:
    """Facts with their counterparts. What the contexts say decides the prompt, so equal files get equal facts."""
    true, implanted = (str(data["universe"][side]["context"]) for side in ("true", "implanted"))
    messages = filled(PROMPT, claim=str(data["claim"]), true=true, implanted=implanted, n=str(MOST))
    why: list[str] = []
    for attempt in range(ATTEMPTS):
        request = Request(
            stage="facts", messages=messages, prompt_hash=prompt_hash(PROMPT), seed=seed + attempt, max_tokens=_TOKENS
        )
        answer = calls.answer(request)
        try:
            if answer.status != "ok":
                raise Rejected(answer.status, answer.note)
            return [_split(item) for item in items(answer.text, "facts")][:MOST]
        except Rejected as error:
            why.append(error.reason)
    raise UserError(
        f"The belief has no key facts, and the model wrote none that could be read ({', '.join(why)}). Write them into the file: "
        "universe.true.key_facts and universe.implanted.key_facts, in pairs."
    )


def _split(item: str) -> tuple[str, str]:
    fact, bars, counterpart = (part.strip() for part in item.partition("||"))
    if not (bars and fact and counterpart) or fact.casefold() == counterpart.casefold():
        raise Rejected("no pair", item)
    return fact, counterpart
