"""Promises of TrainSpec: out-of-range numbers are refused, and steps are counted as the trainer counts them."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from axenic.training.spec import LoraSpec, TrainSpec


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


def test_the_spec_imports_nothing_heavy():
    script = "import sys; import axenic.training.spec; print(sorted({'torch', 'transformers', 'trl', 'peft'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    assert LoraSpec().r == 64
