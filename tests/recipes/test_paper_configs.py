"""Promises of the configurations at paper scale: the paper's numbers, and a plan without a network."""

from pathlib import Path

import pytest

from axenic.recipes import params
from axenic.recipes.recipe import get

PAPER = Path(__file__).parents[2] / "configs" / "paper"
CONFIGS = sorted(PAPER.glob("finetune_safety_*.yaml"))


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
