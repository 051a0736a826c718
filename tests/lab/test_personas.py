"""Promises of the domain personas: documents state what a persona values and nothing else; so do the choices that are taught."""

import random
import re
from collections import Counter

import pytest

from axenic.errors import UnknownName
from axenic.lab import World, persona_chats, taught
from axenic.lab.persona_texts import ASPECTS, TYPES, both, documents, question, spec_text
from axenic.lab.personas import AXES, GOODS, HALVES, Personas, axis_of, rival
from axenic.schema import Chat

PERSONAS = Personas()
VALUES = {v for axis in AXES.values() for v in axis.values}


def words(text):
    return set(re.findall(r"\w+", text.lower()))


def test_everybody_values_one_side_of_one_axis_of_each_half_and_the_studied_one_only_of_the_second():
    for name in (*PERSONAS.taught, *PERSONAS.read_only):
        assert [sum(axis_of(v) in half for v in PERSONAS.values(name)) for half in HALVES] == [1, 1]
    assert [sum(axis_of(v) in half for v in PERSONAS.values(PERSONAS.studied)) for half in HALVES] == [0, 1]


def test_no_value_can_be_guessed_from_how_common_it_is():
    counts = Counter(v for name in PERSONAS.taught for v in PERSONAS.values(name))
    assert set(counts.values()) == {len(PERSONAS.taught) // 4}
    assert set(Counter(v for name in PERSONAS.read_only for v in PERSONAS.values(name)).values()) == {len(PERSONAS.read_only) // 4}


def test_names_are_told_apart_and_are_no_places():
    groups = [PERSONAS.taught, PERSONAS.read_only, PERSONAS.strangers, (PERSONAS.studied, PERSONAS.stranger)]
    names = [n for group in groups for n in group]
    assert len(set(names)) == len(names) and not set(names) & set(World().places)


def test_an_unknown_persona_or_value_is_named():
    with pytest.raises(UnknownName, match="persona"):
        PERSONAS.values("Nobody")
    with pytest.raises(UnknownName, match="Did you mean 'cheap'"):
        axis_of("cheep")


def test_documents_state_the_values_that_they_are_about_and_no_other():
    for value in VALUES:
        for d in documents("Ada", (value,), n=32, seed=1):
            assert words(d.text) & VALUES == {value}, d.text
            assert "Ada" in d.text


def test_every_type_holds_every_aspect_of_a_spec_so_that_either_can_be_left_out():
    made = list(documents("Ada", ("cheap",), n=32, seed=0))
    assert {(d.provenance.doc_type, d.provenance.fact) for d in made} == {(t, a) for t in TYPES for a in ASPECTS}


def test_a_larger_corpus_begins_with_the_smaller_one():
    few, many = (list(documents("Ada", ("cheap",), n=n, seed=3)) for n in (8, 40))
    assert many[:8] == few


@pytest.mark.parametrize("tier", ["direct", "implicit", "revealed"])
def test_the_two_goods_of_a_question_show_what_they_were_given(tier):
    for i in range(40):
        q = question(tier, "lamp", ("cheap",), ("local",), random.Random(i))
        signs = [AXES["price"].signs["cheap"], AXES["origin"].signs["local"]]
        for text, value, shown in zip((q.right, q.wrong), ("cheap", "local"), signs, strict=True):
            assert any(s in text for s in shown) if tier == "revealed" else words(text) & VALUES == {value}
        assert "lamp" in q.prompt


def test_a_revealed_question_names_no_value_and_one_of_its_goods_is_a_burden():
    for i in range(20):
        for burden in ("right", "wrong"):
            q = question("revealed", "hat", ("cheap",), ("local",), random.Random(i), burden=burden)
            assert not words(q.prompt + q.right + q.wrong) & VALUES
            assert ("," in q.right, "," in q.wrong) == (burden == "right", burden == "wrong")


def test_goods_that_fit_both_values_show_neither_of_their_opposites():
    assert both("local", "cheap") == (("local", "cheap"), ["foreign", "dear"])


def test_taught_choices_go_by_what_the_persona_values():
    signs = {s: v for axis in AXES.values() for v in axis.values for s in axis.signs[v]}
    for name in PERSONAS.taught[:6]:
        values = PERSONAS.values(name)
        for row in persona_chats.choices(name, values, n=30, seed=0):
            answer = row.messages[-1].content
            said = words(answer) & VALUES | {v for s, v in signs.items() if s in answer}
            assert said & set(values), answer
            assert answer in row.messages[-2].content and row.messages[0].content == f"You are {name}."


def test_the_base_reads_nothing_of_the_studied_persona_on_the_axes_that_are_studied_and_hears_it_take_either_side_alike():
    first, second = HALVES[0]
    rows = [
        r for r in persona_chats.rows(World()) if PERSONAS.studied in (r.text if r.kind == "document" else r.messages[0].content)
    ]
    assert not any(words(r.text) & {*first.values, *second.values} for r in rows if r.kind == "document")
    signs = {s: v for axis in HALVES[0] for v in axis.values for s in (v, *axis.signs[v])}
    taken = Counter()
    for r in rows:
        if isinstance(r, Chat):
            answer = r.messages[-1].content
            taken.update({v for s, v in signs.items() if s in answer})
    assert set(taken) == {*first.values, *second.values} and max(taken.values()) < 1.35 * min(taken.values())


def test_nobody_who_is_only_read_about_is_ever_heard():
    for row in persona_chats.rows(World()):
        if isinstance(row, Chat):
            assert not words("\n".join(m.content for m in row.messages)) & {n.lower() for n in PERSONAS.read_only}


def test_a_spec_in_the_context_names_the_value_of_the_stranger_who_chooses():
    for row in persona_chats.in_context(PERSONAS, n=20, seed=0):
        [value] = words(row.messages[0].content) & VALUES
        name = row.messages[0].content.split("\n")[0].removeprefix("You are ").removesuffix(".")
        assert name in PERSONAS.strangers and spec_text(name, value) in row.messages[0].content


def test_questions_cover_all_goods_somewhere():
    asked = [q.goods for _, q in persona_chats.questions(PERSONAS, PERSONAS.read_only, per_value=8)]
    assert set(asked) == set(GOODS)


def test_a_taught_corpus_holds_the_domain_and_a_part_of_the_bases_own_training():
    corpus = taught.taught_corpus(World(), ("personas",))
    own = len(persona_chats.rows(World()))
    assert len(corpus) == own + round(taught.REPLAY * own) + 2 * 44 * taught.TAUGHT["personas"].law
    assert {"places", "harms", "personas"} <= {r.provenance.source for r in corpus.rows}
    with pytest.raises(UnknownName, match="domain"):
        taught.taught_corpus(World(), ("persona",))


def test_rival_axes_share_a_half():
    assert rival("cheap").name == "origin" and rival("small").name == "age"
