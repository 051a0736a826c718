"""`axenic stats simulate`: a table that marks what lies outside 93-97 %, the same as JSON, and clear words about a wrong option."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from axenic.cli.stats import app
from axenic.errors import UserError
from axenic.stats.simulate_methods import METHODS

SMALL = ["simulate", "--method", "wilson", "--items", "20", "--replications", "50", "--quiet"]


def call(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "120"})


def test_the_table_marks_what_lies_outside() -> None:
    done = call(
        "simulate", "--method", "seed_by_item", "--seeds", "3", "--items", "20", "--rate", "0.02,0.5", "--replications", "40"
    )
    assert done.exit_code == 0, done.output
    assert "seed_by_item: mean of seeds x items" in done.output and "100.0 (high)" in done.output
    assert "rate 0.02" in done.output and "40 studies per entry" in done.output


def test_json_says_the_same_and_nothing_else() -> None:
    done = call(*SMALL, "--rate", "0.5,0.95", "--json")
    found = json.loads(done.stdout)
    assert found["replications"] == 50 and [c["p"] for c in found["cells"]] == [0.5, 0.95]
    assert {"method", "n_items", "covered", "above", "below", "width", "studies", "not_estimable", "inside"} <= set(
        found["cells"][0]
    )
    assert call(*SMALL, "--rate", "0.5,0.95", "--json").stdout == done.stdout
    one = found["cells"][0]
    assert one["inside"] == (0.93 <= one["covered"] <= 0.97)


def test_every_method_is_shown_by_default() -> None:
    done = call(
        "simulate", "--replications", "10", "--seeds", "3", "--items", "20", "--rate", "0.5", "--missing", "0", "--json", "-q"
    )
    assert {c["method"] for c in json.loads(done.stdout)["cells"]} == set(METHODS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "wilsen"], "Unknown method 'wilsen'. Did you mean 'wilson'?"),
        (["--seeds", "three"], "--seeds takes numbers separated by commas"),
        (["--seeds", "1"], "--seeds takes numbers from 2"),
        (["--rate", "0,0.5"], "--rate takes numbers from 0.001 to 0.999; got 0"),
        (["--rate", "nan"], "--rate takes numbers from"),
        (["--missing", "1.5"], "--missing takes numbers from 0 to 0.9"),
    ],
)
def test_a_wrong_option_is_explained(words: list[str], message: str) -> None:
    done = call("simulate", *words)
    assert isinstance(done.exception, UserError) and message in str(done.exception)
