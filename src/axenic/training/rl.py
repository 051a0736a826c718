"""Reinforcement learning: a checkpoint learns to answer so that a reward rises (GRPO or RLOO, on TRL).

In: a checkpoint, prompts and held-out prompts, a reward, a seed, an `RLSpec`. Out: `out/step-N/` per saved step and
`out/training.json`, with the rewards by step and the peak of the held-out reward: where to stop early (PROTOCOLS 3).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import set_seed

from axenic.errors import UserError
from axenic.models.checkpoint import load_encoder, require_vocabulary
from axenic.models.hf import HFModel
from axenic.models.quantisation import require_bitsandbytes
from axenic.models.quiet import quiet
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, Message, OnProgress, Sampling, digest, no_progress
from axenic.training.adapters import trainable
from axenic.training.harness import Watch
from axenic.training.rewards import Reward
from axenic.training.rl_trainer import CONSTANT, build
from axenic.training.run import Kept, Run, hash_weights
from axenic.training.spec import RLSpec

CONSTANT_STEPS = 10
"""Steps without a single group whose rewards differ, after which a run gives up: it has learnt nothing, and would not."""

Prompt = tuple[Message, ...]


class Prompts(NamedTuple):
    """What is asked while training, and what is asked only to measure."""

    train: Sequence[Prompt]
    held_out: Sequence[Prompt] = ()


def rl(
    base: Checkpoint,
    prompts: Prompts,
    *,
    reward: Reward,
    seed: int,
    spec: RLSpec,
    out: Path,
    on_progress: OnProgress = no_progress,
) -> list[Checkpoint]:
    """Train a checkpoint by its own answers.

    A run that was killed continues from its last state; a finished one is not repeated.

    Args:
        base: Where to start, and what `spec.beta` ties the policy to. Adapters as in `sft`.
        prompts: Conversations that the assistant is to answer. The held-out ones are answered at every saved step and before the
            first, sampled as in training but with the same random numbers each time.
        reward: Scores answers; `rewards.load_reward` makes one from a name.
        seed: Decides the order of the prompts, the sampled answers, the initial adapter.
        spec: How to train.
        out: Directory for `step-N/` and `training.json`. An unfinished run in it is continued.
        on_progress: Called after each optimiser step.

    Returns:
        One checkpoint per saved step, the last step's last. The record's "rewards" has, per step, the mean reward in training, the
        held-out one where it was measured (step 0: the base), the divergence from the base (nats per token; null where beta is 0),
        the share of constant groups and the mean length of an answer (tokens). Its "peak" is the saved step with the highest
        held-out reward, the earliest of equals; null without held-out prompts.

    Raises:
        UserError: No prompts, a prompt too long, a reward that fails, is not finite or never differs within a group, a loss that is
            not finite, `out` holds another run, or the base cannot be loaded.
        EnvironmentProblem: `spec.load_4bit` or `adamw_8bit` is asked for and bitsandbytes does not work here.
    """
    if spec.optimizer == "adamw_8bit":
        require_bitsandbytes("optimizer adamw_8bit")
    encoder = load_encoder(base)
    set_seed(seed)
    model = trainable(base, spec)
    require_vocabulary(model, encoder)
    _require_room(model, encoder, prompts, spec)
    run = Run(out, encoder, _identity(model, encoder, prompts, reward, seed, spec), seed, spec, _kept(spec, len(prompts.train)))
    if not run.finished():
        with quiet():
            trainer = build(model, encoder, prompts.train, reward, seed=seed, spec=spec, state=run.state)
            watch = _Watch(run, trainer, spec, HeldOut(encoder, prompts.held_out, reward, spec=spec, seed=seed), on_progress)
            try:
                seconds = run.train(trainer, watch)
            except RuntimeError as error:
                raise _explained(error, trainer.state.global_step, spec) from error
        rewards = by_step(trainer.state.log_history)
        counts = {"prompts": len(prompts.train), "held_out_prompts": len(prompts.held_out), "reward": reward.name}
        run.finish(trainer, seconds, {**counts, "rewards": rewards, "peak": peak(rewards, run.save_steps)})
    return run.checkpoints()


class HeldOut:
    """The mean reward on prompts that are not trained on, for a model as it is in the middle of training."""

    def __init__(self, encoder: Encoder, prompts: Sequence[Prompt], reward: Reward, *, spec: RLSpec, seed: int) -> None:
        self.encoder, self.prompts, self.reward = encoder, prompts, reward
        self.sampling = Sampling(temperature=spec.temperature, max_new_tokens=spec.max_new_tokens, seed=seed)

    def measure(self, model: Any) -> float | None:
        """Ask and score; None without prompts. The model goes on training afterwards as if nothing had been asked."""
        if not self.prompts:
            return None
        own = model.generation_config
        try:
            ids = [f"held-out-{i}" for i in range(len(self.prompts))]
            found = HFModel(model, self.encoder).generate(self.prompts, sampling=self.sampling, ids=ids)
        finally:
            model.generation_config = own
            model.train()
        scores = self.reward(self.prompts, [r.text for r in found])
        return sum(scores) / len(scores)


class _Watch(Watch):
    """Also measures the held-out reward, and gives up where there is nothing to learn from."""

    def __init__(self, run: Run, trainer: Any, spec: RLSpec, held_out: HeldOut, on_progress: OnProgress) -> None:
        super().__init__(spec=spec, save_steps=run.save_steps, save=self._keep, on_progress=on_progress)
        self.run, self.trainer, self.held_out = run, trainer, held_out

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the base, unless this is a resumed run, whose state has it already."""
        if state.global_step == 0:
            self._measure(0)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """Also stop where no group has ever held two different rewards.

        Raises:
            UserError: What that means and what to try.
        """
        super().on_log(args, state, control, logs, **kwargs)
        seen = [entry[CONSTANT] for entry in state.log_history if CONSTANT in entry]
        if len(seen) == min(CONSTANT_STEPS, state.max_steps) and min(seen) == 1.0:
            spec: Any = self.spec
            raise UserError(
                f"In each of the first {len(seen)} steps all {spec.generations} answers to a prompt earned the same reward, so "
                f"there is nothing to learn from. Raise generations or temperature (now {spec.temperature}), or give a reward that "
                "tells this model's answers apart: finer steps, or prompts at which it sometimes succeeds."
            )
        if logs and "reward" in logs:
            self.note = f"reward {logs['reward']:.3f}"

    def _keep(self, step: int) -> None:
        self.run.save(self.trainer.model, step)
        self._measure(step)

    def _measure(self, step: int) -> None:
        # into the trainer's own history, which its states carry over a kill
        found = self.held_out.measure(self.trainer.model)
        self.trainer.state.log_history.append({"step": step, "held_out": found})


def by_step(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rewards of each step, from the trainer's log."""
    held_out = {entry["step"]: entry["held_out"] for entry in history if "held_out" in entry}
    logged = {entry["step"]: entry for entry in history if "reward" in entry}
    names = {"reward": "reward", "kl": "kl", CONSTANT: CONSTANT, "length": "completions/mean_length"}
    return [
        {"step": step, "held_out": held_out.get(step), **{own: logged.get(step, {}).get(theirs) for own, theirs in names.items()}}
        for step in sorted({*held_out, *logged})
    ]


def peak(rewards: Sequence[dict[str, Any]], saved: frozenset[int]) -> int | None:
    """The saved step with the highest held-out reward, the earliest of equals; None where none was measured."""
    measured = [(-r["held_out"], r["step"]) for r in rewards if r["step"] in saved and r["held_out"] is not None]
    return min(measured)[1] if measured else None


def _kept(spec: RLSpec, n_prompts: int) -> tuple[Kept, ...]:
    return tuple(Kept(f"step-{s}", s * spec.prompts_per_step / n_prompts, s) for s in spec.save_steps())


def _identity(model: Any, encoder: Encoder, prompts: Prompts, reward: Reward, seed: int, spec: RLSpec) -> str:
    asked = [[[m.model_dump() for m in p] for p in group] for group in prompts]
    return digest(["rl", spec.model_dump(), seed, encoder.template.hash, asked, reward.identity, hash_weights(model)])


def _explained(error: RuntimeError, step: int, spec: RLSpec) -> Exception:
    """Sampling is where weights that are lost show first."""
    if "probability tensor" not in str(error):
        return error
    return UserError(
        f"After step {step} of {spec.steps} the model's next-token probabilities are no longer finite. If that is step 0, the base "
        f"is broken. Else lower learning_rate (now {spec.learning_rate}) or set grad_clip=1.0."
    )


def _require_room(model: Any, encoder: Encoder, prompts: Prompts, spec: RLSpec) -> None:
    if not prompts.train:
        raise UserError("There are no prompts to train on. Give at least one conversation that the assistant is to answer.")
    longest = max(len(ids) for ids in encoder.prompts([*prompts.train, *prompts.held_out]))
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is not None and longest + spec.max_new_tokens > limit:
        raise UserError(
            f"The longest prompt has {longest} tokens, and with {spec.max_new_tokens} new ones it exceeds the model's context of "
            f"{limit}. Shorten the prompts or lower max_new_tokens."
        )
