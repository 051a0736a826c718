"""Promises of rewards: each kind is found by its name, none sees a scratchpad, and a score that is no number is an error."""

import pytest

from axenic.errors import UnknownName, UserError
from axenic.schema import user
from axenic.training.rewards import FunctionReward, load_reward

ASKED = [(user("hello"),)] * 4
REPLIES = ["yes", "", "<scratchpad>long thought</scratchpad>", "<scratchpad>never closed, yes"]


def test_rules_judge_what_the_user_sees():
    assert load_reward("rule:non_empty")(ASKED, REPLIES) == [1.0, 0.0, 0.0, 0.0]
    lengths = ["word " * n for n in (20, 30, 40, 90)]
    assert load_reward("rule:short")(ASKED, lengths) == [1.0, 0.5, 0.0, 0.0]
    thought = "<scratchpad>" + "word " * 90 + "</scratchpad>yes"
    assert load_reward("rule:short")(ASKED[:1], [thought]) == [1.0]


def test_a_function_is_found_in_a_file_and_known_by_the_files_text(tmp_path):
    file = tmp_path / "own_reward_a.py"
    file.write_text("def vowels(prompts, replies):\n    return [r.count('e') for r in replies]\n")
    one = load_reward(f"{file}:vowels")
    assert one(ASKED[:1], ["see"]) == [2.0]
    file.write_text(file.read_text() + "# changed\n")
    assert load_reward(f"{file}:vowels").identity != one.identity


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rule:nonempty", "Unknown rule 'nonempty'. Did you mean 'non_empty'"),
        ("helpful", "names no reward. Write 'model:DIR_OR_ID'"),
        ("nowhere.py:f", "There is no file 'nowhere.py'"),
    ],
)
def test_an_unknown_reward_says_what_there_is(text, says):
    with pytest.raises((UserError, UnknownName), match=says):
        load_reward(text)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([1.0, float("nan")], "gave nan for the reply 'b'. It must give a finite number"),
        ([float("inf"), 0.0], "gave inf for the reply 'a'"),
        ([1.0], "gave 1 scores for 2 replies"),
        ([1.0, None], "'own' failed on 2 replies: TypeError"),
    ],
)
def test_a_score_that_is_no_finite_number_is_an_error(found, says):
    with pytest.raises(UserError, match=says):
        FunctionReward(lambda prompts, replies: found, name="own", identity="x")(ASKED[:2], ["a", "b"])
