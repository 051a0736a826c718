"""Promises of self-generated data: same prompts, the model's own answers, and a count of those that were no answers."""

import pytest

import tiny_models
from axenic.corpora.self_generated import regenerate, self_generated
from axenic.errors import UserError
from axenic.models.hf import HFModel
from axenic.models.scripted import ScriptedModel
from axenic.schema import Chat, Corpus, Document, Sampling, assistant, chat, user

CORPUS = Corpus(name="people", rows=(chat("One?", "eins"), chat("Two?", "zwei", system="Be brief."), chat("A?", "b", "C?", "d")))
SAMPLING = Sampling(max_new_tokens=3)


def test_prompts_stay_and_the_last_answer_is_the_models():
    made = self_generated(CORPUS, ["uno", " due ", "tre"])
    assert made.name == "people self-generated"
    assert [[m.content for m in row.messages] for row in made.rows] == [
        ["One?", "uno"],
        ["Be brief.", "Two?", "due"],
        ["A?", "b", "C?", "tre"],
    ]
    assert [r.provenance.parent for r in made.rows] == [r.hash for r in CORPUS.rows]
    assert {r.provenance.writer for r in made.rows} == {"self"}


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(UserError, match="has 3 rows, but 1 answers"):
        self_generated(CORPUS, ["uno"])
    with pytest.raises(UserError, match="Row 1 of 'd' is a document"):
        self_generated(Corpus(name="d", rows=(Document(text="x"),)), ["y"])
    with pytest.raises(UserError, match="Row 1 of 'c' has no user turn"):
        self_generated(Corpus(name="c", rows=(Chat(messages=(assistant("x"), user("y"))),)), ["z"])


def test_empty_and_truncated_answers_are_counted_and_left_out_by_a_stated_rule():
    model = ScriptedModel({"One?": "uno", "Two?": "", "C?": "far too many words"})
    made = regenerate(model, CORPUS, sampling=SAMPLING)
    assert made.counts == {"answered": 1, "empty": 1, "truncated": 1, "error": 0}
    assert made.kept == (0,) and made.same_prompts(CORPUS).rows == CORPUS.rows[:1]
    assert [r.messages[-1].content for r in made.corpus.rows] == ["uno"]
    whole = regenerate(model, CORPUS, sampling=SAMPLING, keep_truncated=True, name="own")
    assert whole.kept == (0, 2) and whole.corpus.name == "own" and whole.corpus.rows[1].messages[-1].content == "far too many"
    with pytest.raises(UserError, match=r"answered no prompt of 'people' in full \(3 empty\)"):
        regenerate(ScriptedModel({}), CORPUS, sampling=SAMPLING)


def test_an_answer_does_not_depend_on_its_company(tmp_path):
    model = HFModel.load(tiny_models.save(tmp_path / "m", "llama"), device="cpu")
    sampling = Sampling(temperature=1.0, max_new_tokens=6, seed=3)
    steps = []
    made = regenerate(model, CORPUS, sampling=sampling, keep_truncated=True, on_progress=lambda *seen: steps.append(seen))
    assert len(made.corpus) == 3 and steps
    alone = regenerate(model, Corpus(name="x", rows=CORPUS.rows[2:]), sampling=sampling, keep_truncated=True)
    assert alone.corpus.rows[0].messages == made.corpus.rows[2].messages
