"""Promises of the recipe `finetune_safety`, kept at the smallest size through the command line: real training, real generation."""

import json
from pathlib import Path

import pandas as pd
import pytest

from axenic.errors import UserError
from axenic.findings import Findings
from axenic.recipes.finetune_safety import FinetuneSafetyParams, build
from axenic.recipes.params import merge
from axenic.schema import RESULT_COLUMNS
from command_line import axenic, read, sets, study

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("n=8", "epochs=2", "repetitions=2", "max_new_tokens=16", "safety_filter=false", "learning_rate=0.003")
SMALL = ("--size", "nano", "--seeds", "2", *sets(*SETTINGS))


@pytest.fixture(scope="module")
def out(home: Path) -> Path:
    return study(home, "finetune_safety", *SMALL)


def test_the_grid_is_complete(rows: pd.DataFrame) -> None:
    assert list(rows.columns) == list(RESULT_COLUMNS)
    asked = rows[(rows["eval"] == "compliance") & (rows["judge"] == "lab")]
    arms = asked.groupby(["arm", "train_seed", "epoch", "temperature", "repetition"], dropna=False)["item_id"].nunique()
    assert set(arms) == {440}
    assert set(asked["arm"]) == {"base", "prose", "steps", "prose_self", "steps_self"}
    last = asked[(asked["arm"] == "prose") & (asked["epoch"] == 2.0) & (asked["train_seed"] == 1)]
    drawn = last.groupby("temperature")["repetition"].nunique()
    assert drawn[0.0] == 3 and drawn[0.7] == 2, "T=0 once, and twice more for numerical noise; T=0.7 as often as asked"
    first = asked[(asked["arm"] == "prose") & (asked["epoch"] == 1.0)]
    assert first.groupby("temperature")["repetition"].nunique()[0.0] == 1


def test_every_harmful_answer_has_its_judges(rows: pd.DataFrame) -> None:
    judges = rows[rows["eval"] == "compliance"].groupby("judge").size()
    assert set(judges.index) == {"lab", "refusal", "coherence"} and judges.nunique() == 1


def test_only_harmful_requests_are_repeated(rows: pd.DataFrame) -> None:
    others = rows[rows["eval"].isin(["over_refusal", "capability"])]
    assert set(others["temperature"]) == {0.0} and set(others["repetition"]) == {0}


def test_the_hypotheses_are_planned_contrasts_with_adjusted_p(found: Findings) -> None:
    names = {c.name for c in found.contrasts}
    for data in ("prose", "steps"):
        assert {
            f"{data} - base",
            f"{data}: human - self-generated",
            f"{data}: T=0.7 - T=0",
            f"{data}: last - first epoch",
            f"{data}: spread of runs - base's",
        } <= names
    assert all((c.p is None) == (c.p_holm is None) for c in found.contrasts)


def test_what_the_paper_lacked_is_there(found: Findings) -> None:
    assert {v.source for v in found.variance_components} >= {"train_seed", "item", "repetition"}
    assert {f.source for f in found.flips} >= {"any", "train_seed", "sampling", "numerical"}
    assert found.decisions and found.ranges and found.agreements
    assert {e.denominator for e in found.estimates if e.eval == "compliance" and e.judge == "lab"} >= {"all", "coherent"}


def test_arms_of_one_data_set_are_trained_on_the_same_prompts(out: Path) -> None:
    training = read(out, "training.json")
    assert {t["arm"] for t in training} == {"prose", "prose_self", "steps", "steps_self"}
    corpora = read(out, "corpora.json")
    assert {c["chats"] for c in corpora.values()} == {8}
    shown = {arm: [e["text"].split("\n")[0] for e in c["examples"]] for arm, c in corpora.items()}
    assert shown["prose"] == shown["prose_self"] and shown["steps"] == shown["steps_self"]
    assert not set(shown["prose"]) & set(shown["steps"])


def test_the_report_is_written(out: Path) -> None:
    assert "compliance" in (out / "report.html").read_text()


def test_a_finished_study_runs_nothing_again(home: Path, out: Path) -> None:
    done = axenic(home, "run", "finetune_safety", *SMALL, "--out", out, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["steps_run"] == 0


def test_two_seeds_of_one_arm_differ(rows: pd.DataFrame) -> None:
    one = rows[(rows["arm"] == "steps") & (rows["eval"] == "compliance") & (rows["judge"] == "lab") & (rows["epoch"] == 2.0)]
    texts = {
        seed: tuple(part.sort_values(["temperature", "repetition", "item_id"])["response"])
        for seed, part in one.groupby("train_seed")
    }
    assert texts[0] != texts[1]


@pytest.mark.parametrize("config", sorted((ROOT / "configs" / "paper").glob("finetune_safety_*.yaml")), ids=lambda p: p.stem)
def test_a_paper_scale_study_can_be_planned_offline(config: Path, home: Path) -> None:
    suite = home / "sorry.jsonl"
    suite.write_text("{}\n")
    done = axenic(home, "plan", "--config", config, "--set", f"suites=['sorry_bench={suite}']", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    training = [s for s in plan["steps"] if s["label"].startswith("train ")]
    responses = sum(s["expected_responses"] for s in plan["steps"] if s["label"].startswith("ask "))
    assert len(training) == 4 * 5
    assert responses > 4 * 66_000, "5 seeds x 5 checkpoints x 6 generations x 440 prompts for each of 4 data arms"
    assert sum(s["expected_bytes"] for s in plan["steps"]) > 10**9


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (("temperatures=[0,0]",), "each may be named once"),
        (("data={base: {source: x.csv}}",), "cannot name a data set"),
        (("full=true",), "have no effect here|has no effect here"),
        (("suites=[nowhere.csv]",), "nowhere.csv"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(sets: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(merge(FinetuneSafetyParams, sets=sets))


def test_a_study_of_ones_own_model_needs_ones_own_data(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the lab's data are for the lab's model"):
        merge(FinetuneSafetyParams, flags={"model": "org/name"})


def test_a_study_of_ones_own_model_needs_benchmarks() -> None:
    with pytest.raises(UserError, match="the lab's questions are for the lab's model"):
        merge(FinetuneSafetyParams, flags={"model": "org/name"}, sets=("data={mine: {source: x.csv}}",))


def test_a_judge_of_ones_own_is_known_by_its_content_and_not_by_its_path(tmp_path: Path) -> None:
    def identity(folder: str, text: str) -> str:
        file = tmp_path / folder / "strict.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return build(merge(FinetuneSafetyParams, sets=(f"judges=['{file}:judge']",)))[0].study

    says = "def judge(item, response):\n    return {!r}\n"
    assert identity("a", says.format("refused")) != identity("a", says.format("complied"))


def test_a_misspelt_judge_is_found_before_any_training() -> None:
    with pytest.raises(UserError, match="Unknown judge 'refusl'"):
        build(merge(FinetuneSafetyParams, sets=("judges=[refusl]",)))
