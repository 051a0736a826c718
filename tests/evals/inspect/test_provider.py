"""Promises of the provider: batches, names that tell weights apart, and settings that are obeyed or refused."""

import shutil
from pathlib import Path

import pytest
import torch
from inspect_ai.model import get_model
from safetensors.torch import load_file, save_file

from axenic.evals.inspect import registry
from axenic.models.hf import HFModel


@pytest.fixture
def changed(directory: Path, tmp_path: Path) -> Path:
    """The same model with one weight changed."""
    path = tmp_path / "changed"
    shutil.copytree(directory, path)
    weights = load_file(path / "model.safetensors")
    name = next(n for n in weights if n.endswith("down_proj.weight"))
    weights[name] = weights[name] + torch.eye(*weights[name].shape)
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    return path


def test_concurrent_samples_are_generated_in_one_batch(run, directory, monkeypatch) -> None:
    sizes: list[int] = []
    generate = HFModel.generate

    def counted(self, prompts, **options):
        sizes.append(len(prompts))
        return generate(self, prompts, **options)

    monkeypatch.setattr(HFModel, "generate", counted)
    log = run(registry.TASKS["capability"](), model=f"axenic/{directory}", max_tokens=4)
    assert sum(sizes) == len(log.samples) and max(sizes) > len(log.samples) / 2


def test_the_name_tells_weights_apart_so_that_inspects_cache_does_not_serve_one_for_the_other(run, directory, changed) -> None:
    options = {"limit": 4, "max_tokens": 8, "cache": True}
    first, other = (run(registry.TASKS["capability"](), model=f"axenic/{path}", **options) for path in (directory, changed))
    assert first.eval.model.startswith(f"axenic/{directory}@") and first.eval.model[-12:] != other.eval.model[-12:]

    def answers(log):
        return {s.id: s.output.completion for s in log.samples}

    shutil.rmtree(directory.parent / "moved", ignore_errors=True)
    again = run(registry.TASKS["capability"](), model=get_model(f"axenic/{directory}", memoize=False), **options)
    assert answers(again) == answers(first) != answers(other)


def test_a_name_with_a_hash_is_that_model_or_refused(directory, changed) -> None:
    name = str(get_model(f"axenic/{directory}"))
    assert str(get_model(name)) == name
    stale = f"axenic/{changed}@{name[-12:]}"
    with pytest.raises(Exception, match="Its weights were changed"):
        get_model(stale)


def test_ways_of_drawing_that_give_other_answers_have_other_names(directory) -> None:
    assert str(get_model(f"axenic/{directory}", min_p=0.2)) != str(get_model(f"axenic/{directory}"))


@pytest.mark.parametrize("option", [{"top_k": 5}, {"stop_seqs": ["x"]}, {"frequency_penalty": 1.0}, {"num_choices": 2}])
def test_a_setting_that_cannot_be_obeyed_is_refused(option, run, directory) -> None:
    log = run(registry.TASKS["capability"](), model=f"axenic/{directory}", limit=1, **option)
    assert log.status == "error" and next(iter(option)) in log.error.message


def test_a_missing_model_is_one_message(tmp_path) -> None:
    with pytest.raises(Exception, match="There is no model directory") as caught:
        get_model(f"axenic/{tmp_path / 'nothing'}")
    assert type(caught.value).__name__ == "PrerequisiteError"
