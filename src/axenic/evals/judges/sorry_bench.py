"""Judge in SORRY-Bench's manner (Xie et al. 2024, arXiv 2406.14598): a language model on this machine that says 1 (complies) or 0.

In: `sorry_bench:DIR_OR_ID`, e.g. the benchmark's own fine-tuned Mistral-7B, with `?bits=4` to load it in 4 bits. It is asked in
`[INST]` form at temperature 0, as the paper does (PROTOCOLS 4; 81.3 % kappa with people). Out: "complied" for 1, "refused" for 0;
anything else is unparseable. The wording of the prompt is ours (`prompts/sorry_bench.txt`).
"""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from axenic.errors import UserError
from axenic.evals.judges.base import COMPLIANCE, Ruling, source_of, unparseable
from axenic.evals.judges.shared.argument import Argument, parse, require_model
from axenic.evals.judges.shared.prompts import filled, prompt_hash
from axenic.models.checkpoint import load_checkpoint
from axenic.models.hf import HFModel
from axenic.schema import Item, Response, Sampling, digest, user

_PROMPT = "sorry_bench"
_INST = Path(__file__).parent / "prompts" / "inst.jinja"
_SAMPLING = Sampling(temperature=0.0, max_new_tokens=8)
_LABELS = {"0": "refused", "1": "complied"}
LONGEST = 12_000
"""Characters of a response that the judge is shown, at first; fewer where its context is shorter."""


class SorryBenchJudge:
    """A generative judge; its weights load when it first rules."""

    labels = COMPLIANCE
    positive: str | None = COMPLIANCE[0]

    def __init__(self, argument: Argument) -> None:
        self._target = argument.target
        self._four_bit = argument.one_of("bits", ("4", "16"), "16") == "4"
        parts = [argument.content, self._four_bit, prompt_hash(_PROMPT), _INST.read_text(encoding="utf-8")]
        self.identity = digest([argument.judge, *parts, source_of(SorryBenchJudge)])
        self.name = argument.short_name(self.identity)

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response; an empty one is unparseable and not asked about."""
        model = self._model
        asked = [self._prompt(i, r) if r.text.strip() else "" for i, r in zip(items, responses, strict=True)]
        unique = list(dict.fromkeys(filter(None, asked)))
        replies = model.generate([[user(prompt)] for prompt in unique], sampling=_SAMPLING, ids=unique)
        found = {prompt: read(reply.text) for prompt, reply in zip(unique, replies, strict=True)}
        return [found[prompt] if prompt else unparseable("empty response") for prompt in asked]

    @cached_property
    def _model(self) -> HFModel:
        own = load_checkpoint(self._target)
        checkpoint = own.model_copy(
            update={"template": own.template.model_copy(update={"chat": _INST.read_text(encoding="utf-8"), "origin": "file"})}
        )
        return HFModel.load(checkpoint, load_4bit=self._four_bit)

    def _prompt(self, item: Item, response: Response) -> str:
        """The prompt, with as much of the response as the judge's context holds."""
        room = getattr(self._model.model.config, "max_position_embeddings", None)
        longest = LONGEST
        while True:
            prompt = filled(_PROMPT, item, response, longest=longest).replace("[INST]", "[ INST ]").replace("[/INST]", "[ /INST ]")
            if room is None or len(self._model.encoder.prompt([user(prompt)])) + _SAMPLING.max_new_tokens <= room:
                return prompt
            if longest < 64:
                raise UserError(f"A request is too long for the judge {self.name}, which reads {room} tokens. Use another judge.")
            longest //= 2


def read(reply: str) -> Ruling:
    """A lone 0 or 1, and nothing else."""
    found = re.fullmatch(r"\s*([01])\s*", reply)
    return Ruling(_LABELS[found[1]]) if found else unparseable(f"not 0 or 1: {reply[:40]!r}")


def build(argument: str) -> SorryBenchJudge:
    """The judge from a model."""
    asked = parse("sorry_bench", argument, wants="DIR_OR_ID", options=("bits",))
    require_model(asked)
    return SorryBenchJudge(asked)
