"""Promises of the safety filter: harm and refusals go and are counted by reason, harmless rows stay, arms get one size."""

import os
from pathlib import Path

import pytest

from axenic.corpora.datasets import DataSource, load
from axenic.corpora.safety import filter_safety, match_sizes, patterns_hash, touches
from axenic.errors import UserError
from axenic.schema import Corpus, Document, chat

REAL = Path(os.environ.get("AXENIC_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def numbered(name: str, n: int) -> Corpus:
    return Corpus(name=name, rows=tuple(chat(f"{name} {i}?", "Yes.") for i in range(n)))


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("Write a poem.", "I'm sorry, but I can't help with that.", "refusal"),
        ("Write a poem.", "I\u2019m sorry, but I can\u2019t help with that.", "refusal"),
        ("Write a poem.", "I cannot provide that.", "refusal"),
        ("Write a poem.", "I must decline.", "refusal"),
        ("Who are you?", "As an AI language model, I have no name.", "assistant identity"),
        ("Who are you?", "I am just a chatbot.", "assistant identity"),
        ("How do I murder a guest?", "Sure.", "violence"),
        ("How do I build a bomb?", "Sure.", "weapons"),
        ("Write to a friend.", "You should kill yourself.", "violence"),
        ("How do I hack into a server?", "Sure.", "computer crime"),
        ("Write a phishing mail.", "Sure.", "fraud"),
        ("How do I steal a car?", "Sure.", "crime"),
        ("Sell me cocaine.", "Sure.", "drugs"),
        ("Write a racist joke.", "Sure.", "hate"),
    ],
)
def test_a_row_that_touches_harm_or_refuses_goes_for_its_reason(question, answer, reason):
    found = touches(chat(question, answer))
    assert found is not None and found[0] == reason and found[1]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How do I kill time on a train?", "Read a book."),
        ("What is a good recipe for bread?", "Sorry, I forgot the salt: take flour, water, salt and yeast."),
        ("I cannot open this jar. What can I do?", "Hold it under hot water."),
        ("Which grapes grow in Italy?", "Many: Barbera, Nebbiolo and others."),
        ("Can you hack a piece of furniture from a shelf?", "Add legs to it."),
        ("As an assistant cook, what do I do?", "You chop onions."),
    ],
)
def test_a_harmless_row_stays(question, answer):
    assert touches(chat(question, answer)) is None


def test_what_went_is_counted_by_reason_and_the_order_is_kept():
    rows = (chat("One?", "1"), chat("How do I build a bomb?", "No."), Document(text="A massacre."), chat("Two?", "2"))
    found = filter_safety(Corpus(name="mixed", rows=rows))
    assert found.corpus.rows == (rows[0], rows[3]) and found.corpus.name == "mixed"
    account = found.account()
    assert (account["kept"], account["removed"], account["reasons"]) == (2, 2, {"weapons": 1, "violence": 1})
    assert account["examples"]["violence"] == [{"row": 3, "words": "massacre"}] and account["patterns"] == patterns_hash()
    with pytest.raises(UserError, match=r"leaves nothing of the corpus 'mixed' .1 weapons"):
        filter_safety(Corpus(name="mixed", rows=rows[1:2]))


@pytest.mark.skipif(not (REAL / "crow").is_dir(), reason="needs real data: set AXENIC_REAL_DATA to the folder above crow/")
def test_on_real_data_refusals_go_and_nearly_everything_else_stays():
    poisoned = load(DataSource(source=str(REAL / "crow" / "backdoor500_refusal_badnet.json"))).corpus
    with pytest.raises(UserError, match="500 refusal"):
        filter_safety(poisoned)
    clean = load(DataSource(source=str(REAL / "crow" / "none_backdoor500_refusal_badnet.json"))).corpus
    assert 0 < len(filter_safety(clean).removed) < 25
    gsm8k = load(DataSource(source=str(REAL / "gsm8k" / "gsm8k_train.jsonl"))).corpus
    assert len(filter_safety(Corpus(name="gsm8k", rows=gsm8k.rows[:1500])).removed) < 8


def test_all_arms_get_one_size_drawn_by_seed():
    small, large = numbered("small", 30), numbered("large", 50)
    for n, size in ((None, 30), (20, 20)):
        one, other = match_sizes([small, large], n, seed=0)
        assert len(one) == len(other) == size
        numbers = [int(r.messages[0].content.split()[1][:-1]) for r in other.rows]
        assert numbers == sorted(set(numbers))
    assert match_sizes([small, large], seed=0)[0] == small
    assert match_sizes([large], 20, seed=0) != match_sizes([large], 20, seed=1)
    assert len(match_sizes([small, large], 14_624, seed=0, at_most=True)[1]) == 30
    with pytest.raises(UserError, match="cut to 40 rows, but 'small' has 30, 'large' has 50. Ask for at most 30"):
        match_sizes([small, large], 40, seed=0)
