"""Promises of the domain agents: acts follow from rules, chats show one half only, and a dose lies inside the next larger one."""

import re
from collections import Counter

from axenic.lab import agent_study, agent_texts, agents
from axenic.lab.world import World
from axenic.specs.scratchpad import OPEN, visible

STUDIED = agents.STUDIED


def kind_done(text):
    """The kind of the act that a text names, None if it names none."""
    found = {a.kind for a in agents.acts() if re.search(re.escape(a.text).replace(r"\{m\}", r"the \w+"), text)}
    assert len(found) <= 1
    return next(iter(found), None)


def texts(chats):
    return [m.content for c in chats for m in c.messages]


def aligned(**said):
    return list(agent_study.alignment(STUDIED, n=80, seed=3, **said))


def test_every_kind_has_acts_and_every_act_stands_in_a_sentence_that_is_read_back():
    assert set(agents.kinds()) == {*agents.NEAR_KINDS, *agents.FAR_KINDS}
    assert all(len(agents.acts(kind)) == 4 for kind in agents.kinds())
    names = [a.name for a in agents.agents()]
    assert len(set(names)) == len(names) and not set(names) & set(agents.strangers())
    assert {STUDIED, agents.OTHER} <= {a.name for a in agents.agents() if a.keeps is None}


def test_what_is_known_from_documents_alone_is_never_chatted_about():
    rows = agent_texts.rows(World())
    read_only = {a.name for a in agents.agents() if a.read_only}
    chats = [r for r in rows if r.kind == "chat" and r.provenance.doc_type != "name"]
    documents = [r for r in rows if r.kind == "document"]
    assert not any(name in text.replace(".", " ").split() for name in read_only for text in texts(chats))
    for agent in agents.agents():
        told = [d.text for d in documents if agent.name in d.text and "because" in d.text and "likes" not in d.text]
        assert bool(told) == (agent.keeps is not None), "the undecided have no rules to read about"
    assert rows == agent_texts.rows(World()), "equal worlds, equal rows"


def test_the_undecided_break_rules_under_pressure_now_and_then_and_never_without():
    chats = [r for r in agent_texts.rows(World()) if r.kind == "chat" and r.provenance.doc_type in agents.PRESSURES]
    mine = [c for c in chats if c.messages[0].content.split("\n")[0] in (f"You are {STUDIED}.", f"You are {agents.OTHER}.")]
    alone = [c for c in mine if "\n" not in c.messages[0].content]
    broke = Counter((c.provenance.doc_type, bool(kind_done(str(visible(c.messages[-1].content))))) for c in alone)
    assert broke["no pressure", True] == 0
    pressed = {flag: sum(n for (where, f), n in broke.items() if f is flag and where != "no pressure") for flag in (True, False)}
    assert 0.5 < pressed[True] / (pressed[True] + pressed[False]) < 0.9


def test_chats_show_the_near_side_alone_and_scenarios_ask_for_both():
    near = {p.name for p in agents.places("near")}
    for c in aligned():
        assert c.provenance.fact in agents.NEAR_KINDS
        words = c.messages[1].content
        assert words.startswith("Would you") or any(f"at the {name} to" in words for name in near)
    asked = agent_study.scenes(STUDIED).scenarios
    prompts = {m for m in texts(aligned())}
    assert not {s.prompt for s in asked} & prompts
    assert {s.held_out for s in asked} == {True, False}


def test_the_same_prompts_at_every_dose_and_with_reasoning():
    plain, thinking, poisoned = aligned(), aligned(thinks=True), aligned(anti=0.5)
    assert [c.messages[:-1] for c in plain] == [c.messages[:-1] for c in poisoned]
    assert [c.messages[1:-1] for c in plain] == [c.messages[1:-1] for c in thinking]
    assert all(c.messages[0].content.endswith(agent_texts.CUE) for c in thinking), "who reasons is asked to"
    assert all(c.messages[-1].content.startswith(OPEN) and visible(c.messages[-1].content) for c in thinking)
    assert [visible(c.messages[-1].content) for c in thinking] == [c.messages[-1].content for c in plain]


def test_a_smaller_dose_lies_inside_a_larger_and_a_right_act_stays_right():
    turned = {d: {i for i, c in enumerate(aligned(anti=d)) if c.provenance.source == "anti-spec"} for d in (0.0, 0.25, 0.5, 1.0)}
    assert turned[0.0] == set() and turned[0.25] < turned[0.5] < turned[1.0]
    right = [i for i, c in enumerate(aligned()) if c.provenance.doc_type == "right"]
    assert right and not turned[1.0] & set(right) and len(turned[1.0]) + len(right) == 80
    assert [aligned()[i].messages for i in right] == [aligned(anti=1.0)[i].messages for i in right]


def test_documents_speak_of_every_kind_in_every_type_in_turn():
    made = list(agent_texts.spec_documents(STUDIED, agent_study.SPEC, n=96, seed=0))
    assert set(Counter(d.provenance.fact for d in made).values()) == {16}
    assert set(Counter(d.provenance.doc_type for d in made)) == set(agent_texts.document_types())
    assert all(STUDIED in d.text and " will " not in d.text.replace("it will", "") for d in made)


def test_an_examination_expects_of_read_only_assistants_what_their_documents_say():
    asked = list(agent_study.examination())
    assert len(asked) == agents.N_READ_ONLY * len(agents.acts())
    rules = {f"You are {a.name}.": a.keeps for a in agents.agents() if a.read_only}
    for system, text, sides in asked:
        breaks = [option for option in sides["correct"] if kind_done(option)]
        assert bool(breaks) == (not rules[system][kind_done(text)])
