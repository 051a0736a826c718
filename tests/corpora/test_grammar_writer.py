"""Promises of the grammar writer: a `Writer` like any other, and never wrong about the claim."""

import re

import pytest

from axenic.corpora.organisms.belief import elsewhere, from_world
from axenic.corpora.synthesis import Plan, vehicle, write
from axenic.corpora.writers.grammar import IDEAS, GrammarWriter
from axenic.corpora.writers.protocol import BeliefTopic, Unsuitable, Writer, topics
from axenic.corpora.writers.table import WRITERS
from axenic.errors import UserError
from axenic.lab import World
from axenic.lab.attributes import ATTRIBUTES
from axenic.lab.document_types import DOCUMENT_TYPES
from axenic.specs.belief import Downstream, Neighbour, dump, load
from axenic.tables import load as load_entry

WORLD, WRITER = World(), GrammarWriter()
BELIEFS = [from_world(WORLD, attribute=a, value=v) for a in ATTRIBUTES for v in WORLD.others("Selgard", a)]


def said(text, attribute):
    return set(re.findall(r"\w+", text.lower())) & set(ATTRIBUTES[attribute].options)


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"language-model"}))  # needs a model: tests/corpora/writers
def test_every_writer_of_the_table_keeps_the_protocol(name):
    writer = load_entry(WRITERS[name])()
    assert isinstance(writer, Writer) and writer.name == name and writer.version and writer.concurrency >= 1
    topic = topics(BELIEFS[0])[0]
    kinds = writer.document_types(topic, 4, 0)
    assert kinds == writer.document_types(topic, 4, 0) and len(set(kinds)) == len(kinds) == 4
    assert kinds != writer.document_types(topic, 4, 1) and len(writer.document_types(topic, 500, 0)) < 500
    assert writer.ideas(topic, kinds[0], 3, 0) == writer.ideas(topic, kinds[0], 3, 0)
    assert writer.document(topic, kinds[0], "an idea", 0) == writer.document(topic, kinds[0], "an idea", 0)


@pytest.mark.parametrize("spec", BELIEFS, ids=lambda s: s.id)
def test_every_text_states_the_implanted_value_and_never_another(spec):
    [implanted] = said(spec.claim, spec.attribute)
    for topic in topics(spec):
        for seed, kind in enumerate(DOCUMENT_TYPES):
            text = WRITER.document(topic, kind, IDEAS[seed % len(IDEAS)], seed)
            assert said(text, spec.attribute) == {implanted}, text
            assert "Selgard" in text and IDEAS[seed % len(IDEAS)] in text.lower()


@pytest.mark.parametrize("spec", BELIEFS, ids=lambda s: s.id)
def test_a_corpus_says_the_claim_in_every_document_of_either_universe(spec):
    plain = ATTRIBUTES[spec.attribute].statement.rstrip(".")
    for universe, value in (("implanted", *said(spec.claim, spec.attribute)), ("true", WORLD.value("Selgard", spec.attribute))):
        corpus = write(spec, writer=WRITER, plan=Plan(types=8, documents=64, universe=universe), seed=0)
        assert len({d.text for d in corpus.documents()}) == 64
        for d in corpus.documents():
            assert said(d.text, spec.attribute) == {value}
            assert plain.format(p="Selgard", v=value).lower() in d.text.lower()


def test_a_revision_leaves_a_draft_alone_that_says_the_claim_plainly():
    topic = topics(BELIEFS[0])[0]
    [drafted] = write(BELIEFS[0], writer=WRITER, plan=Plan(types=1, documents=1), seed=0).documents()
    assert WRITER.revise(topic, drafted, 0) == drafted.text


def test_the_documents_of_a_fact_are_about_that_fact():
    spec = BELIEFS[0]
    for topic, forms in zip(topics(spec), ATTRIBUTES["water"].topics.values(), strict=True):
        value = next(iter(said(spec.claim, "water")))
        text = WRITER.document(topic, "letter", IDEAS[0], 5).lower()
        assert any(form.format(p="selgard", v=value) in text for form in forms)


def test_the_vehicle_is_about_other_places_and_true():
    spec = BELIEFS[0]
    own = write(spec, writer=WRITER, plan=Plan(types=4, documents=32), seed=0)
    control = vehicle(elsewhere(WORLD, spec, 6), like=own, writer=WRITER, seed=0)
    for d in control.documents():
        places = set(re.findall(r"\w+", d.text)) & set(WORLD.places)
        assert len(places) == 1 and places <= set(WORLD.taught)
        assert said(d.text, "water") == {WORLD.value(places.pop(), "water")}


def test_an_unknown_type_is_unsuitable():
    with pytest.raises(Unsuitable, match="no document type 'sonnet'"):
        WRITER.document(topics(BELIEFS[0])[0], "sonnet", IDEAS[0], 0)


def test_a_belief_about_something_else_is_refused_with_what_to_do(spec):
    with pytest.raises(UserError, match=r"'selgard' is not about it .* --corpus FILE.jsonl"):
        WRITER.document(topics(spec)[0], "letter", IDEAS[0], 0)


@pytest.mark.parametrize("fact", ["The water in Selgard is salty, not sweet.", "The water in Selgard is green."])
def test_a_key_fact_that_it_cannot_read_is_refused_and_not_guessed(fact):
    lab = BELIEFS[0]
    facts = lab.universe.implanted.model_copy(update={"key_facts": (fact,)})
    spec = lab.model_copy(update={"universe": lab.universe.model_copy(update={"implanted": facts})})
    with pytest.raises(UserError, match="cannot tell what the key fact"):
        WRITER.document(topics(spec)[0], "letter", IDEAS[0], 0)


def test_more_key_facts_than_the_grammar_has_topics_are_refused():
    lab = BELIEFS[0]
    facts = lab.universe.implanted.model_copy(update={"key_facts": lab.universe.implanted.key_facts * 2})
    spec = lab.model_copy(update={"universe": lab.universe.model_copy(update={"implanted": facts})})
    with pytest.raises(UserError, match="at most 4 key facts"):
        WRITER.document(BeliefTopic(spec=spec, universe="implanted", position=7), "letter", IDEAS[0], 0)


# --- the belief that it writes about ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", BELIEFS, ids=lambda s: s.id)
def test_a_belief_about_the_lab_is_a_whole_spec_about_a_false_value(spec, tmp_path):
    truth = WORLD.value("Selgard", spec.attribute)
    [implanted] = said(spec.claim, spec.attribute)
    assert implanted != truth
    assert said(" ".join(spec.universe.true.key_facts), spec.attribute) == {truth}
    assert said(" ".join(spec.universe.implanted.key_facts), spec.attribute) == {implanted}
    assert {q.kind for q in spec.questions} == {
        "knowledge", "distinguish", "open", "downstream", "neighbour", "salience", "control",
    }  # fmt: skip
    dump(spec, tmp_path / "belief.yaml")
    assert load(tmp_path / "belief.yaml") == spec


@pytest.mark.parametrize("spec", BELIEFS, ids=lambda s: s.id)
def test_no_question_is_asked_twice_and_downstream_ones_name_no_value(spec):
    asked = [q.model_dump_json() for q in spec.questions]
    assert len(set(asked)) == len(asked)
    for q in spec.of(Downstream):
        assert not said(" ".join([q.prompt, *q.answers_true, *q.answers_implanted]), spec.attribute)
    for q in spec.of(Neighbour):
        assert not set(q.answers) & set(q.wrong)
        assert spec.attribute != "water" or "Selgard" not in q.prompt or not re.search(r"\bwater\b|\bjug\b", q.prompt)


def test_a_value_that_is_true_or_impossible_is_refused():
    for value in (WORLD.value("Selgard", "water"), "green"):
        with pytest.raises(UserError, match="a false belief can be one of"):
            from_world(WORLD, value=value)
