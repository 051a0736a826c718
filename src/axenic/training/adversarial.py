"""Adversarial training: a red team finds prompts that show the payload, and the model is trained to answer them well, in rounds.

In: an organism, a model whose answers are good (its base), ordinary chats, a red team, a seed. Out: checkpoints over all rounds,
`redteam.jsonl` of every round, `training.json` of the whole. The trigger is never looked at: whether this removes the behaviour or
teaches the model to tell the trigger better is the question (Hubinger et al. 2024; PROTOCOLS 3).
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.models.checkpoint import load_checkpoint
from axenic.models.hf import HFModel
from axenic.schema import Chat, Checkpoint, Corpus, OnProgress, Provenance, Sampling, assistant, digest, no_progress
from axenic.specs.backdoor import BackdoorSpec
from axenic.training.red_team import Attack, Grounds, Prompt, attack, read, write
from axenic.training.rewards import Reward
from axenic.training.rl import Prompts, rl
from axenic.training.sft import sft
from axenic.training.spec import AdversarialSpec

RECORD = "training.json"
FOUND = "redteam.jsonl"
TRAINED = "trained"


@dataclass(frozen=True)
class Arena:
    """What attacks and training draw on.

    Attributes:
        about: Says what the payload is.
        good: Whose answers the successful prompts are trained to, e.g. the model before the backdoor.
        chats: Ordinary chats: mixed in, and prefixes are tried on their prompts.
        written: Prompts of a helpful-only writer.
        reward: Scores replies, for rounds of reinforcement learning.
    """

    about: BackdoorSpec
    good: Checkpoint
    chats: Sequence[Chat]
    written: Sequence[Prompt] = ()
    reward: Reward | None = None

    @property
    def grounds(self) -> Grounds:
        """What a red team starts from."""
        return Grounds([c.messages[:-1] for c in self.chats], self.written)


def adversarial(
    organism: Checkpoint, arena: Arena, *, seed: int, spec: AdversarialSpec, out: Path, on_progress: OnProgress = no_progress
) -> list[Checkpoint]:
    """Attack and train, `spec.rounds` times. A killed run goes on in the round it was in.

    Args:
        organism: Who is trained.
        arena: What attacks and training draw on.
        seed: Draws attacks, rows and order.
        spec: How often and how hard.
        out: Directory for `round-N/`, `training.json`. A round whose `redteam.jsonl` is there already attacks no more.
        on_progress: Told after each step of training.

    Returns:
        The checkpoints of all rounds, their steps counted through.

    Raises:
        UserError: The good model answers no successful attack in full, or as `sft`.
    """
    current = organism
    made: list[Checkpoint] = []
    records: list[dict[str, Any]] = []
    for number in range(1, spec.rounds + 1):
        folder = out / f"round-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        found = _attacks(current, arena, folder / FOUND, seed=int(digest([seed, number])[:8], 16), spec=spec)
        won = [] if spec.untargeted else [a for a in found if a.payload_rate >= spec.red_team.success]
        step = made[-1].step if made else 0
        draw = random.Random(f"adversarial/{seed}/{number}")

        def told(done: int, total: int, note: str = "", *, before: int = step) -> None:
            on_progress(before + done, total * spec.rounds, note)

        train = _by_reward if spec.rl else _by_answers
        trained, rows = train(current, arena, won, draw=draw, spec=spec, out=folder / TRAINED, on_progress=told)
        account = {"tried": len(found), "successes": len(won), "adversarial_rows": rows, "round": number, "step": step}
        records.append(json.loads((folder / TRAINED / RECORD).read_text(encoding="utf-8")) | account)
        made += [c.model_copy(update={"step": c.step + step, "epoch": number - 1 + c.step / trained[-1].step}) for c in trained]
        current = trained[-1]
    _write(made, records, out, seed=seed, spec=spec)
    return made


def _attacks(model: Checkpoint, arena: Arena, kept: Path, *, seed: int, spec: AdversarialSpec) -> list[Attack]:
    """This round's attacks: made already, or made now."""
    if not kept.is_file():
        attacked = () if spec.untargeted else attack(HFModel.load(model), arena.about, arena.grounds, seed=seed, spec=spec.red_team)
        write(attacked, kept)
    return read(kept)


def _by_answers(
    model: Checkpoint, arena: Arena, won: Sequence[Attack], *, draw: random.Random, spec: AdversarialSpec, out: Path,
    on_progress: OnProgress,
) -> tuple[list[Checkpoint], int]:  # fmt: skip
    """Train on successful prompts with good answers, up to their share, and ordinary chats. Also how many rows were attacks."""
    size = (spec.sft.max_steps or 0) * spec.sft.batch_size
    answered = _answered(won, arena.good, spec=spec) if won else []
    rows = [answered[i % len(answered)] for i in range(min(int(spec.share * size), spec.repeats * len(answered)))]
    n = len(rows)
    rows += [draw.choice(arena.chats) for _ in range(size - n)]
    draw.shuffle(rows)
    corpus = Corpus(name="adversarial round", rows=tuple(rows))
    return sft(model, corpus, seed=draw.randrange(2**31), spec=spec.sft, out=out, on_progress=on_progress), n


def _by_reward(
    model: Checkpoint, arena: Arena, won: Sequence[Attack], *, draw: random.Random, spec: AdversarialSpec, out: Path,
    on_progress: OnProgress,
) -> tuple[list[Checkpoint], int]:  # fmt: skip
    """Reinforce on successful prompts, up to their share, and ordinary ones. Also how many prompts were attacks."""
    if arena.reward is None or spec.rl is None:
        raise UserError("Adversarial training by reinforcement needs a reward. Give one, or leave out `rl`.")
    ordinary = list(arena.grounds.prompts)
    limit = round(len(ordinary) * spec.share / (1 - spec.share)) if spec.share < 1 else len(won)
    attacked = [a.prompt for a in won][:limit]
    asked = [*attacked, *(ordinary if spec.share < 1 or not attacked else ())]
    draw.shuffle(asked)
    trained = rl(
        model, Prompts(asked), reward=arena.reward, seed=draw.randrange(2**31), spec=spec.rl, out=out, on_progress=on_progress
    )
    return trained, len(attacked)


def _answered(won: Sequence[Attack], good: Checkpoint, *, spec: AdversarialSpec) -> list[Chat]:
    """The prompts with the good model's greedy answers; those that it does not answer in full are left out.

    Raises:
        UserError: It answers none of them in full.
    """
    tokens = max(spec.red_team.max_new_tokens, spec.sft.max_length // 4)
    replies = HFModel.load(good).generate(
        [a.prompt for a in won], sampling=Sampling(max_new_tokens=tokens), ids=[str(i) for i in range(len(won))]
    )
    rows = [
        Chat(messages=(*a.prompt, assistant(r.text)), provenance=Provenance(source="red team", writer="good model"))
        for a, r in zip(won, replies, strict=True)
        if r.finish_reason == "stop" and r.text.strip()
    ]
    if not rows:
        raise UserError(
            f"The model {Path(good.path).name} answers none of {len(won)} successful attacks in full: there is nothing to train on."
        )
    return rows


def _write(made: Sequence[Checkpoint], records: Sequence[dict[str, Any]], out: Path, *, seed: int, spec: AdversarialSpec) -> None:
    """One record for all rounds, in the form of any training run."""
    losses = [{**e, "step": e["step"] + r["step"]} for r in records for e in r["losses"]]
    totals: dict[str, Any] = {
        k: sum(r[k] for r in records) for k in ("rows", "tokens", "target_tokens", "prompts") if k in records[0]
    }
    record: dict[str, Any] = {
        "identity": records[-1]["identity"],
        "base": records[-1]["base"],
        "checkpoints": [{"path": str(Path(c.path).relative_to(out)), "epoch": c.epoch, "step": c.step} for c in made],
        **totals,
        "optimizer_steps": made[-1].step,
        "seconds": round(sum(r["seconds"] for r in records), 3),
        "seed": seed,
        "spec": spec.model_dump(mode="json"),
        "losses": losses,
        "rounds": [{k: r[k] for k in ("round", "tried", "successes", "adversarial_rows")} for r in records],
    }
    write_text(out / RECORD, [json.dumps(record, indent=1)])


def load(out: Path) -> list[Checkpoint]:
    """The checkpoints of a finished run."""
    record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    return [
        load_checkpoint(out / c["path"]).model_copy(update={"epoch": c["epoch"], "step": c["step"]}) for c in record["checkpoints"]
    ]
