"""Training throughput against the bare limit: axenic's `fit` and a plain PyTorch loop on the same model and batches.

Prints `ratio = bare time / axenic time` (1 = no overhead; 0.9 is the promise). Run: python benchmarks/training_throughput.py
"""

import json
import tempfile
import time
from pathlib import Path

import torch
from bench_model import encoder, model, texts
from torch.nn.functional import cross_entropy

from axenic.schema import Corpus, Document, no_progress
from axenic.training.data import TokenRow, TokenRows, tokenise
from axenic.training.fit import fit
from axenic.training.harness import EpochOrder
from axenic.training.spec import TrainSpec

BATCH, STEPS, ROUNDS = 64, 20, 3
SPEC = TrainSpec(epochs=1, batch_size=BATCH, learning_rate=1e-3, save_epochs="last")


def bare(rows: list[TokenRow], pad: int) -> float:
    net = model().train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    order = list(EpochOrder([len(r.input_ids) for r in rows], seed=0, spec=SPEC))
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        batch = [rows[i] for i in order[start : start + BATCH]]
        width = max(len(r.input_ids) for r in batch)
        ids = torch.tensor([r.input_ids + [pad] * (width - len(r.input_ids)) for r in batch])
        labels = torch.tensor([r.labels + [-100] * (width - len(r.labels)) for r in batch])
        mask = torch.tensor([[1] * len(r.input_ids) + [0] * (width - len(r.input_ids)) for r in batch])
        logits = net(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
        loss = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - began


def ours(data: TokenRows, enc) -> tuple[float, float]:
    """Time between the first and the last step, scaled to all steps; and of the whole call, saving included."""
    marks = []
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        fit(
            model(),
            enc,
            data,
            seed=0,
            spec=SPEC,
            out=Path(out),
            on_progress=lambda done, total, note: (no_progress(done, total), marks.append(time.perf_counter())),
        )
    whole = time.perf_counter() - began
    return (marks[-2] - marks[0]) / (STEPS - 2) * STEPS, whole


def main() -> None:
    enc = encoder()
    corpus = Corpus(name="bench", rows=tuple(Document(text=t) for t in texts(BATCH * STEPS, 30, 50)))
    data = tokenise(corpus, enc, max_length=128)
    bare(data.rows[: BATCH * 2], enc.pad_id), ours(data, enc)  # warm up: imports, allocator, thread pools
    rounds = [(bare(data.rows, enc.pad_id), *ours(data, enc)) for _ in range(ROUNDS)]
    best_bare, best_ours, best_whole = (min(column) for column in zip(*rounds, strict=True))
    tokens = data.tokens
    print(
        json.dumps(
            {
                "ratio": round(best_bare / best_ours, 3),
                "ratio_with_startup_and_saving": round(best_bare / best_whole, 3),
                "bare_tokens_per_second": round(tokens / best_bare),
                "axenic_tokens_per_second": round(tokens / best_ours),
                "steps": STEPS,
                "batch": BATCH,
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
