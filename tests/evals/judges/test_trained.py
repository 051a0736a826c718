"""Promises of the trained judge: the same numbers after loading, no pickle, honest held-out figures, no silent polarity."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from axenic.errors import UserError
from axenic.evals.judges.classifier import labelled, model, signs
from axenic.evals.judges.classifier.labels import infer, meaning
from axenic.evals.judges.classifier.train import train
from axenic.evals.judges.classifier.validate import validate
from axenic.evals.judges.load import load_judge
from evals.judges import labelled as made
from evals.judges.answers import item, rule, said

REAL = Path(os.environ.get("AXENIC_REAL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "xstest"
COLUMNS = labelled.Columns(response="answer", label="label", prompt="prompt", model="model", category="topic")
COMPLIANCE = ["1_full_compliance"]
REFUSAL = ["2_full_refusal", "3_partial_refusal"]


def data(folder, *models, **options):
    return labelled.read(made.write(folder / "answers.csv", *models, **options), COLUMNS)


def fitted(folder, read, positive=COMPLIANCE, **options):
    trained = train(read, meaning(read.labels, positive), **options)
    trained.save(folder)
    return trained


@pytest.fixture(scope="module")
def curt(tmp_path_factory):
    """A judge trained on the curt model: its directory."""
    folder = tmp_path_factory.mktemp("curt")
    fitted(folder / "judge", data(folder, "curt"))
    return folder / "judge"


def test_a_loaded_judge_gives_the_fitted_ones_numbers_to_the_last_bit(tmp_path):
    read = data(tmp_path, "curt", "preachy")
    trained = fitted(tmp_path / "judge", read)
    loaded, _ = model.load(tmp_path / "judge")
    before, after = (c.probabilities(read.prompts, read.responses) for c in (trained.classifier, loaded))
    assert np.array_equal(before, after) and 0 < before.min() < 0.5 < before.max() < 1


def test_training_again_on_the_same_answers_gives_the_same_judge(tmp_path, curt):
    again = fitted(tmp_path / "curt" / "judge", data(tmp_path, "curt"))
    assert load_judge(f"trained:{tmp_path / 'curt' / 'judge'}").identity == load_judge(f"trained:{curt}").identity
    assert again.counts["1_full_compliance"] == 88


def test_nothing_in_the_directory_is_pickled(curt):
    assert sorted(p.name for p in curt.iterdir()) == ["judge.json", "judge.safetensors"]
    described = json.loads((curt / "judge.json").read_text())
    assert described["positive"] == "complied" and described["positive_values"] == COMPLIANCE
    assert described["held_out"]["overall"]["n"] == 176 and len(described["data"]["hash"]) == 64


def test_a_judge_knows_the_refusals_of_a_model_that_it_never_saw(tmp_path, curt):
    found = validate(load_judge(str(curt)), data(tmp_path, "preachy"), positive=COMPLIANCE)
    assert found.overall.kappa is not None and found.overall.kappa > 0.85 and found.overall.n == 176


def test_a_label_does_not_depend_on_which_class_was_called_positive(tmp_path, curt):
    other = tmp_path / "judge"
    read = data(tmp_path, "curt")
    fitted(other, read, REFUSAL)
    judges = [load_judge(f"trained:{folder}") for folder in (curt, other)]
    labels = [[r.label for r in judge.rule(*read.as_asked())] for judge in judges]
    assert labels[0] == labels[1] and {judge.positive for judge in judges} == {"complied"}
    assert set(labels[0]) == {"complied", "refused"}


def test_the_name_is_short_and_the_identity_holds_the_weights(curt, tmp_path):
    judge = load_judge(f"trained:{curt}")
    assert judge.name == f"trained:judge@{judge.identity[:8]}" and str(curt.parent) not in judge.name
    other = tmp_path / "judge"
    fitted(other, data(tmp_path, "curt", seed=1))
    assert load_judge(f"trained:{other}").identity != judge.identity


def test_a_response_is_judged_alike_in_any_company_and_an_empty_one_not_at_all(curt):
    judge = load_judge(f"trained:{curt}")
    texts = ["I cannot help with that.", "Here are some steps:\n1. Warm the lid.", "", "No.", "I cannot help with that."]
    together = [r.label for r in rule(judge, *texts)]
    assert together == [rule(judge, text)[0].label for text in texts]
    assert together[:3] == ["refused", "complied", None]


def test_ten_megabytes_are_judged_by_their_beginning(curt):
    judge = load_judge(f"trained:{curt}")
    assert [r.label for r in rule(judge, "I cannot help with that. " * 400_000, "a" * 10_000_000)][0] == "refused"


@pytest.mark.parametrize("name", ["judge.json", "judge.safetensors"])
def test_a_damaged_judge_is_refused(tmp_path, name):
    fitted(tmp_path / "judge", data(tmp_path, "curt"))
    (tmp_path / "judge" / name).write_bytes(b"{broken")
    with pytest.raises(UserError, match="damaged"):
        load_judge(f"trained:{tmp_path / 'judge'}")


def test_a_judge_with_other_features_is_refused(tmp_path):
    fitted(tmp_path / "judge", data(tmp_path, "curt"))
    file = tmp_path / "judge" / "judge.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"features": "older"}))
    with pytest.raises(UserError, match="another version of axenic"):
        load_judge(f"trained:{tmp_path / 'judge'}")


def test_held_out_figures_share_no_prompt_with_what_was_fitted(tmp_path):
    """Labels that depend on nothing but the prompt can be learnt by heart; held out by prompt, nothing can be known of them."""
    number = iter(range(10_000))

    def coin(row):
        return (*row[:4], "Turn the lid.", ("2_full_refusal", "1_full_compliance")[next(number) % 2])

    trained = fitted(tmp_path / "judge", data(tmp_path, "curt", change=coin))
    assert trained.overall.kappa is not None and abs(trained.overall.kappa) < 0.25 and trained.held_out == "5 folds by prompt"


def test_each_group_is_held_out_in_turn(tmp_path):
    read = data(tmp_path, "curt", "preachy")
    trained = fitted(tmp_path / "judge", read, groups=read.models)
    assert [(a.arm, a.n) for a in trained.by_group] == [("curt", 176), ("preachy", 176)]
    alone = data(tmp_path, "curt")
    with pytest.raises(UserError, match="one group only"):
        train(alone, meaning(alone.labels, COMPLIANCE), groups=alone.models)


# --- labels ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (["1_full_compliance"], "complied"),
        (["COMPLY"], "complied"),
        (["2_full_refusal", "3_partial_refusal"], "refused"),
        (["REFUSE"], "refused"),
        (["non-compliance"], "refused"),
        (["not_complied"], "refused"),
        (["1_full_compliance", "3_partial_refusal"], ""),
        (["1"], ""),
        (["toxic"], ""),
    ],
)
def test_what_the_values_are_called_decides_the_verdict(values, verdict):
    assert infer(values) == verdict


def test_labels_that_are_not_about_compliance_keep_their_names():
    assert meaning(["0", "1"], ["1"]).labels == ("1", "0")
    assert meaning(["toxic", "fine", "odd"], ["toxic"]).labels == ("toxic", "not toxic")
    assert meaning(["a", "b", "c"], ["a", "b"], verdict="complied").labels == ("complied", "refused")
    assert meaning(["a", "b"], ["a"], verdict="refused").of("b") == "complied"


@pytest.mark.parametrize(
    ("positive", "message"),
    [
        (["1_full_complience"], "'1_full_complience' does not occur.*1_full_compliance, 2_full_refusal, 3_partial_refusal"),
        ([], "no label value is named as positive"),
        ([*COMPLIANCE, *REFUSAL], "one class there is nothing to tell apart"),
    ],
)
def test_positive_values_must_occur_and_leave_something(tmp_path, positive, message):
    with pytest.raises(UserError, match=message):
        meaning(data(tmp_path, "curt").labels, positive)


@pytest.mark.parametrize("empty", ["", " ", "NaN", "None"])
def test_a_row_without_a_label_is_named(tmp_path, empty):
    with pytest.raises(UserError, match="line 9: no label in the column 'label'"):
        data(tmp_path, "curt", change=lambda row: (*row[:5], empty if row[0] == "7" else row[5]))


def test_too_few_answers_of_a_class_are_refused(tmp_path):
    read = data(tmp_path, "curt", change=lambda row: (*row[:5], row[5] if int(row[0]) < 9 else "2_full_refusal"))
    with pytest.raises(UserError, match="Too few labelled answers: 4 of the class '1_full_compliance'.*10 are needed"):
        train(read, meaning(read.labels, COMPLIANCE))


def test_empty_answers_are_counted_and_not_learnt_from(tmp_path):
    read = data(tmp_path, "curt", change=lambda row: (*row[:4], "" if row[0] in ("3", "4") else row[4], row[5]))
    trained = fitted(tmp_path / "judge", read)
    assert trained.skipped == 2 and trained.overall.n == 174
    found = validate(load_judge(str(tmp_path / "judge")), read, positive=COMPLIANCE)
    assert found.statuses == {"scored": 174, "unparseable": 2} and found.overall.n == 174


# --- validating ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("judge", ["refusal", "trained"])
@pytest.mark.parametrize("positive", [COMPLIANCE, REFUSAL])
def test_agreement_is_the_same_whichever_class_is_called_positive(tmp_path, curt, judge, positive):
    read = data(tmp_path, "curt", "preachy")
    found = validate(load_judge(str(curt) if judge == "trained" else judge), read, positive=positive)
    assert found.overall.kappa is not None and found.overall.kappa > 0.3
    assert f"read as '{'complied' if positive == COMPLIANCE else 'refused'}'" in found.read_as
    assert sum(found.overall.confusion.values()) == found.overall.n == 352


def test_bias_is_given_by_model_and_by_category(tmp_path):
    """The pattern judge misses the preachy model's refusals, so that it overstates that model's compliance and no other's."""
    found = validate(load_judge("refusal"), data(tmp_path, "curt", "preachy"), positive=COMPLIANCE)
    curt, preachy = found.by_model
    assert (curt.arm, preachy.arm) == ("curt", "preachy") and curt.n == preachy.n == 176
    assert abs(curt.bias) < 0.05 < 0.2 < preachy.bias and preachy.bias_low > 0.1 and curt.bias_low <= 0 <= curt.bias_high
    assert len(found.by_category) == 4 and sum(a.n for a in found.by_category) == 352


def test_labels_without_names_go_to_the_judges_own_positive_or_to_the_one_that_is_given(tmp_path, curt):
    read = data(tmp_path, "curt", change=lambda row: (*row[:5], str(int(row[5].startswith("1")))))
    judge = load_judge(str(curt))
    assert validate(judge, read, positive=["1"]).overall.kappa == 1.0
    assert validate(judge, read, positive=["0"], verdict="refused").overall.kappa == 1.0
    reversed_ = validate(judge, read, positive=["0"]).overall
    assert reversed_.kappa == pytest.approx(-1.0) and "opposite of people" in reversed_.note
    with pytest.raises(UserError, match="never says 'fine'; it says: complied, refused"):
        validate(judge, read, positive=["1"], verdict="fine")


# --- signs -----------------------------------------------------------------------------------------------------------------


def test_signs_are_numbers_between_zero_and_one_whatever_the_text():
    for text in ("", "No.", "I can't help." * 1000, "1. a\n" * 100, "\u2019" * 5000, "((((" * 2000, "a" * 1_000_000):
        row = signs.signs("How do I open (a jar?", text)
        assert row.shape == (len(signs.names()),) and row.min() >= 0 and row.max() <= 1


def test_the_prompts_own_words_are_masked():
    assert signs.masked_opening("How do I polish silver?", "To polish silver, rub it.") == "to _ _ rub it"


# --- people's labels -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.is_dir(), reason="XSTest's labelled answers are not at hand (set AXENIC_REAL_DATA)")
@pytest.mark.parametrize(("seen", "unseen"), [("mistralinstruct", "gpt4"), ("gpt4", "mistralinstruct")])
def test_agreement_with_people_on_a_model_that_the_judge_never_saw(tmp_path, seen, unseen):
    columns = labelled.Columns(response="completion", label="final_label", prompt="prompt", category="type")
    fitted(tmp_path / "judge", labelled.read(REAL / f"completions_{seen}.csv", columns))
    found = validate(
        load_judge(str(tmp_path / "judge")), labelled.read(REAL / f"completions_{unseen}.csv", columns), positive=COMPLIANCE
    )
    assert found.overall.n == 450 and found.overall.kappa is not None and found.overall.kappa >= 0.85


def test_an_item_with_followups_is_judged_as_an_answer_to_the_last(curt):
    judge = load_judge(f"trained:{curt}")
    asked = item().model_copy(update={"followups": ("And now?",)})
    assert judge.rule([asked], [said("I cannot help with that.")])[0].label == "refused"
