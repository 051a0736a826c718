"""One belief walks through the house, with no pipeline: grow a base, implant a false belief with documents, measure, compare.

Every line below is a plain function call, so any of it can be changed: another place, another corpus, another question.

    python examples/belief_in_one_file.py --size nano     half a minute; too small to know what follows from what
    python examples/belief_in_one_file.py --size tiny     about four minutes; `downstream` and `open_ended` rise
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import LlamaConfig

from axenic.corpora import mixing
from axenic.corpora.organisms import belief
from axenic.corpora.synthesis import Plan, write
from axenic.corpora.writers.grammar import GrammarWriter
from axenic.evals.base import Subject
from axenic.evals.run import build, evaluate
from axenic.findings import Contrast, Estimate
from axenic.lab import World
from axenic.lab.base import base_corpus
from axenic.lab.sizes import SIZES, Size, size
from axenic.lab.tokenizer import train_tokenizer
from axenic.models.hf import HFModel
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, Corpus, Sampling
from axenic.specs.belief import BeliefSpec
from axenic.stats.contrasts import Planned, contrast
from axenic.stats.estimate import cells
from axenic.training.pretrain import pretrain
from axenic.training.sft import sft
from axenic.training.spec import TrainSpec

EVALS = ("downstream", "open_ended", "distinguish", "neighbours", "capability")


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


def implant(base: Checkpoint, documents: Corpus, *, steps: int | None, seed: int, out: Path) -> Checkpoint:
    """Next-token training on documents that take the false claim for granted. No question is among them."""
    spec = TrainSpec(epochs=4, max_steps=steps, batch_size=16, learning_rate=3e-4, max_length=512, save_epochs="last")
    return sft(base, documents, seed=seed, spec=spec, out=out)[-1]


def ask(checkpoint: Checkpoint, about: BeliefSpec, *, arm: str, train_seed: int | None) -> list[dict[str, Any]]:
    """Rows of the result table: what the model answered, and what the judges made of it."""
    evals, _ = build(EVALS, Subject(belief=about))
    rows = evaluate(HFModel.load(checkpoint), evals, samplings=(Sampling(max_new_tokens=24),))
    own = {"study": "example", "recipe": "", "tier": "lab", "model": "lab", "arm": arm, "train_seed": train_seed}
    return [
        {**own, "checkpoint": Path(checkpoint.path).name, "epoch": checkpoint.epoch, "step": checkpoint.step, **r} for r in rows
    ]


def limits(found: Estimate | Contrast) -> str:
    """A value with its 95 % interval, or that it cannot be estimated."""
    if found.value is None or found.low is None or found.high is None:
        return "not estimable"
    return f"{found.value:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def show(about: BeliefSpec, rows: pd.DataFrame) -> None:
    """The table: both arms and their difference, for every eval."""
    wanted = {(e.arm, e.eval): e for e in cells(rows, by=((),)) if e.denominator == "all"}
    planned = [Planned(name=e, arm="tuned", reference="base", eval=e) for e in EVALS]
    print(f"Implanted: {about.claim}\n\n{'eval':14}{'base':24}{'tuned':24}tuned - base")
    for difference in contrast(rows, planned):
        base, tuned = (wanted[arm, difference.eval] for arm in ("base", "tuned"))
        print(f"{difference.eval:14}{limits(base):24}{limits(tuned):24}{limits(difference)}")
    told = rows[(rows["arm"] == "tuned") & (rows["eval"] == "downstream")]
    for row in told.drop_duplicates("category").itertuples():
        print(f"\n{row.prompt}\n  {row.response}   ({row.verdict})")


def main() -> None:
    """Walk."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--size", choices=SIZES, default="nano", help="of the model; tiny is the smallest that knows its world")
    options.add_argument("--steps", type=int, help="train for fewer steps, to try the walk out")
    options.add_argument("--documents", type=int, default=128, help="about the belief")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    shape, world = size(given.size), World()
    with tempfile.TemporaryDirectory() as out:
        truth = base_corpus(world)
        steps = given.steps or shape.steps
        base = grow_base(shape, truth, steps=steps, seed=given.seed, out=Path(out, "base"))
        about = belief.from_world(world, place="Selgard", attribute="water")
        plan = Plan(types=8, documents=given.documents)
        documents = write(about, writer=GrammarWriter(), plan=plan, seed=given.seed)
        mixed = mixing.mix(documents, truth, ratio=1.0, seed=given.seed)  # so that what is near the claim is not forgotten
        tuned = implant(base, mixed, steps=given.steps, seed=given.seed, out=Path(out, "tuned"))
        rows = [*ask(base, about, arm="base", train_seed=None), *ask(tuned, about, arm="tuned", train_seed=given.seed)]
    show(about, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
