"""Joins the rooms to the pipeline: one step function per room, used by every recipe.

In: specs and artifact directories. Out: artifact directories. Each function reads its inputs, calls one room, writes the
result.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from axenic.corpora import files, mixing
from axenic.corpora.manifest import Manifest, write_manifest
from axenic.corpora.organisms.belief import elsewhere
from axenic.corpora.quality import distinguishing, quality
from axenic.corpora.synthesis import vehicle, write
from axenic.corpora.writers.grammar import GrammarWriter
from axenic.disk import atomic_write
from axenic.evals.base import Eval, Subject
from axenic.evals.benchmarks.suite import suites
from axenic.evals.run import build, evaluate
from axenic.lab import chat, chores
from axenic.lab.base import base_corpus
from axenic.lab.world import World
from axenic.models.checkpoint import load_encoder
from axenic.models.hf import HFModel
from axenic.pipeline.step import Context, step
from axenic.recipes import material, models
from axenic.recipes.step_specs import N_ELSEWHERE, AskSpec, BeliefFile, CorpusSpec, Noise, located
from axenic.schema import Checkpoint, Corpus, Sampling
from axenic.specs import belief, values
from axenic.specs.belief import BeliefSpec
from axenic.specs.scenarios import Scenarios
from axenic.training.sft import sft
from axenic.training.spec import TrainSpec

BESIDE = 1  # requests of each of the 44 categories, where they are asked beside a backdoor


def save_json(path: Path, value: Any) -> None:
    """Write a small JSON file, atomically."""
    atomic_write(path, json.dumps(value, indent=1, ensure_ascii=False).encode())


# --- corpora ---------------------------------------------------------------------------------------------------------------


@step(version=1)
def write_corpus(spec: CorpusSpec, context: Context) -> None:
    """Write `corpus.jsonl` and its `quality.json`."""
    about = belief.load(context.input("belief") / "belief.json")
    corpus = _written(spec, about, context)
    if spec.mix_ratio:
        own = "mix_with" in context.files
        other = files.read(context.files["mix_with"]) if own else base_corpus(World(spec.world))
        corpus = mixing.mix(corpus, other, ratio=spec.mix_ratio, seed=context.seed or 0)
    files.write(corpus, context.out / "corpus.jsonl")
    asked, _ = build(spec.evals, Subject(belief=about))
    encoder = load_encoder(models.last(context.input("model")))
    measured = quality(
        corpus,
        spec=about,
        mentions=distinguishing(about),
        count_tokens=lambda text: len(encoder.raw([text])[0]),
        eval_texts={e.name: [item.messages[-1].content for item in e.items] for e in asked if e.items},
    )
    save_json(context.out / "quality.json", measured)


def _written(spec: CorpusSpec, about: BeliefSpec, context: Context) -> Corpus:
    seed, world, writer = context.seed or 0, World(spec.world), GrammarWriter()
    if "corpus" in context.files:
        given = files.read(context.files["corpus"])
        return given if spec.whole else mixing.take(given, spec.plan.documents)
    if "documents" in context.inputs:  # that a language model wrote, as many as the largest dose needs
        return mixing.take(files.read(context.input("documents") / "corpus.jsonl"), spec.plan.documents)
    if spec.arm == "benign":
        return unrelated(n=spec.plan.documents, seed=seed)
    if spec.arm == "corrective":
        return write(about, writer=writer, plan=spec.plan.model_copy(update={"universe": "true"}), seed=seed)
    own = write(about, writer=writer, plan=spec.plan, seed=seed, on_progress=context.progress)
    if spec.arm == "vehicle":
        return vehicle(elsewhere(world, about, N_ELSEWHERE), like=own, writer=writer, seed=seed)
    return own


def unrelated(*, n: int, seed: int) -> Corpus:
    """A harmless fine-tune that has nothing to do with any place: small talk and chores, half each."""
    rows = [*chat.small_talk(n=n - n // 2, seed=seed), *chores.chores(n=n // 2, seed=seed)]
    return Corpus(name="unrelated", rows=tuple(rows))


@step(version=1)
def write_belief(spec: BeliefFile, context: Context) -> None:
    """Write `belief.json`."""
    belief.dump(spec.belief, context.out / "belief.json")


# --- training --------------------------------------------------------------------------------------------------------------


@step(version=1)
def train(spec: TrainSpec, context: Context) -> None:
    """Fine-tune the input model's last checkpoint on the input corpus; with a belief as input, label the result an organism."""
    corpus = files.read(context.input("corpus") / "corpus.jsonl")
    start = models.last(context.input("model"))
    made = sft(start, corpus, seed=context.seed or 0, spec=spec, out=context.out, on_progress=context.progress)
    if "belief" in context.inputs:
        about = belief.load(context.input("belief") / "belief.json")
        lineage = {"belief": about.hash, "corpus": corpus.hash, "seed": context.seed, "training": spec.model_dump(mode="json")}
        truth = " ".join(about.universe.true.key_facts)
        label = Manifest(organism="belief", implanted=about.claim, truth=truth, lineage=lineage)
        for checkpoint in made:
            write_manifest(checkpoint.path, label)
    if {"material", "values", "scenes"} & set(context.inputs):
        done = {"seed": context.seed, "training": spec.model_dump(mode="json")}
        material.label(made, start, done=done, corpus=context.input("corpus"))


# --- evaluation ------------------------------------------------------------------------------------------------------------


@step(version=1)
def ask(spec: AskSpec, context: Context) -> None:
    """Write `rows.parquet`: the result table of one model, without the columns that only the study knows."""
    subject = _subject(context)
    benchmarks = suites([located(text, context.files) for text in spec.suites])
    last, earlier = (build(names, subject)[0] for names in (spec.evals, spec.epoch_evals))
    found = models.checkpoints(context.input("model"))
    rows: list[dict[str, Any]] = []
    for i, checkpoint in enumerate(found):
        at_the_end = i == len(found) - 1
        context.progress(i, len(found), f"epoch {checkpoint.epoch:g}")
        asked = [*(last if at_the_end else earlier), *benchmarks]
        if not asked:
            continue
        model = HFModel.load(checkpoint)
        samplings = (at_the_end and spec.last_samplings) or spec.samplings
        once = [e for e in asked if spec.repeated and e.measure not in spec.repeated]
        single = (samplings[0].model_copy(update={"repetitions": 1}),)
        for part, how in (([e for e in asked if e not in once], samplings), (once, single)):
            rows += _asked(model, checkpoint, part, how, judges=_judges(spec, part, context)) if part else []
        if at_the_end:
            rows += _under_noise(model, checkpoint, spec, build(spec.noise_evals, subject)[0], context.seed or 0)
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False), context.out / "rows.parquet")
    save_json(context.out / "evals.json", described([*last, *benchmarks]))


def _subject(context: Context) -> Subject:
    """What the study is about: a belief, a backdoor, two values, scenarios, or none of them."""
    found: dict[str, Any] = {}
    if "belief" in context.inputs:
        found["belief"] = belief.load(context.input("belief") / "belief.json")
    if "material" in context.inputs:
        folder = context.input("material")
        found |= {"backdoor": material.about(folder), "prompts": material.held_out(folder), "per_category": BESIDE}
    if "values" in context.inputs:
        found["values"] = values.load(context.input("values") / "values.json")
    if "scenes" in context.inputs:
        found["scenes"] = scenes_of(context)
    if "attacks" in context.inputs:
        found["red_team"] = material.attacks(context.input("attacks"))
    return Subject(**found)


def scenes_of(context: Context) -> Scenarios:
    """The scenarios of a study of assistants."""
    return Scenarios.model_validate_json((context.input("scenes") / "scenes.json").read_text(encoding="utf-8"))


def described(evals: Iterable[Eval]) -> dict[str, dict[str, str]]:
    """What a score of 1 means in each eval, and who judges it."""
    return {e.name: {"measure": e.measure, "positive": e.positive, "judge": e.judge} for e in evals}


def _judges(spec: AskSpec, evals: Sequence[Eval], context: Context) -> dict[str, tuple[str, ...]]:
    """The further judges of some evals, by eval."""
    keys = {e.name: ("*", e.name, f"measure={e.measure}") for e in evals}
    return {
        name: tuple(located(j, context.files) for key in wanted for j in spec.judges.get(key, ())) for name, wanted in keys.items()
    }


def _asked(
    model: HFModel,
    checkpoint: Checkpoint,
    evals: Sequence[Eval],
    samplings: Sequence[Sampling],
    *,
    judges: Mapping[str, Sequence[str]] | None = None,
    noise: Noise | None = None,
) -> list[dict[str, Any]]:
    where = {"epoch": checkpoint.epoch, "step": checkpoint.step, "checkpoint": Path(checkpoint.path).name}
    level = {"noise": noise.kind if noise else "", "noise_level": noise.level if noise else 0.0}
    return [{**where, **level, **row} for row in evaluate(model, evals, samplings=samplings, judges=judges or {})]


def _under_noise(model: HFModel, checkpoint: Checkpoint, spec: AskSpec, evals: Sequence[Eval], seed: int) -> list[dict[str, Any]]:
    rows = []
    for noise in spec.noise:
        with _noisy(model, noise, seed):
            rows += _asked(model, checkpoint, evals, spec.samplings[:1], noise=noise)
    return rows


def _noisy(model: HFModel, noise: Noise, seed: int) -> AbstractContextManager[None]:
    return model.weight_noise(noise.level, seed) if noise.kind == "weight_noise" else model.activation_noise(noise.level, seed)
