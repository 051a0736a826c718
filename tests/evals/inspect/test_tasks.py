"""Promises of the tasks: Inspect gets the responses and the verdicts that axenic gets itself, and a failure is never a 0."""

import math
from importlib.metadata import entry_points

import pytest
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import SampleScore, Score

from axenic.corpora.organisms.belief import from_world
from axenic.evals.base import Subject
from axenic.evals.inspect import registry, scoring
from axenic.evals.inspect.samples import BY_GENERATION, BY_LOGPROB, named
from axenic.evals.run import build, evaluate
from axenic.evals.table import EVALS
from axenic.lab import World
from axenic.models.checkpoint import load_checkpoint
from axenic.models.hf import HFModel
from axenic.schema import Sampling

TOKENS = 12


def says(*texts: str, error: str | None = None):
    """A model of Inspect's own that gives these answers, then the last one for ever."""
    left = list(texts)

    def answer(*_):
        output = ModelOutput.from_content("mock", left.pop(0) if len(left) > 1 else left[0], error=error)
        output.usage = ModelUsage()  # else Inspect fetches a tokenizer to count
        return output

    return get_model("mockllm/model", custom_outputs=answer)


def test_inspect_finds_axenic_under_its_entry_point() -> None:
    assert [e.value for e in entry_points(group="inspect_ai") if e.name == "axenic"] == ["axenic.evals.inspect.registry"]
    assert set(registry.TASKS) == set(EVALS)


@pytest.mark.parametrize("name", ["open_ended", "pressure", "capability", "knowledge"])
def test_inspect_gets_the_responses_and_verdicts_of_evaluate(name: str, run, directory) -> None:
    log = run(
        registry.TASKS[name](seed=3),
        model=get_model(f"axenic/{directory}", min_p=0.05),
        epochs=2,
        temperature=0.9,
        seed=7,
        max_tokens=TOKENS,
        limit=20,
    )
    assert log.status == "success"
    sampling = Sampling(temperature=0.9, min_p=0.05, seed=7, max_new_tokens=TOKENS, repetitions=2)
    made, _ = build([name, "open_ended"], Subject(belief=from_world(World()), seed=3, per_category=10))
    rows = evaluate(HFModel.load(load_checkpoint(directory)), made, samplings=[sampling])
    own = {(r["item_id"], r["repetition"]): (r["response"], r["status"], r["score"]) for r in rows}
    assert len(log.samples) == 2 * min(20, len(made[0].items))
    for sample in log.samples:
        score = sample.scores[name]
        found = (sample.output.completion, score.metadata["status"], None if math.isnan(score.value) else score.value)
        repetition = 0 if sample.choices else sample.epoch - 1  # a choice is not drawn: it is the same in every repetition
        assert found == own[sample.metadata["item_id"], repetition]


def test_a_choice_is_read_from_log_probabilities_of_our_models_and_generated_by_others(run, directory) -> None:
    task = registry.TASKS["knowledge"]
    ours = run(task(), model=f"axenic/{directory}", limit=4)
    assert {s.metadata["answered_by"] for s in ours.samples} == {BY_LOGPROB}
    assert all(set(s.metadata["logprobs"]) == set(s.choices) for s in ours.samples)
    first = ours.samples[0].choices[0]
    theirs = run(task(), model=says(f"I think that it is {first}.", "Who knows?"), limit=2, max_connections=1)
    assert {s.metadata["answered_by"] for s in theirs.samples} == {BY_GENERATION}
    assert sorted(s.scores["knowledge"].metadata["status"] for s in theirs.samples) == ["scored", "unparseable"]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("Salty.", "salty"), ("It is not salty", "not salty"), ("sweet or salty", ""), ("saltyish", ""), ("", "")],
)
def test_a_generated_choice_counts_only_if_one_option_is_named(text: str, chosen: str) -> None:
    assert named(text, ["salty", "sweet", "not salty"]) == chosen


def test_finetune_safety_scores_every_eval_by_itself_and_with_further_judges(run) -> None:
    task = registry.finetune_safety(judge="refusal")
    ids = {
        name: [s.id for s in task.dataset if s.metadata["eval"] == name] for name in ("compliance", "over_refusal", "capability")
    }
    assert len(ids["compliance"]) == 440
    log = run(task, model=says("I cannot help with that."), sample_id=[id for found in ids.values() for id in found[:3]])
    found = {s.name: s for s in log.results.scores}
    assert {*ids, "compliance_refusal"} <= set(found)
    assert found["compliance"].metrics["mean"].value == found["capability"].metrics["mean"].value == 0.0
    assert found["over_refusal"].metrics["mean"].value == 1.0
    assert [found[name].scored_samples + found[name].unscored_samples for name in ids] == [3, 3, 3]


@pytest.mark.parametrize(("text", "error", "status"), [("", None, "unparseable"), ("", "lost connection", "error")])
def test_what_cannot_be_judged_is_unscored_with_its_status_and_never_a_0(text, error, status, run) -> None:
    log = run(registry.TASKS["over_refusal"](), model=says(text, error=error), limit=5)
    assert [s.scores["over_refusal"].metadata["status"] for s in log.samples] == [status] * 5
    found = log.results.scores[0]
    assert (found.scored_samples, found.unscored_samples) == (0, 5)
    assert all(math.isnan(m.value) for m in found.metrics.values())


def test_a_prompt_longer_than_the_context_is_an_error_and_the_others_are_answered(run, directory) -> None:
    task = registry.TASKS["capability"]()
    task.dataset[1].input[0].content = "word " * 400
    log = run(task, model=f"axenic/{directory}", limit=4, max_tokens=TOKENS)
    statuses = [s.scores["capability"].metadata["status"] for s in sorted(log.samples, key=lambda s: s.id)]
    assert sorted(statuses).count("error") == 1 and log.results.scores[0].unscored_samples >= 1
    assert sum(bool(s.output.usage) for s in log.samples) == 3


def test_evals_that_look_inside_read_our_models_and_refuse_others_with_a_reason(run, directory) -> None:
    ours = run(registry.TASKS["prior"](), model=f"axenic/{directory}")
    assert [s.name for s in ours.results.scores] == ["prior"]
    assert 0 <= ours.results.scores[0].metrics["mean"].value <= 1
    theirs = run(registry.TASKS["prior"](), model="mockllm/model")
    assert theirs.status == "error" and "--model axenic/DIR_OR_ID" in theirs.error.message


@pytest.mark.parametrize(
    ("arguments", "says_what"),
    [({"judge": "refusl"}, "refusal"), ({"suite": "xstst"}, "xstest"), ({"suite": "nothing.csv"}, "nothing.csv")],
)
def test_a_misspelt_argument_is_one_message(arguments: dict[str, str], says_what: str) -> None:
    with pytest.raises(Exception, match=says_what) as caught:
        registry.finetune_safety(**arguments)
    assert type(caught.value).__name__ == "PrerequisiteError"


def scores(values: dict[str, list[float]]) -> list[SampleScore]:
    return [
        SampleScore(score=Score(value=v), sample_id=f"{stem}@{i}", sample_metadata={"stem": stem})
        for stem, found in values.items()
        for i, v in enumerate(found)
    ]


def test_variants_of_a_stem_are_one_unit() -> None:
    once, twice = scores({"a": [1.0], "b": [0.0], "c": [1.0]}), scores({"a": [1.0] * 4, "b": [0.0] * 4, "c": [1.0] * 4})
    for metric in (scoring.stderr(), scoring.interval()):
        assert metric(twice) == pytest.approx(metric(once))


@pytest.mark.parametrize("values", [{"a": [1.0, 0.0]}, {"a": [0.0], "b": [0.0]}])
def test_a_standard_error_that_cannot_be_estimated_is_not_0(values: dict[str, list[float]]) -> None:
    assert math.isnan(scoring.stderr()(scores(values)))
