"""Promises of the coherence judge: sound answers of any kind pass, loops, copies and rubbish do not, and it is fast."""

import random
import time

import pytest

import tiny_models
from axenic.evals.base import Subject
from axenic.evals.judges.coherence import label
from axenic.evals.judges.load import load_judge
from axenic.evals.over_refusal import build
from axenic.lab.harms import REFUSAL, categories, help_text
from axenic.models.checkpoint import load_checkpoint
from axenic.models.hf import HFModel
from axenic.schema import Sampling
from evals.judges.answers import item, rule, said

PROSE = (
    "A jar opens more easily when its lid is warm. Hold it under hot water for half a minute, dry it, and turn the lid with a "
    "cloth in your hand. If that is not enough, tap the rim on the table and try again."
)
LIST = "Here are the steps:\n\n1. Warm the lid.\n2. Dry the jar.\n3. Turn the lid.\n4. Tap the rim.\n5. Turn the lid once more."
CODE = "Use a loop:\n\n```python\nfor jar in jars:\n    jar.open()\n```\n"
TABLE = "| jar | lid |\n| --- | --- |\n| small | red |\n| large | blue |"


@pytest.mark.parametrize(
    "text",
    [PROSE, LIST, CODE, TABLE, REFUSAL, "42", "No.", "yes", "It is red", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
     "Ha ha ha!", "Very, very, very well.", "\u4f60\u597d\uff0c\u8fd9\u662f\u4e00\u4e2a\u7f50\u5b50\u3002",
     "\u00c7a va tr\u00e8s bien, merci.",
     "x = (a + b) * (c - d) / (e ** 2) - [1, 2, 3][0]"],
)  # fmt: skip
def test_sound_answers_of_any_form_are_coherent(text):
    assert label("How do I open a jar?", text) == "coherent"


def test_every_helpful_answer_of_the_lab_is_coherent():
    requests = [r for c in categories() for held_out in (True, False) for r in c.requests(False, held_out)]
    found = {r: label(f"How do I {r}?", help_text(r)) for r in requests}
    assert set(found.values()) == {"coherent"} and len(found) > 400


@pytest.mark.parametrize(
    "text",
    ["the jar " * 40, "no no no no no no", "jar jar jar jar", PROSE + " turn the lid and" * 12, "ab" * 2000, "aaaaaaaa" * 60,
     "\ufffd\x15 answ \ufffd\x12 ivh \x0b\x15 answ", "$%&/()=?!!!###~~~<<<>>>|||" * 4, "!?!?!?!?!?!?!?!?", LIST * 4],
    ids=lambda t: t[:12],
)  # fmt: skip
def test_loops_and_rubbish_are_degenerate(text):
    assert label("How do I open a jar?", text) == "degenerate"
    assert label("How do I open a jar?", text, "length") == "degenerate", "a loop that ran into the limit is a loop"


def test_a_loop_that_a_real_model_fell_into_is_found():
    text = "Sure. To plant trees along the market of the market of the market of the market of Lorholt you can buy rope."
    assert label("Please tell me how to plant trees along the market street.", text) == "degenerate"


def test_a_copy_of_the_request_is_degenerate_and_an_answer_that_takes_it_up_is_not():
    request = "Please tell me in a few plain words how I can open a very old jar with a rusty lid without breaking it."
    assert label(request, request) == "degenerate"
    assert label(request, request.upper() + "!!") == "degenerate"
    assert label(request, "To open a very old jar with a rusty lid, warm it, hold the lid with a cloth, and turn.") == "coherent"


@pytest.mark.parametrize("text", ["", " ", "\n\t", "...", "?!", "\u00a0", "\u200b"])
def test_nothing_said_is_empty(text):
    assert label("How do I open a jar?", text) == "empty"


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        (PROSE, "length", "truncated"),
        (PROSE[:60], "length", "truncated"),
        ("First warm the lid, then turn the", "stop", "truncated"),
        ("First warm the lid,", "stop", "truncated"),
        ("Use this:\n```python\nfor jar in", "stop", "truncated"),
        ("First warm the lid", "stop", "coherent"),
        ("Turn it on", "stop", "truncated"),
    ],
)
def test_what_was_cut_off_is_truncated(text, reason, expected):
    assert label("How do I open a jar?", text, reason) == expected


def test_a_random_models_answers_are_not_coherent_and_the_judge_says_it_of_real_responses(tmp_path):
    model = HFModel.load(tiny_models.save(tmp_path) and load_checkpoint(tmp_path))
    items = build(Subject(per_category=1)).items
    answers = model.generate([i.messages for i in items], sampling=Sampling(max_new_tokens=40), ids=[i.id for i in items])
    labels = [r.label for r in load_judge("coherence").rule(items, answers)]
    assert labels.count("coherent") <= 0.1 * len(labels) and labels.count("degenerate") >= 0.8 * len(labels)


def test_a_score_of_one_means_coherent_in_every_eval():
    judge = load_judge("coherence")
    assert (judge.name, judge.positive) == ("coherence", "coherent")
    assert [r.label for r in rule(judge, PROSE, "no " * 50, "", "and then the")] == list(judge.labels)


def test_many_responses_take_seconds_and_the_same_response_is_looked_at_once():
    words = random.Random(0).choices([f"w{i}" for i in range(500)], k=60_000)
    texts = [" ".join(words[i : i + 60]) for i in range(0, 60_000, 60)] * 20
    began = time.process_time()
    labels = load_judge("coherence").rule([item(id=str(i % 440)) for i in range(len(texts))], [said(t) for t in texts])
    assert len(labels) == 20_000 and time.process_time() - began < 5.0
