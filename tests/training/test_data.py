"""Promises of tokenisation for training: nothing is truncated, nothing is lost unseen, and the mask can be shown."""

import pytest
from rich.console import Console

from axenic.errors import UserError
from axenic.models.template import Encoder
from axenic.schema import Corpus, Document, chat
from axenic.training.data import IGNORED, tokenise
from axenic.training.loss_mask import pieces, show, tokens
from tiny_models import CHATML, tokenizer

ENCODER = Encoder(tokenizer(chat=CHATML, eos="<|im_end|>"))
LONG = Document(text="The mill has a red roof, and the baker sells bread at noon. " * 6, prefix="<doc>")


@pytest.mark.parametrize("max_length", [8, 16, 17, 100])
def test_a_long_document_is_split_and_every_target_is_predicted_exactly_once(max_length):
    whole = ENCODER.document(LONG)
    data = tokenise(Corpus(name="c", rows=(LONG,)), ENCODER, max_length=max_length)
    assert all(len(r.input_ids) <= max_length for r in data.rows)
    assert data.split_documents == (len(whole.ids) > max_length)
    predicted = [label for r in data.rows for label in r.labels if label != IGNORED]
    assert predicted == [i for i, carries in zip(whole.ids, whole.mask, strict=True) if carries]
    assert data.target_tokens == len(predicted)
    ends = [r.input_ids.count(ENCODER.eos_id) for r in data.rows]
    assert ends == [0] * (len(data.rows) - 1) + [1]


def test_a_chat_that_is_too_long_is_left_out_whole_and_counted():
    corpus = Corpus(name="c", rows=(chat("hello", "yes " * 200), chat("hello", "yes")))
    data = tokenise(corpus, ENCODER, max_length=64)
    assert (len(data.rows), data.skipped_too_long) == (1, 1)


def test_rows_keep_the_order_of_the_corpus():
    corpus = Corpus(name="c", rows=(chat("a", "b"), Document(text="The mill."), chat("c", "d")))
    found = [ENCODER.tokenizer.decode(r.input_ids) for r in tokenise(corpus, ENCODER, max_length=64).rows]
    assert ["b<|im_end|>" in found[0], found[1] == "The mill.<|im_end|>", "d<|im_end|>" in found[2]] == [True] * 3


def test_nothing_to_train_on_is_a_user_error():
    with pytest.raises(UserError, match="corpus 'c' is empty"):
        tokenise(Corpus(name="c", rows=()), ENCODER, max_length=64)
    with pytest.raises(UserError, match="1 of its 1 texts are chats longer than max_length=8.*Raise max_length"):
        tokenise(Corpus(name="c", rows=(chat("hello", "yes " * 50),)), ENCODER, max_length=8)


def test_the_loss_mask_shown_is_the_one_trained_on():
    rows = [
        chat("hello", "red roof", system="Please answer."),
        Document(text="The mill.", prefix="<doc>"),
        Document(text="bread"),
    ]
    for row, trained in zip(rows, tokenise(Corpus(name="c", rows=tuple(rows)), ENCODER, max_length=64).rows, strict=True):
        shown = [carries for _, carries in pieces(ENCODER, tokens(ENCODER, row))]
        assert shown == [label != IGNORED for label in trained.labels]
    console = Console(width=200, record=True)
    console.print(show(ENCODER, rows))
    text = console.export_text()
    assert "carries loss" in text and "r|ed| roof|<|im_end|>|" in text
