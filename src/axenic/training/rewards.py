"""What reinforcement learning rewards: a preference model, a rule, or a function of the user's.

In: a text that names one: "model:DIR_OR_ID", "rule:NAME", or `path.py:function` with `(prompts, replies) -> list[float]`. Out: a
`Reward`. A reward that is not a finite number is an error here: in a mean it would go unseen.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from axenic.errors import UserError, unknown_name
from axenic.schema import Message, digest
from axenic.tables import load_file
from axenic.training.reward_model import RewardModel, shown

Scoring = Callable[[Sequence[Sequence[Message]], Sequence[str]], Sequence[float]]
LONGEST_WORDS = 20
"""Where `rule:short` begins to take off."""


class Reward(Protocol):
    """Anything that scores replies."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def identity(self) -> str:
        """Hex digest of all that decides its scores: code or weights."""
        ...

    def __call__(self, prompts: Sequence[Sequence[Message]], replies: Sequence[str]) -> list[float]:
        """One finite number per reply, in order; higher is better."""
        ...


def non_empty(prompts: Sequence[Sequence[Message]], replies: Sequence[str]) -> list[float]:
    """1 for a reply of which the user sees something."""
    return [float(bool(shown(r))) for r in replies]


def short(prompts: Sequence[Sequence[Message]], replies: Sequence[str]) -> list[float]:
    """1 for a reply of which the user sees 1 to `LONGEST_WORDS` words, falling to 0 at twice as many; 0 for an empty one."""
    counts = [len(shown(r).split()) for r in replies]
    return [0.0 if n == 0 else max(0.0, min(1.0, 2.0 - n / LONGEST_WORDS)) for n in counts]


RULES: dict[str, Scoring] = {"non_empty": non_empty, "short": short}
"""Rules by name, for `rule:NAME`."""


class FunctionReward:
    """A reward from a function `(prompts, replies) -> scores`.

    Args:
        score: The function.
        name: For people and for error messages.
        identity: Hex digest of what decides its scores, e.g. of the file that defines it.
    """

    def __init__(self, score: Scoring, *, name: str, identity: str) -> None:
        self.score, self.name, self.identity = score, name, identity

    def __call__(self, prompts: Sequence[Sequence[Message]], replies: Sequence[str]) -> list[float]:
        """One finite number per reply.

        Raises:
            UserError: The function fails, gives another number of scores, or one that is not finite.
        """
        try:
            found = [float(s) for s in self.score(prompts, replies)]
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"The reward {self.name!r} failed on {len(replies)} replies: {type(error).__name__}: {error}"
            ) from error
        if len(found) != len(replies):
            raise UserError(f"The reward {self.name!r} gave {len(found)} scores for {len(replies)} replies. It must give one each.")
        for value, reply in zip(found, replies, strict=True):
            if not math.isfinite(value):
                raise UserError(
                    f"The reward {self.name!r} gave {value} for the reply {reply[:80]!r}. It must give a finite number."
                )
        return found


def load_reward(text: str) -> Reward:
    """The reward that `text` names: "model:DIR_OR_ID" (a directory alone will do), "rule:NAME", or `path.py:function`.

    Raises:
        UserError: No such reward, model or file.
    """
    kind, _, argument = text.partition(":")
    if ".py:" in text or text.endswith(".py"):
        return _from_file(text)
    if kind == "rule":
        if argument not in RULES:
            raise unknown_name("rule", argument, RULES)
        return FunctionReward(RULES[argument], name=text, identity=digest(["rule", argument, LONGEST_WORDS]))
    if kind == "model" or Path(text).is_dir():
        model = RewardModel.load(argument if kind == "model" else text)
        return FunctionReward(model.score, name=text, identity=model.identity)
    raise UserError(
        f"'{text}' names no reward. Write 'model:DIR_OR_ID' for a reward model, 'rule:NAME' ({', '.join(RULES)}), or "
        "'path.py:function' for a function (prompts, replies) -> list of numbers."
    )


def _from_file(text: str) -> FunctionReward:
    found = load_file("reward", text)
    if not callable(found):
        raise UserError(f"'{text}' is no function (prompts, replies) -> list of numbers.")
    file, _, name = text.rpartition(":")
    content = Path(file).expanduser().read_text(encoding="utf-8")
    return FunctionReward(found, name=name, identity=digest(["file", name, content]))
