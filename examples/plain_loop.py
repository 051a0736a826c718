"""Fine-tuning as a plain PyTorch loop, beside the trainer's: the same tokens, the same losses, step by step.

    python examples/plain_loop.py                                       on a small random model and the lab's documents
    python examples/plain_loop.py --model DIRECTORY --corpus FILE.jsonl

Expect two columns of losses that agree to about 1e-6 on a CPU. What a trainer decides silently is all visible here: the order of
the rows, what the loss is averaged over, what is decayed, when the learning rate changes, what clipping does.
"""

import argparse
import json
import math
import tempfile
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from axenic.corpora import files
from axenic.lab import World
from axenic.lab.base import base_corpus
from axenic.lab.places import documents
from axenic.lab.sizes import size
from axenic.lab.tokenizer import train_tokenizer
from axenic.models import checkpoint as checkpoints
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, Corpus
from axenic.training.data import IGNORED, TokenRow, tokenise
from axenic.training.sft import sft
from axenic.training.spec import TrainSpec


def batches(rows: list[TokenRow], *, seed: int, batch_size: int) -> Iterator[list[TokenRow]]:
    """Epoch after epoch; the order of an epoch follows from (seed, epoch), and its last batch may be smaller."""
    for epoch in count():
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch)).tolist()
        yield from ([rows[i] for i in order[k : k + batch_size]] for k in range(0, len(order), batch_size))


def padded(rows: list[TokenRow], pad_id: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, attention mask and labels, filled up on the right to the longest row."""
    longest = max(len(r.input_ids) for r in rows)
    gaps = [longest - len(r.input_ids) for r in rows]
    ids = torch.tensor([r.input_ids + [pad_id] * gap for r, gap in zip(rows, gaps, strict=True)])
    seen = torch.tensor([[1] * len(r.input_ids) + [0] * gap for r, gap in zip(rows, gaps, strict=True)])
    labels = torch.tensor([r.labels + [IGNORED] * gap for r, gap in zip(rows, gaps, strict=True)])
    return ids, seen, labels


def learning_rate(step: int, *, total: int, spec: TrainSpec) -> float:
    """Linear warm-up from 0, then the schedule down to 0; steps count from 0."""
    warm_up = round(spec.warmup_fraction * total)
    if step < warm_up:
        return spec.learning_rate * step / warm_up
    progress = (step - warm_up) / max(1, total - warm_up)
    left = {"constant": 1.0, "linear": 1.0 - progress, "cosine": 0.5 * (1.0 + math.cos(math.pi * progress))}
    return spec.learning_rate * left[spec.schedule]


def train(model: Any, rows: list[TokenRow], *, pad_id: int, seed: int, spec: TrainSpec) -> list[float]:
    """Train in place; the loss of every step, measured before the step."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]  # biases and norms are not decayed
    groups = [{"params": matrices, "weight_decay": spec.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=spec.learning_rate)
    total, losses = spec.total_steps(len(rows)), []
    model.train()
    for step, batch in enumerate(islice(batches(rows, seed=seed, batch_size=spec.batch_size), total)):
        # the mean is over the tokens of the whole batch, however it is cut: not a mean of the parts' means
        n_targets = sum(label != IGNORED for row in batch for label in row.labels[1:])
        at_once, loss = spec.micro_batch_size or spec.batch_size, 0.0
        for part in (batch[k : k + at_once] for k in range(0, len(batch), at_once)):
            ids, seen, labels = padded(part, pad_id)
            logits = model(input_ids=ids, attention_mask=seen, use_cache=False).logits[:, :-1].flatten(0, 1)
            total_loss = cross_entropy(logits.float(), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum")
            (total_loss / n_targets).backward()
            loss += total_loss.item() / n_targets
        if spec.grad_clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), spec.grad_clip)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, total=total, spec=spec)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss)
    return losses


def fine_tune(base: Checkpoint, corpus: Corpus, *, seed: int, spec: TrainSpec) -> tuple[Any, list[float]]:
    """The plain counterpart of `training.sft`: full weights, rows in random order."""
    assert spec.lora is None and not spec.group_by_length, "the plain loop has neither"
    encoder = checkpoints.load_encoder(base)
    data = tokenise(corpus, encoder, max_length=spec.max_length)
    model = checkpoints.load_model(base, device="cpu", dtype="float32")
    return model, train(model, data.rows, pad_id=encoder.pad_id, seed=seed, spec=spec)


def small_random_model(directory: Path) -> Checkpoint:
    """An untrained lab model, as an ordinary Hugging Face directory."""
    shape = size("nano")
    encoder = Encoder(train_tokenizer(base_corpus(World()), vocabulary=shape.vocabulary))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=shape.width,
        intermediate_size=2 * shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        tie_word_embeddings=True,
    )
    directory.mkdir()
    checkpoints.save(LlamaForCausalLM(config), encoder, directory)
    return checkpoints.load_checkpoint(directory)


def main() -> None:
    """Run both and print their losses side by side."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--model", help="directory or hub id; default: a small random model")
    options.add_argument("--corpus", help="JSONL of documents and chats; default: 96 of the lab's documents")
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    spec = TrainSpec(max_steps=given.steps, batch_size=8, learning_rate=1e-3, weight_decay=0.05, save_epochs="last")
    corpus = (
        files.read(given.corpus) if given.corpus else Corpus(name="lab", rows=tuple(documents(World(), per_place=2, seed=0))[:96])
    )
    with tempfile.TemporaryDirectory() as out:
        base = checkpoints.load_checkpoint(given.model) if given.model else small_random_model(Path(out, "base"))
        _, plain = fine_tune(base, corpus, seed=given.seed, spec=spec)
        sft(base, corpus, seed=given.seed, spec=spec, out=Path(out, "tuned"))
        record = json.loads(Path(out, "tuned", "training.json").read_text(encoding="utf-8"))
    print("step  plain loop  training.sft")
    for step, (one, entry) in enumerate(zip(plain, record["losses"], strict=True), 1):
        print(f"{step:4}  {one:10.6f}  {entry['loss']:12.6f}")
    print(f"largest difference: {max(abs(a - e['loss']) for a, e in zip(plain, record['losses'], strict=True)):.1e}")


if __name__ == "__main__":
    main()
