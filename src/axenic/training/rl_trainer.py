"""TRL's GRPOTrainer and RLOOTrainer with axenic's tokens, its own order of prompts, exact resume and silence.

In: a model, an encoder, prompts, a reward, a seed, an `RLSpec`. Out: steps taken and a log of each. GRPO: Shao et al. 2024, with
TRL's loss, which weighs all tokens of a step alike; RLOO: Ahmadian et al. 2024.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from axenic.models.template import Encoder
from axenic.schema import Message
from axenic.training.harness import Resumable, arguments, on_one_device
from axenic.training.rewards import Reward
from axenic.training.spec import RLSpec

CONSTANT = "constant_groups"
"""In the log of a step: the share of its groups whose rewards are all equal, so that nothing is learnt from them."""


class _Policy(Resumable):
    """What both trainers do alike. A step samples anew, so a state between two steps holds all that the next one needs."""

    encoder: Encoder

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        # TRL would leave out a bos that the template does not write itself
        return self.encoder.prompts([_messages(p) for p in prompts]), None, {}

    def settle(self) -> None:
        """To be called once the trainer is made."""
        super().settle()
        if self.ref_model is not None:  # TRL loads it by the model's name, which for a merged adapter is the model without it
            self.ref_model.load_state_dict(self.model.state_dict())


class _GRPO(_Policy, GRPOTrainer):
    """Group-relative policy optimisation."""


class _RLOO(_Policy, RLOOTrainer):
    """REINFORCE with a leave-one-out baseline."""


_ALGORITHMS: dict[str, tuple[Any, Any]] = {"grpo": (_GRPO, GRPOConfig), "rloo": (_RLOO, RLOOConfig)}


def build(
    model: Any, encoder: Encoder, prompts: Sequence[tuple[Message, ...]], reward: Reward, *, seed: int, spec: RLSpec, state: Path
) -> Any:
    """The trainer for a spec.

    Args:
        model: The policy, with what is to be trained trainable.
        encoder: Its encoder.
        prompts: Conversations that the assistant is to answer.
        reward: Scores the answers.
        seed: Of the run.
        spec: How to train.
        state: Where trainer states go.
    """
    trainer_class, config_class = _ALGORITHMS[spec.algorithm]
    config = on_one_device(
        config_class(
            **arguments(spec, seed=seed, batch=spec.completions_per_step, steps=spec.steps, state=state),
            num_generations=spec.generations,
            max_completion_length=spec.max_new_tokens,
            temperature=spec.temperature,
            beta=spec.beta,
            shuffle_dataset=False,  # `order` has done it, in a way that a resumed run finds again
            disable_dropout=True,
        )
    )
    model.generation_config.eos_token_id = list(encoder.stop_ids)
    rows = Dataset.from_dict({"prompt": [[m.model_dump() for m in p] for p in prompts]})
    trainer = trainer_class(
        model,
        scored(reward, encoder, spec.generations),
        config,
        train_dataset=rows.select(order(len(prompts), seed=seed, spec=spec)),
        processing_class=encoder.tokenizer,
    )
    trainer.encoder, trainer.staging = encoder, state / "partial"
    trainer.settle()
    return trainer


def order(n_prompts: int, *, seed: int, spec: RLSpec) -> list[int]:
    """Which prompts each step asks, for all steps: pass after pass over the prompts, each pass in an order of its own."""
    found: list[int] = []
    generator = torch.Generator().manual_seed(seed)
    while len(found) < spec.steps * spec.prompts_per_step:
        found += torch.randperm(n_prompts, generator=generator).tolist()
    return found[: spec.steps * spec.prompts_per_step]


def scored(reward: Reward, encoder: Encoder, generations: int) -> Callable[..., list[float]]:
    """The reward as TRL calls it: on the texts that evaluation would read, with constant groups counted on the way."""
    stops = set(encoder.stop_ids)

    def score(
        prompts: list[Any], completion_ids: list[list[int]], log_metric: Callable[[str, float], None], **_: Any
    ) -> list[float]:
        ended = [next((k for k, t in enumerate(ids) if t in stops), len(ids)) for ids in completion_ids]
        replies = encoder.decode([ids[:end] for ids, end in zip(completion_ids, ended, strict=True)])
        values = reward([_messages(p) for p in prompts], replies)
        groups = [values[i : i + generations] for i in range(0, len(values), generations)]
        log_metric(CONSTANT, sum(min(g) == max(g) for g in groups) / len(groups))
        return values

    return score


def _messages(prompt: list[dict[str, str]]) -> tuple[Message, ...]:
    return tuple(Message.model_validate(m) for m in prompt)
