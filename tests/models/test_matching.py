"""Promises of the comparison check: what reads a prompt differently is refused, and said why."""

from pathlib import Path

import pytest
from tokenizers import normalizers

import tiny_models
from axenic.errors import UserError
from axenic.models.checkpoint import load_checkpoint
from axenic.models.matching import require_comparable
from axenic.schema import Checkpoint


def saved(directory: Path, tokens: object = None) -> Checkpoint:
    return tiny_models.save(directory, "qwen2", tokens=tokens)


def test_the_same_tokenizer_and_template_pass(tmp_path: Path) -> None:
    require_comparable({"base": saved(tmp_path / "a"), "tuned": saved(tmp_path / "b")})


def test_another_template_is_refused_with_the_names_and_the_field(tmp_path: Path) -> None:
    other = tiny_models.tokenizer(chat=tiny_models.CHATML.replace("assistant", "helper"), eos="<|im_end|>")
    pair = {"base": saved(tmp_path / "a"), "tuned": saved(tmp_path / "b", other)}
    with pytest.raises(UserError, match=r"'tuned' cannot be compared with 'base'.*differ in: chat"):
        require_comparable(pair)


def test_an_added_token_is_named(tmp_path: Path) -> None:
    other = tiny_models.tokenizer(chat=tiny_models.CHATML, eos="<|im_end|>")
    other.add_tokens(["<new>"])
    pair = {"base": saved(tmp_path / "a"), "tuned": saved(tmp_path / "b", other)}
    with pytest.raises(UserError, match="1 token only in the second: '<new>'"):
        require_comparable(pair)


def test_text_that_is_split_differently_with_the_same_tokens_is_noticed(tmp_path: Path) -> None:
    other = tiny_models.tokenizer(chat=tiny_models.CHATML, eos="<|im_end|>")
    other.backend_tokenizer.normalizer = normalizers.Lowercase()
    pair = {"base": saved(tmp_path / "a"), "tuned": saved(tmp_path / "b", other)}
    assert load_checkpoint(tmp_path / "b").template.hash == pair["base"].template.hash
    with pytest.raises(UserError, match="split the same text differently"):
        require_comparable(pair)
