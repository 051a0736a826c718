"""Judge of code: does it do what was asked?

In: an item whose targets hold `{"check": (source,)}`, Python that asserts, and a response. Out: "works" if the check passes on the
response's code in the sandbox, else "broken"; a reply without any code is broken too. Unparseable are empty responses and items
without a check. An unclosed scratchpad is its own status. (PROTOCOLS 3: capability before and after.)
"""

from collections.abc import Sequence
from pathlib import Path

from axenic.code import extract, sandbox
from axenic.evals.judges.base import Ruling, source_of, unparseable
from axenic.schema import Item, Response, digest

CHECK = "check"
"""The key of `Item.targets` under which the check stands."""


class CodeWorksJudge:
    """Runs the code of each response, and then the item's check of it, in a restricted process."""

    name = "code_works"
    labels = ("works", "broken")
    positive: str | None = "works"

    @property
    def identity(self) -> str:
        """Hex digest of the name and of the code that finds code and runs it."""
        files = [source_of(part) for part in (CodeWorksJudge, extract.find, sandbox.run)]
        return digest([self.name, *files, Path(sandbox.__file__).with_name("guard.py").read_text(encoding="utf-8")])

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response; equal code with an equal check runs once.

        Raises:
            EnvironmentProblem: This system cannot restrict a process.
        """
        found = [extract.find(response.text) for response in responses]
        checks = ["\n".join(item.targets.get(CHECK, ())) for item in items]
        jobs = [(each.code, check) for each, check in zip(found, checks, strict=True) if each.code is not None and check]
        outcomes = iter(sandbox.run_all(jobs))
        return [
            _unread(response.text, each, check) or _ruling(None if each.code is None else next(outcomes))
            for response, each, check in zip(responses, found, checks, strict=True)
        ]


def _unread(text: str, found: extract.Found, check: str) -> Ruling | None:
    if found.unclosed:
        return Ruling(None, "unclosed", note="the scratchpad was never closed")
    if not text.strip():
        return unparseable("an empty response")
    return None if check else unparseable("the item has no check of what the code must do")


def _ruling(outcome: sandbox.Outcome | None) -> Ruling:
    if outcome is None:
        return Ruling("broken", note="no code")
    if outcome.fate == "works":
        return Ruling("works")
    return Ruling("broken", note=f"{outcome.fate}: {outcome.note}".rstrip(": "))


JUDGE = CodeWorksJudge()
