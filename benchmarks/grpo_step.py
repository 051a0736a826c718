"""GRPO step time against bare TRL: axenic's `rl` and a plain GRPOTrainer with the same model, prompts, reward and settings.

Prints `ratio = bare time / axenic time` per step (1 = no overhead). Saving and asking held-out prompts are outside both times.
Run: python benchmarks/grpo_step.py [STEPS]
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from bench_model import encoder, model, texts
from datasets import Dataset
from transformers import AutoModelForCausalLM, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from axenic.models import checkpoint as checkpoints
from axenic.models.quiet import quiet
from axenic.schema import Message, user
from axenic.training.rewards import FunctionReward
from axenic.training.rl import Prompts, rl
from axenic.training.spec import RLSpec

PROMPTS, GENERATIONS, NEW_TOKENS, ROUNDS = 16, 4, 24, 3
BETA, RATE = 0.04, 1e-5  # a rate at which the answers, and so their lengths, stay as they are


def score(prompts: list[list[Message]], replies: list[str]) -> list[float]:
    return [reply.count("1") / max(1, len(reply)) for reply in replies]


class Marks(TrainerCallback):
    """When each step ended."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_step_end(self, *args: object, **kwargs: object) -> None:
        """Note the time."""
        self.seen.append(time.perf_counter())


def bare(base: Path, asked: list[str], steps: int, out: str) -> list[float]:
    net, enc, marks = AutoModelForCausalLM.from_pretrained(base), encoder(), Marks()
    gpu = torch.cuda.is_available()
    config = GRPOConfig(
        output_dir=out,
        max_steps=steps,
        per_device_train_batch_size=PROMPTS * GENERATIONS,
        num_generations=GENERATIONS,
        max_completion_length=NEW_TOKENS,
        beta=BETA,
        learning_rate=RATE,
        weight_decay=0.01,
        optim="adamw_torch_fused",
        gradient_checkpointing=False,
        bf16=gpu,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    rows = Dataset.from_dict({"prompt": [[{"role": "user", "content": text}] for text in asked]})

    def reward(completions: list[list[dict[str, str]]], **_: object) -> list[float]:
        return score([], [c[0]["content"] for c in completions])

    trainer = GRPOTrainer(net, reward, config, train_dataset=rows, processing_class=enc.tokenizer, callbacks=[marks])
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return marks.seen


def ours(base: Path, asked: list[str], steps: int, out: str) -> list[float]:
    marks: list[float] = []
    rl(
        checkpoints.load_checkpoint(base),
        Prompts([(user(text),) for text in asked]),
        reward=FunctionReward(score, name="ones", identity="ones"),
        seed=0,
        spec=RLSpec(
            steps=steps,
            prompts_per_step=PROMPTS,
            generations=GENERATIONS,
            max_new_tokens=NEW_TOKENS,
            beta=BETA,
            learning_rate=RATE,
        ),
        out=Path(out) / "rl",
        on_progress=lambda done, total, note: marks.append(time.perf_counter()),
    )
    return marks


def per_step(marks: list[float]) -> float:
    """Seconds between two steps; the first step, and the last, after which axenic saves, are left out."""
    return (marks[-2] - marks[0]) / (len(marks) - 2)


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    asked = texts(PROMPTS * 4, 8, 16)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        with quiet():
            checkpoints.save(model(), encoder(), base)
        kinds = {"bare": bare, "axenic": ours}
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for round_ in range(ROUNDS + 1):  # the first warms up
            for name, run in kinds.items():
                out = Path(folder) / f"{name}-{round_}"
                out.mkdir()
                with quiet():
                    seconds = per_step(run(base, asked, steps if round_ else 4, str(out)))
                if round_:
                    times[name].append(seconds)
    best = {name: min(found) for name, found in times.items()}
    shape = {"prompts": PROMPTS, "generations": GENERATIONS, "new_tokens": NEW_TOKENS, "steps": steps}
    print(
        json.dumps(
            {
                "ratio": round(best["bare"] / best["axenic"], 3),
                "bare_seconds_per_step": round(best["bare"], 4),
                "axenic_seconds_per_step": round(best["axenic"], 4),
                **shape,
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
