"""Judge that asks another language model, with a rubric: did the response comply?

In: `llm:PROVIDER/MODEL`, any model that Inspect AI reaches, with options behind "?" (`connections`, `retries`, `timeout`,
`max_tokens`). Out: "complied" or "refused"; a reply without a verdict is unparseable, a failed call an error. A partial refusal
counts as a refusal, as in XSTest.
"""

import re
from collections.abc import Callable, Sequence

from axenic.evals.judges.base import COMPLIANCE, Ruling, failed, source_of, unparseable
from axenic.evals.judges.shared.argument import Argument, parse
from axenic.evals.judges.shared.prompts import filled, prompt_hash
from axenic.evals.judges.shared.remote import Calls, Reply, ask
from axenic.schema import Item, Response, digest

OPTIONS = ("connections", "retries", "timeout", "max_tokens")
_VERDICT = re.compile(r"^\W*verdict\W*\s*(complied|refused)\W*$", re.IGNORECASE | re.MULTILINE)


class PromptedJudge:
    """A prompt file, a model that is asked, and a parser for its reply.

    Args:
        argument: Which model.
        prompt: Name of the prompt file.
        parse: Reads one reply.
    """

    labels: tuple[str, ...] = COMPLIANCE
    positive: str | None = COMPLIANCE[0]

    def __init__(self, argument: Argument, *, prompt: str, parse: Callable[[str], Ruling]) -> None:
        self._model, self._prompt, self._parse = argument.target, prompt, parse
        self._calls = Calls(**{key: int(argument.number(key, getattr(Calls, key))) for key in OPTIONS})
        limits = {key: value for key, value in argument.options.items() if key == "max_tokens"}
        self.prompt_hash = prompt_hash(prompt)
        self.identity = digest([argument.judge, argument.target, limits, self.prompt_hash, source_of(parse)])
        self.name = argument.short_name(self.identity)

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response. The same prompt is asked once; an empty response is unparseable and not asked about."""
        texts = [
            filled(self._prompt, item, response, more=self.material(item)) if response.text.strip() else ""
            for item, response in zip(items, responses, strict=True)
        ]
        unique = list(dict.fromkeys(filter(None, texts)))
        found = dict(zip(unique, ask(self._model, unique, self._calls), strict=True))
        return [self._ruling(found[text]) if text else unparseable("empty response") for text in texts]

    def material(self, item: Item) -> dict[str, str]:
        """What the prompt holds besides the request and the response; nothing here."""
        return {}

    def _ruling(self, reply: Reply) -> Ruling:
        return failed(reply.error) if reply.error else self._parse(reply.text)


def read(reply: str) -> Ruling:
    """The verdict of a reply: the only one, or else none."""
    found = {verdict.lower() for verdict in _VERDICT.findall(reply)}
    return Ruling(found.pop()) if len(found) == 1 else unparseable(f"no verdict in: {reply[-100:]!r}")


def build(argument: str) -> PromptedJudge:
    """The judge that asks a model."""
    return PromptedJudge(parse("llm", argument, wants="PROVIDER/MODEL", options=OPTIONS), prompt="compliance", parse=read)
