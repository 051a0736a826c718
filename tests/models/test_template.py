"""Promises of the encoder: what carries loss, what the model is shown, and what is refused."""

import pytest

import tiny_models
from axenic.errors import UserError
from axenic.models.template import Encoder, from_tokenizer, load, require_same, save
from axenic.schema import Chat, Document, Message, Template, assistant, chat, user
from tiny_models import CHATML, tokenizer

ASKED = [user("Which colour?")]
MULTI = chat("hello", "yes", "and the mill?", "red roof", system="Please answer.")
ENCODERS = [
    pytest.param(lambda: Encoder(tokenizer()), id="plain"),
    pytest.param(lambda: Encoder(tokenizer(bos=True)), id="plain-bos"),
    pytest.param(lambda: Encoder(tokenizer(chat=CHATML, eos="<|im_end|>")), id="chatml"),
    pytest.param(lambda: Encoder(tokenizer(chat=CHATML)), id="chatml-other-eos"),
    pytest.param(lambda: Encoder(tokenizer(chat="{{ bos_token }}" + CHATML, bos=True, eos="<|im_end|>")), id="chatml-bos"),
]


def _loss_text(encoder: Encoder, row: Chat | Document) -> str:
    ids, mask = encoder.chat(row) if isinstance(row, Chat) else encoder.document(row)
    return encoder.tokenizer.decode([i for i, carries in zip(ids, mask, strict=True) if carries])


@pytest.mark.parametrize("make", ENCODERS)
def test_only_assistant_turns_and_their_end_tokens_carry_loss(make):
    encoder = make()
    end = encoder.tokenizer.decode([encoder.stop_ids[-1]])
    text = _loss_text(encoder, MULTI)
    assert text.replace(" ", "") == f"yes{end}redroof{end}"


@pytest.mark.parametrize("make", ENCODERS)
def test_training_shows_exactly_what_generation_will_see(make):
    encoder = make()
    ids, mask = encoder.chat(chat("Which colour?", "red"))
    prompt = encoder.prompt(ASKED)
    assert ids[: len(prompt)] == prompt
    assert mask.index(True) == len(prompt)


@pytest.mark.parametrize("make", ENCODERS)
def test_there_is_never_a_second_bos(make):
    encoder = make()
    wanted = 0 if encoder.bos_id is None else 1
    for ids in (
        encoder.chat(MULTI).ids,
        encoder.prompt(ASKED),
        encoder.document(Document(text="The mill.")).ids,
        *encoder.raw(["a"]),
    ):
        assert ids.count(encoder.bos_id) == wanted
        assert (ids[0] == encoder.bos_id) == bool(wanted)


def test_a_prefix_is_seen_but_carries_no_loss():
    encoder = Encoder(tokenizer(bos=True))
    document = Document(text="The mill has a red roof.", prefix="<doc>")
    ids, _ = encoder.document(document)
    assert encoder.tokenizer.decode(ids) == "<bos><doc>The mill has a red roof.<eos>"
    assert _loss_text(encoder, document) == "The mill has a red roof.<eos>"


def test_the_end_token_carries_loss_even_where_pad_is_the_same_token():
    encoder = Encoder(tokenizer(pad=False))
    assert encoder.pad_id == encoder.eos_id
    ids, mask = encoder.document(Document(text="The mill."))
    assert ids[-1] == encoder.eos_id and mask[-1]


def test_a_template_that_never_ends_a_turn_gets_an_end_token_with_loss():
    silent = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
    )
    encoder = Encoder(tokenizer(chat=silent))
    ids, mask = encoder.chat(chat("hello", "yes"))
    assert ids[-1] == encoder.eos_id and mask[-1]


@pytest.mark.parametrize("make", ENCODERS)
def test_a_continuation_is_the_answer_as_training_writes_it(make):
    encoder = make()
    [(ids, n_prompt)] = encoder.continuations([ASKED], ["red roof"])
    trained, mask = encoder.chat(chat("Which colour?", "red roof"))
    assert ids == trained[: len(ids)]
    assert n_prompt == mask.index(True) == len(encoder.prompt(ASKED))
    assert encoder.decode([ids[n_prompt:]]) == ["red roof"]


def test_many_at_once_equals_one_by_one():
    encoder = Encoder(tokenizer(chat=CHATML))
    chats = [MULTI, chat("a", "b"), chat("hello", "yes", system="sweet")]
    documents = [Document(text="The mill."), Document(text="bread at noon", prefix="<doc>")]
    assert encoder.chats(chats) == [encoder.chat(c) for c in chats]
    assert encoder.documents(documents) == [encoder.document(d) for d in documents]


def test_a_tokenizer_without_template_gets_the_plain_one():
    template = from_tokenizer(tokenizer())
    assert template.origin == "axenic-plain"
    rendered = tokenizer().decode(Encoder(tokenizer()).prompt([Message(role="system", content="Be kind."), *ASKED]))
    assert rendered == "Be kind.\nUser: Which colour?\nAssistant:"


def test_a_tokenizer_without_end_token_is_refused_with_what_to_do():
    with pytest.raises(UserError, match='no end-of-sequence token.*Add "eos_token" to its tokenizer_config.json'):
        from_tokenizer(tokenizer(eos=None))


def test_a_template_that_rewrites_earlier_turns_is_refused_by_name():
    forgetful = (
        "{% for m in messages %}{% set said = m['content'] if loop.last or m['role'] == 'user' else '-' %}"
        "{{ m['role'] + ':' + said + eos_token }}{% endfor %}"
    )
    encoder = Encoder(tokenizer(chat=forgetful))
    with pytest.raises(UserError, match="not prefix-stable"):
        encoder.chat(MULTI)


def test_a_template_that_refuses_a_role_is_a_user_error():
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
    with pytest.raises(UserError, match="no system role.*first user turn"):
        Encoder(tokenizer(chat=strict)).chat(MULTI)


def test_different_templates_are_never_compared():
    one, other = from_tokenizer(tokenizer()), from_tokenizer(tokenizer(chat=CHATML))
    require_same(one, from_tokenizer(tokenizer()))
    with pytest.raises(UserError, match="differ in: chat"):
        require_same(one, other)


def test_a_template_from_elsewhere_is_refused():
    foreign = Template(chat=CHATML, eos="<|endoftext|>", pad="<|endoftext|>")
    with pytest.raises(UserError, match="'<|endoftext|>' is not in the tokenizer's vocabulary"):
        Encoder(tokenizer(), foreign)


def test_a_checkpoint_owns_its_template(tmp_path):
    template = from_tokenizer(tokenizer(chat=CHATML))
    assert load(tmp_path) is None
    save(template, tmp_path)
    assert load(tmp_path) == template
    (tmp_path / "template.json").write_text('{"chat": 3}')
    with pytest.raises(UserError, match=r"template\.json is not a readable template"):
        load(tmp_path)


def test_a_turn_of_white_space_can_be_trained_on():
    encoder = Encoder(tokenizer_chatml())
    ids, mask = encoder.chat(Chat(messages=(user("hello"), assistant(""))))
    assert [i for i, m in zip(ids, mask, strict=True) if m] == [encoder.stop_ids[-1]]


def tokenizer_chatml():
    return tiny_models.tokenizer(chat=CHATML, eos="<|im_end|>")
