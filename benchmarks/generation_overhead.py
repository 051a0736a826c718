"""Generation against the bare limit: `HFModel.generate` and one padded `model.generate` call on the same 440 short prompts.

Prints `ratio = axenic time / bare time` (1.3 is the promise), greedy and sampled. Run: python benchmarks/generation_overhead.py
"""

import json
import time
from collections.abc import Callable

import torch
from bench_model import encoder, model, texts

from axenic.models.hf import HFModel
from axenic.schema import Sampling, user

PROMPTS, NEW_TOKENS, ROUNDS = 440, 24, 3


def seconds(run: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    enc = encoder()
    ours = HFModel(model(), enc)
    asked = [[user(t)] for t in texts(PROMPTS, 6, 24)]
    ids = [f"item-{i}" for i in range(PROMPTS)]
    rows = [enc.prompt(messages) for messages in asked]

    def bare(**options: object) -> None:
        width = max(len(r) for r in rows)
        padded = torch.tensor([[enc.pad_id] * (width - len(r)) + r for r in rows])
        mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows])
        with torch.inference_mode():
            ours.model.generate(input_ids=padded, attention_mask=mask, max_new_tokens=NEW_TOKENS, **options)

    def asked_of_ours(**options: float) -> None:
        ours.generate(asked, sampling=Sampling(max_new_tokens=NEW_TOKENS, **options), ids=ids)

    bare(do_sample=False), asked_of_ours()  # warm up
    greedy = seconds(lambda: bare(do_sample=False))
    found = {
        "greedy": seconds(asked_of_ours) / greedy,
        "sampled": seconds(lambda: asked_of_ours(temperature=0.7)) / greedy,
        "sampled_min_p": seconds(lambda: asked_of_ours(temperature=0.7, min_p=0.1)) / greedy,
        "bare_sampled": seconds(lambda: bare(do_sample=True, temperature=0.7)) / greedy,
    }
    print(
        json.dumps(
            {
                **{f"ratio_{name}": round(value, 3) for name, value in found.items()},
                "bare_greedy_seconds": round(greedy, 3),
                "ms_per_prompt": round(1000 * greedy * found["greedy"] / PROMPTS, 2),
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
