"""Promises of recipes.params: precedence, YAML values, and errors that name the key, the source and the nearest match."""

from pathlib import Path

import pytest
from pydantic import Field

from axenic.errors import UserError
from axenic.recipes import params
from axenic.schema import Noun


class Training(Noun):
    epochs: int = Field(4, ge=1)
    learning_rate: float = 1e-4


class Params(Noun):
    size: str = "tiny"
    docs: tuple[int, ...] = (128,)
    mix: float = Field(1.0, ge=0.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    model: str | None = None
    sft: Training = Training()


def merge(*sets: str, config: Path | None = None, **flags: object) -> Params:
    return params.merge(Params, config=config, sets=sets, flags=flags)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text("size: small\nmix: 0.5\nsft:\n  epochs: 2\n  learning_rate: 1e-3\n")
    return path


def test_defaults_hold_where_nothing_is_said() -> None:
    assert merge() == Params()


def test_flags_win_over_set_over_file_over_defaults(config: Path) -> None:
    assert merge(config=config).size == "small"
    assert merge("size=nano", config=config).size == "nano"
    assert merge("size=nano", config=config, size="medium").size == "medium"
    assert merge("size=nano", config=config, size=None).size == "nano"


def test_a_nested_key_leaves_its_siblings_alone(config: Path) -> None:
    assert merge("sft.epochs=7", config=config).sft == Training(epochs=7, learning_rate=1e-3)


def test_a_later_set_wins() -> None:
    assert merge("mix=1", "mix=2").mix == 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docs=[8, 32]", {"docs": [8, 32]}),
        ("mix=1e-3", {"mix": 0.001}),
        ("name=no", {"name": "no"}),
        ("time=12:30", {"time": "12:30"}),
        ("model=", {"model": None}),
        ("a.b.c=true", {"a": {"b": {"c": True}}}),
        ("url=x=y", {"url": "x=y"}),
    ],
)
def test_values_are_yaml_as_people_expect_it(text: str, expected: dict[str, object]) -> None:
    assert params.parse_set(text) == expected


@pytest.mark.parametrize("text", ["docs", "=3", "a..b=1", "docs=[1,", "name=a: b: c"])
def test_a_malformed_set_is_quoted_back(text: str) -> None:
    with pytest.raises(UserError) as raised:
        params.parse_set(text)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    ("value", "expected"), [(3, (0, 1, 2)), ("3", (0, 1, 2)), ("3,5,7", (3, 5, 7)), ("5,", (5,)), ([4, 2], (4, 2)), ("1", (0,))]
)
def test_seeds_are_a_count_or_a_list(value: object, expected: tuple[int, ...]) -> None:
    assert params.parse_seeds(value) == expected
    assert merge(seeds=value).seeds == expected


@pytest.mark.parametrize("value", ["0", "-1", "1,1", "a", "", "1.5", [1, True, "x"], "-1,2", "99999999"])
def test_impossible_seeds_are_refused(value: object) -> None:
    with pytest.raises(UserError, match="Seeds must be a count"):
        params.parse_seeds(value)


def test_a_misspelt_key_gets_the_nearest_match_the_list_and_its_source(config: Path) -> None:
    with pytest.raises(UserError) as raised:
        merge("dosc=[8]")
    message = str(raised.value)
    assert "Unknown parameter 'dosc'. Did you mean 'docs'?" in message
    assert "Available: docs, mix, model, seeds, sft, size." in message and "from --set dosc=[8]" in message


def test_a_misspelt_nested_key_is_matched_among_its_siblings(config: Path) -> None:
    config.write_text("sft:\n  epoch: 2\n")
    with pytest.raises(UserError) as raised:
        merge(config=config)
    assert "Unknown parameter 'sft.epoch'. Did you mean 'sft.epochs'?" in str(raised.value)
    assert str(config) in str(raised.value)


def test_every_invalid_value_is_reported_on_its_own_line_with_key_and_source(config: Path) -> None:
    with pytest.raises(UserError) as raised:
        merge("mix=-1", "sft.epochs=0", "docs=[8, x]")
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert any("'mix'" in line and "greater than or equal to 0" in line and "--set mix=-1" in line for line in lines)
    assert any("'sft.epochs'" in line and "not 0" in line for line in lines)
    assert any("'docs.1'" in line and "--set docs=[8, x]" in line for line in lines)


def test_a_flag_that_the_recipe_does_not_take_is_named() -> None:
    with pytest.raises(UserError, match="takes no --belief. It takes: docs, mix"):
        merge(belief="x.yaml")


def test_a_given_parameter_without_effect_is_refused_by_name() -> None:
    given = merge(size="nano", model="some/model")
    with pytest.raises(UserError, match="'size' has no effect here: a model is given"):
        params.refuse_unused(given, ["size"], because="a model is given")
    params.refuse_unused(merge(model="some/model"), ["size"], because="a model is given")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("size: a\nsize: b\n", "given twice"),
        ("docs: [1,\n", "line 2"),
        ("- 1\n- 2\n", "must hold parameters"),
        ("3: 4\n", "must hold parameters"),
    ],
)
def test_a_malformed_config_file_is_named_with_the_reason(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=says) as raised:
        merge(config=path)
    assert "bad.yaml" in str(raised.value)


def test_a_missing_config_file_and_a_binary_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gone.yaml cannot be read: No such file"):
        merge(config=tmp_path / "gone.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="b.yaml is not valid YAML"):
        merge(config=tmp_path / "b.yaml")


def test_an_empty_config_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert merge(config=tmp_path / "empty.yaml") == Params()


LENGTHS = (
    ({}, {"epochs": 2}),
    ({"steps": 5}, {"max_steps": 5}),
    ({"epochs": 3}, {"epochs": 3}),
    ({"steps": 5, "epochs": 3}, {"max_steps": 5}),
)


@pytest.mark.parametrize(("said", "length"), LENGTHS)
def test_a_length_that_is_said_replaces_the_default_and_steps_go_before_epochs(said, length) -> None:
    found = params.Tuning(**said, batch_size=4).over({"epochs": 2, "batch_size": 16, "learning_rate": 1e-4})
    assert found == {**length, "batch_size": 4, "learning_rate": 1e-4}
    assert params.Tuning(epochs=3).over({"steps": 9}) == {"epochs": 3}
