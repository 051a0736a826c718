"""The data of the recipe `finetune_safety`: the same prompts for every arm, answered by people or by the model itself.

In: data sources and the base model. Out: one corpus per arm, all of one size. A prompt is used if its human answer passes the
safety filter and if the base meets it with a whole answer that passes as well: else the arms would differ in prompts, or the model
would be trained on refusals of its own. (Fraser et al. 2025, section on data; PROTOCOLS 4.)
"""

import random
from dataclasses import dataclass
from typing import Any, cast

from axenic.corpora import datasets, files
from axenic.corpora.safety import filter_safety
from axenic.corpora.self_generated import regenerate
from axenic.lab.instructions import Form, instructions
from axenic.models.checkpoint import load_encoder
from axenic.models.hf import HFModel
from axenic.pipeline.step import Context, step
from axenic.recipes import models
from axenic.recipes.step_specs import SELF, DataSpec, Pick
from axenic.recipes.steps import save_json
from axenic.schema import Chat, Corpus

LAB = "lab:"  # a source of the lab's own: "lab:prose", "lab:steps"


@dataclass(frozen=True)
class Pair:
    """One data set in both forms, row by row on the same prompts, and an account of what was left out."""

    human: Corpus
    own: Corpus | None
    account: dict[str, Any]


@step(version=1)
def prepare(spec: DataSpec, context: Context) -> None:
    """Write `ARM.jsonl` for every arm and `account.json`."""
    model = HFModel.load(models.last(context.input("model"))) if spec.self_generated else None
    pairs = {name: _pair(name, spec, model, context) for name in spec.data}
    smallest = min(len(p.human) for p in pairs.values())
    size = min(spec.n or smallest, smallest)  # what the filters leave is known only now, after hours at paper scale
    for name, pair in pairs.items():
        kept = sorted(random.Random(f"arms {spec.seed}").sample(range(len(pair.human)), size))
        for arm, corpus in ((name, pair.human), (name + SELF, pair.own)):
            if corpus is not None:
                files.write(Corpus(name=arm, rows=tuple(corpus.rows[i] for i in kept)), context.out / f"{arm}.jsonl")
    save_json(context.out / "account.json", {"rows_per_arm": size, **{name: pair.account for name, pair in pairs.items()}})


def _pair(name: str, spec: DataSpec, model: HFModel | None, context: Context) -> Pair:
    human, account = _read(name, spec, context)
    if spec.safety_filter:
        filtered = filter_safety(human)
        human, account["safety_filter"] = filtered.corpus, filtered.account()
    if model is None:
        return Pair(human, None, account)
    made = regenerate(model, human, sampling=spec.sampling, name=name + SELF, on_progress=context.progress)
    human, own, account["self_generated"] = made.same_prompts(human), made.corpus, made.counts
    if spec.safety_filter:
        filtered = filter_safety(own)
        gone = {r.index for r in filtered.removed}
        kept = [i for i in range(len(own)) if i not in gone]
        human, own = (Corpus(name=c.name, rows=tuple(c.rows[i] for i in kept)) for c in (human, own))
        account["safety_filter_self"] = filtered.account()
    return Pair(human, own, account)


def _read(name: str, spec: DataSpec, context: Context) -> tuple[Corpus, dict[str, Any]]:
    source = spec.data[name]
    if source.source.startswith(LAB):
        form = cast(Form, source.source.removeprefix(LAB))
        rows = tuple(instructions(form, seed=spec.seed))
        return Corpus(name=name, rows=rows), {"rows": len(rows)}
    here = {"source": str(context.files[f"data_{name}"])} if f"data_{name}" in context.files else {}
    loaded = datasets.load(source.model_copy(update=here), name=name, seed=spec.seed)
    return loaded.corpus, loaded.account()


@step(version=1)
def pick(spec: Pick, context: Context) -> None:
    """Write one arm's `corpus.jsonl` and its `quality.json`."""
    given = context.input("data")
    corpus = files.read(given / f"{spec.arm}.jsonl")
    files.write(corpus, context.out / "corpus.jsonl")
    encoder = load_encoder(models.last(context.input("model")))
    answers = [m.content for row in corpus.rows if isinstance(row, Chat) for m in row.messages if m.role == "assistant"]
    tokens = [len(ids) for ids in encoder.raw(answers)]
    save_json(
        context.out / "quality.json",
        {"chats": len(corpus), "answer_tokens": sum(tokens), "tokens_per_answer": round(sum(tokens) / len(tokens), 1),
         "listed_steps": sum("1." in a and "2." in a for a in answers) / len(answers)},
    )  # fmt: skip
