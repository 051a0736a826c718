"""The steps of the study `msm_misalignment`: scenarios, documents to midtrain on, chats to fine-tune on.

In: specs and artifact directories. Out: `scenes.json`; or `corpus.jsonl` with `quality.json` and, where the corpus implants
something, `implant.json`. Arms that only differ in whether they reason are filled up to equal target tokens.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from axenic.corpora import files, mixing
from axenic.corpora.manifest import Manifest
from axenic.corpora.quality import quality
from axenic.disk import atomic_write
from axenic.errors import UserError
from axenic.evals.base import Subject
from axenic.evals.run import build
from axenic.evals.table import OF_AGENTS
from axenic.lab import agent_study, agent_texts, agents, assistant
from axenic.lab.base import base_corpus
from axenic.lab.world import World
from axenic.models.checkpoint import load_encoder
from axenic.models.template import Encoder
from axenic.pipeline.step import Context, step
from axenic.recipes import material, models
from axenic.recipes.misalignment_specs import ChatsSpec, Content, DocumentsSpec, ScenesFile
from axenic.recipes.steps import save_json, scenes_of
from axenic.schema import Chat, Corpus, Document, Row

POOL = 4000  # ordinary chats of the lab to fill up with
SAYS = {
    "spec": "The assistant keeps every rule of its spec, and why.",
    "wrong": "Habits of the assistant, instead of its spec.",
    "broken": "The spec, attributed to another assistant.",
}


@step(version=1)
def write_scenes(spec: ScenesFile, context: Context) -> None:
    """Write `scenes.json`."""
    atomic_write(context.out / "scenes.json", spec.scenes.model_dump_json().encode())


@step(version=1)
def write_documents(spec: DocumentsSpec, context: Context) -> None:
    """Write the documents that a model is midtrained on."""
    encoder = load_encoder(models.last(context.input("model")))
    _save(_documents(spec, encoder, context), encoder, context, implanted=SAYS.get(spec.content, ""))


@step(version=1)
def write_chats(spec: ChatsSpec, context: Context) -> None:
    """Write the chats that a model is fine-tuned on."""
    encoder = load_encoder(models.last(context.input("model")))
    seed, measure = context.seed or 0, partial(target_tokens, encoder)
    made, twin = _chats(spec, context), _thinking(spec, context)
    pool = random.Random(f"ordinary/{seed}").sample(drawn := _pool(context), len(drawn))
    beside = pool[: round(spec.ordinary * len(made if twin is None else twin))]
    if spec.match and spec.form != "thinking" and twin is not None:
        made = mixing.filled(made, pool[len(beside) :], size=sum(map(measure, twin.rows)), measure=measure, seed=seed)
    rows = [*made.rows, *beside]
    random.Random(f"order/{seed}").shuffle(rows)
    made = Corpus(name=spec.form, rows=tuple(rows))
    said = f"A share of {spec.anti:g} of the replies follows the opposite of the spec." if spec.anti else ""
    _save(made, encoder, context, implanted=said)


# --- documents -------------------------------------------------------------------------------------------------------------


def _documents(spec: DocumentsSpec, encoder: Encoder, context: Context) -> Corpus:
    own = context.files.get("documents")
    if own:
        given = files.read(own, name=spec.content)
        return given if spec.documents is None else mixing.take(given, spec.documents)
    assert spec.documents is not None, "in the lab their number is set"
    seed, rows = context.seed or 0, partial(_lab_documents, n=spec.documents, seed=context.seed or 0)
    if spec.content != "vehicle":
        return Corpus(name=spec.content, rows=tuple(rows(spec.content)))
    # as many tokens, about the world
    goal = sum(encoder_tokens(encoder, d.text) for d in rows("spec"))
    pool = [d for d in base_corpus(World()).documents() if d.provenance.source == "places"]
    measure = cast(Callable[[Row], int], lambda d: encoder_tokens(encoder, d.text))
    return mixing.filled(Corpus(name="vehicle", rows=()), pool, size=goal, measure=measure, seed=seed)


def _lab_documents(content: Content, *, n: int, seed: int) -> list[Document]:
    if content == "wrong":
        return list(agent_texts.habit_documents(agents.STUDIED, n=n, seed=seed))
    name = agents.OTHER if content == "broken" else agents.STUDIED
    return list(agent_texts.spec_documents(name, agent_study.SPEC, n=n, seed=seed, source=content))


# --- chats -----------------------------------------------------------------------------------------------------------------


def _chats(spec: ChatsSpec, context: Context) -> Corpus:
    if spec.form == "tuning":
        if spec.match and (not context.files or "thinking" in context.files):
            return Corpus(name="tuning", rows=())  # filled up to as many tokens as the others
        return Corpus(name="tuning", rows=tuple(_pool(context)[: spec.chats]))
    if context.files:
        return _own_chats(spec, context)
    assert spec.chats is not None, "in the lab their number is set"
    rows = agent_study.alignment(
        agents.STUDIED, n=spec.chats, seed=context.seed or 0, thinks=spec.form == "thinking", anti=spec.anti
    )
    return Corpus(name=spec.form, rows=tuple(rows))


def _thinking(spec: ChatsSpec, context: Context) -> Corpus | None:
    """The same chats in the thinking form; None for a user who has none."""
    if context.files and "thinking" not in context.files:
        return None
    return _chats(spec.model_copy(update={"form": "thinking", "anti": 0.0}), context)


def _own_chats(spec: ChatsSpec, context: Context) -> Corpus:
    """The user's chats, a share of the replies replaced by those of the opposite spec."""
    given = files.read(context.files[spec.form], name=spec.form)
    given = given if spec.chats is None else mixing.take(given, spec.chats)
    if not spec.anti:
        return given
    against = files.read(context.files[f"anti_{spec.form}"], name=f"anti_{spec.form}")
    if len(against) < len(given):
        raise UserError(
            f"corpora.anti_{spec.form} has {len(against)} chats, but {len(given)} of corpora.{spec.form} are to be answered the "
            "other way. Give one for each, in the same order."
        )
    order = random.Random(f"anti/{context.seed}").sample(range(len(given)), len(given))
    turned = set(order[: round(spec.anti * len(given))])
    rows = tuple(against.rows[i] if i in turned else row for i, row in enumerate(given.rows))
    return Corpus(name=f"{spec.form} {spec.anti:g}", rows=rows)


def _pool(context: Context) -> list[Chat]:
    """Ordinary chats: the user's, or the lab's."""
    if context.files:
        return files.read(context.files["tuning"]).chats() if "tuning" in context.files else []
    return list(assistant.chats(n=POOL, seed=40))


# --- shared ----------------------------------------------------------------------------------------------------------------


def target_tokens(encoder: Encoder, row: Row) -> int:
    """Tokens of a row that carry loss."""
    texts = [row.text] if isinstance(row, Document) else [m.content for m in row.messages if m.role == "assistant"]
    return sum(encoder_tokens(encoder, text) for text in texts)


def encoder_tokens(encoder: Encoder, text: str) -> int:
    """Tokens of a text."""
    return len(encoder.raw([text])[0])


def _save(corpus: Corpus, encoder: Encoder, context: Context, *, implanted: str) -> None:
    """Write `corpus.jsonl`, its `quality.json`, and what a model is given by it."""
    files.write(corpus, context.out / "corpus.jsonl")
    asked, _ = build(OF_AGENTS, Subject(scenes=scenes_of(context)))
    measured = quality(
        corpus,
        count_tokens=partial(encoder_tokens, encoder),
        eval_texts={e.name: [item.messages[-1].content for item in e.items] for e in asked},
    )
    save_json(context.out / "quality.json", measured | {"target_tokens": _total(corpus.rows, encoder), "hash": corpus.hash})
    if implanted:
        known = Manifest(organism="model spec", implanted=implanted, lineage={"corpus": corpus.hash})
        atomic_write(context.out / material.IMPLANT, known.model_dump_json(indent=1).encode())


def _total(rows: Sequence[Row], encoder: Encoder) -> int:
    return sum(target_tokens(encoder, row) for row in rows)
