"""Promises of TrainSpec: out-of-range numbers are refused, and steps are counted as the trainer counts them."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from axenic.training.spec import DPOSpec, LoraSpec, PreferenceSpec, RLSpec, TrainSpec


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": -1e-4},
        {"warmup_fraction": 1.0},
        {"max_length": 1},
        {"schedule": "cosin"},
        {"batch_size": 6, "micro_batch_size": 4},
        {"load_4bit": True},
        {"lora": {"r": 0}},
        {"learning_rat": 1e-4},
    ],
)
def test_a_number_out_of_range_or_an_unknown_key_is_refused(wrong):
    with pytest.raises(ValidationError):
        TrainSpec.model_validate(wrong)


def test_steps_and_saves_are_counted():
    spec = TrainSpec(epochs=3, batch_size=4)
    assert (spec.steps_per_epoch(10), spec.total_steps(10), spec.save_steps(10)) == (3, 9, [3, 6, 9])
    assert TrainSpec(epochs=3, batch_size=4, save_epochs="last").save_steps(10) == [9]
    assert TrainSpec(max_steps=4, batch_size=4).save_steps(10) == [3, 4]


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        (RLSpec, {"generations": 1}, "takes at least 2"),
        (
            RLSpec,
            {"prompts_per_step": 3, "generations": 4, "micro_batch_size": 5},
            r"prompts_per_step x generations \(12\) must be",
        ),
        (RLSpec, {"algorithm": "ppo"}, "'grpo' or 'rloo'"),
        (RLSpec, {"temperature": 0.0}, "greater than 0"),
        (RLSpec, {"load_4bit": True}, "needs `lora` as well"),
        (RLSpec, {"save_at": (0,)}, "steps count from 1"),
        (RLSpec, {"epochs": 2}, "Extra inputs"),
        (DPOSpec, {"beta": 0.0}, "greater than 0"),
        (DPOSpec, {"lora": {"targets": ("q_proj", "lm_head")}}, "would never be trained here"),
        (DPOSpec, {"batch_size": 6, "micro_batch_size": 4}, r"batch_size \(6\) must be a multiple"),
        (PreferenceSpec, {"save_at": (3,)}, "kept once"),
        (PreferenceSpec, {"save_epochs": "all"}, "Input should be 'last'"),
    ],
)
def test_what_a_kind_of_training_cannot_do_is_refused_with_the_reason(kind, wrong, says):
    with pytest.raises(ValidationError, match=says):
        kind.model_validate(wrong)


def test_reinforcement_learning_keeps_the_named_steps_and_the_last():
    assert RLSpec(steps=10, save_at=(8, 3, 12)).save_steps() == [3, 8, 10]
    assert RLSpec(steps=10).save_steps() == [10]


def test_the_spec_imports_nothing_heavy():
    heavy = "{'torch', 'transformers', 'trl', 'peft'}"
    script = f"import sys; import axenic.training.spec, axenic.training.pairs; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    assert LoraSpec().r == 64
