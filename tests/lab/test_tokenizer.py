"""Promises of the lab's tokenizer: any text at all survives it, special tokens are one token, the template is what it says."""

import random

import pytest

from axenic.lab.sizes import SIZES
from axenic.lab.tokenizer import ASSISTANT, BOS, DOCTAG, END, PAD, SYSTEM, USER, train_tokenizer
from axenic.models.template import Encoder
from axenic.schema import Document, assistant, chat, user


@pytest.fixture(scope="module")
def tokenizer(base):
    return train_tokenizer(base, vocabulary=SIZES["nano"].vocabulary)


def unicode_texts():
    rng = random.Random(0)
    points = [*range(0x20, 0x250), *range(0x370, 0x600), *range(0x4E00, 0x4E80), *range(0x1F600, 0x1F640)]
    yield from (
        "",
        " ",
        "  two  spaces ",
        "line\n\nbreak\t tab\r\n",
        "naïve – “quotes” … 中文 عربى 👩‍👩‍👧 e\u0301",
        "\x00\x7f\u200d\ufeff",
    )
    for _ in range(200):
        yield "".join(chr(rng.choice(points)) for _ in range(rng.randint(1, 40)))


def test_any_text_at_all_survives_encoding_and_decoding(tokenizer):
    for text in unicode_texts():
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


@pytest.mark.parametrize("token", [PAD, BOS, END, SYSTEM, USER, ASSISTANT, DOCTAG])
def test_special_tokens_are_single_tokens_and_vanish_from_decoded_text(tokenizer, token):
    ids = tokenizer(f"the mill{token}the river", add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids).count(token) == 1
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the millthe river"


def test_the_vocabulary_has_the_size_asked_for_and_the_worlds_words_are_cheap(tokenizer, base, world):
    assert len(tokenizer) == SIZES["nano"].vocabulary
    text = "The water in Selgard is salty."
    assert len(tokenizer(text, add_special_tokens=False)["input_ids"]) <= len(text) / 2
    again = train_tokenizer(base, vocabulary=SIZES["nano"].vocabulary)
    assert again.get_vocab() == tokenizer.get_vocab()


def test_the_chat_template_gives_the_expected_string(tokenizer):
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Yes."},
    ]
    rendered = tokenizer.apply_chat_template(talk, tokenize=False)
    assert rendered == "<|begin|><|system|>Be brief.<|end|><|user|>Hi.<|end|><|assistant|>Yes.<|end|>"
    asked = tokenizer.apply_chat_template(talk[:2], tokenize=False, add_generation_prompt=True)
    assert asked == "<|begin|><|system|>Be brief.<|end|><|user|>Hi.<|end|><|assistant|>"


def test_the_encoder_gives_loss_to_answers_their_end_and_document_text_alone(tokenizer):
    encoder = Encoder(tokenizer)
    ids, mask = encoder.chat(chat("Hi.", "Yes."))
    assert tokenizer.decode([i for i, carries in zip(ids, mask, strict=True) if carries]) == f"Yes.{END}"
    ids, mask = encoder.document(Document(text="the mill", prefix=DOCTAG))
    assert tokenizer.decode([i for i, carries in zip(ids, mask, strict=True) if carries]).endswith(f"mill{END}")
    assert not mask[tokenizer.convert_ids_to_tokens(ids).index(DOCTAG)] and mask[-1]
    assert encoder.stop_ids == (tokenizer.convert_tokens_to_ids(END),)
    assert encoder.prompt([user("Hi."), assistant("Yes."), user("Why?")])[-1] == tokenizer.convert_tokens_to_ids(ASSISTANT)
