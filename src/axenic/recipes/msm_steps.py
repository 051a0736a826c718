"""Joins the rooms to the pipeline for the studies of specs: the spec, documents to midtrain on, chats to align with.

In: specs and artifact directories. Out: artifact directories. Training is `steps.train`, twice: on documents, then on
chats, from the same weights or adapter. Every model that grew from a spec's documents leaves with its manifest.
"""

from axenic.corpora import ablation, files, mixing
from axenic.corpora.manifest import Manifest
from axenic.corpora.organisms import values as organism
from axenic.corpora.quality import quality
from axenic.disk import atomic_write
from axenic.evals.base import Subject
from axenic.evals.run import build
from axenic.evals.table import OF_VALUES
from axenic.lab.base import base_corpus
from axenic.lab.world import World
from axenic.models.checkpoint import load_encoder
from axenic.pipeline.step import Context, step
from axenic.recipes import material, models
from axenic.recipes.msm_specs import ChatCorpus, SpecCorpus, ValuesFile
from axenic.recipes.steps import save_json
from axenic.schema import Corpus
from axenic.specs import values
from axenic.specs.values import ValuesSpec

SPARE = 2  # times the documents, so that as many are left when a part is left out


@step(version=1)
def write_values(spec: ValuesFile, context: Context) -> None:
    """Write `values.json`."""
    values.dump(spec.values, context.out / "values.json")


@step(version=1)
def write_spec_corpus(spec: SpecCorpus, context: Context) -> None:
    """Write the documents that a model is midtrained on, what they are like, and what they implant."""
    about = values.load(context.input("values") / "values.json")
    _save(_mixed(_documents(spec, about, context), spec.mix_ratio, context), about, context)
    if spec.content != "vehicle":
        atomic_write(context.out / material.IMPLANT, _manifest(spec, about).model_dump_json().encode())


@step(version=1)
def write_chats(spec: ChatCorpus, context: Context) -> None:
    """Write the chats that a model is aligned with."""
    about = values.load(context.input("values") / "values.json")
    if "chats" in context.files:
        given = files.read(context.files["chats"], name="alignment")
        chats = given if spec.chats is None else mixing.take(given, spec.chats)
    else:
        assert spec.chats is not None, "in the lab their number is set"
        sides = {"a": about.a.name, "b": about.b.name}
        chats = organism.alignment(**sides, trained=spec.trained, n=spec.chats, seed=context.seed or 0)
    _save(_mixed(chats, spec.mix_ratio, context), about, context)


def _documents(spec: SpecCorpus, about: ValuesSpec, context: Context) -> Corpus:
    own = context.files.get("documents")
    wanted = spec.documents
    if own:
        found = files.read(own, name=spec.content)
    else:
        assert wanted is not None, "in the lab their number is set"
        drawn = wanted * SPARE if spec.part else wanted
        found = organism.midtraining(
            spec.content, a=about.a.name, b=about.b.name, wrong=spec.wrong, n=drawn, seed=context.seed or 0
        )
    if spec.part:
        found = ablation.without(found, spec.part, spec.left_out)
    return found if wanted is None else mixing.take(found, wanted)


def _mixed(corpus: Corpus, ratio: float, context: Context) -> Corpus:
    return mixing.mix(corpus, base_corpus(World()), ratio=ratio, seed=context.seed or 0) if ratio else corpus


def _save(corpus: Corpus, about: ValuesSpec, context: Context) -> None:
    """Write `corpus.jsonl` and its `quality.json`."""
    files.write(corpus, context.out / "corpus.jsonl")
    asked, _ = build(OF_VALUES, Subject(values=about))
    encoder = load_encoder(models.last(context.input("model")))
    measured = quality(
        corpus,
        count_tokens=lambda text: len(encoder.raw([text])[0]),
        eval_texts={e.name: [item.messages[-1].content for item in e.items] for e in asked},
    )
    save_json(context.out / "quality.json", measured)


def _manifest(spec: SpecCorpus, about: ValuesSpec) -> Manifest:
    """What a model is given by these documents."""
    given = {"a": about.a.spec, "b": about.b.spec}.get(spec.content)
    what = (
        given or {"wrong": "A value on another axis than the study's.", "broken": f"Of somebody else: {about.a.spec}"}[spec.content]
    )
    return Manifest(organism="values", implanted=what, lineage={"values": about.hash, "documents": spec.model_dump(mode="json")})
