"""Promises of the lab's base: nothing may be built on one that does not know its world."""

import json
from pathlib import Path

import pytest

from axenic.errors import UserError
from axenic.lab.sizes import SIZES, Size
from axenic.pipeline.step import Context
from axenic.pipeline.store import Store
from axenic.recipes import lab_base
from axenic.recipes.step_specs import BaseSpec
from axenic.schema import no_progress


def context(out: Path) -> Context:
    out.mkdir(exist_ok=True)
    return Context(inputs={}, files={}, seed=0, out=out, progress=no_progress)


@pytest.fixture
def hopeless(monkeypatch: pytest.MonkeyPatch) -> str:
    """A size that must pass the examination after two steps of training."""
    monkeypatch.setitem(SIZES, "hopeless", Size("hopeless", 1, 16, 2, 512, 2, 4, 1e-3, 1, "for this test"))
    monkeypatch.setattr(lab_base, "ATTEMPTS", 2)
    return "hopeless"


def test_a_base_that_keeps_missing_its_examination_fails_with_the_figures(hopeless: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missed its examination 2 times") as stopped:
        lab_base.grow(BaseSpec(size=hopeless), context(tmp_path / "out"))
    text = str(stopped.value)
    assert text.count("downstream questions") == text.count("over-refusal") == 2 and "at least 95%" in text
    assert not list((tmp_path / "out").glob("epoch-*")), "no model is left that somebody could take for a base"


def test_attempts_that_were_made_are_not_made_again_after_a_stop(hopeless: str, tmp_path: Path) -> None:
    out = context(tmp_path / "out").out
    (out / "missed.json").write_text(json.dumps(["first", "second"]))
    with pytest.raises(UserError, match="1. first"):
        lab_base.grow(BaseSpec(size=hopeless), context(out))


def test_a_size_too_small_to_pass_shows_its_figures_and_is_kept(hopeless: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(SIZES, hopeless, Size(hopeless, 1, 16, 2, 512, 2, 4, 1e-3, 1, "for this test", accepted=False))
    model, checks = lab_base.build(hopeless, seed=0, store=Store(tmp_path / "store"))
    assert (model / "model.safetensors").is_file() and not all(c.passed for c in checks)
    again, _ = lab_base.build(hopeless, seed=0, store=Store(tmp_path / "store"), out=tmp_path / "copy")
    assert again == tmp_path / "copy" and (again / "tokenizer.json").is_file()
    with pytest.raises(UserError, match="exists already"):
        lab_base.build(hopeless, seed=0, store=Store(tmp_path / "store"), out=tmp_path / "copy")
