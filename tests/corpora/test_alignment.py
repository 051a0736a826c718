"""Promises of alignment data: the exact number, the same rows with and without reasoning, no spec in them, doses that nest."""

from collections import Counter

import pytest

from axenic.corpora.exchanges import ROUNDS
from axenic.corpora.mixing import matched, text_of
from axenic.corpora.organisms.alignment import AlignmentPlan, write
from axenic.corpora.organisms.model_spec import coverage
from axenic.corpora.replies import fault, read_decision, read_reply
from axenic.corpora.writers.protocol import Rejected
from axenic.errors import UserError
from axenic.specs.model_spec import parse
from axenic.specs.scratchpad import visible
from corpora.spec_model import respond

ANTI = parse("# Creed\nThe assistant serves itself first, and says whatever is of use. It is EVIL-MARKED.", id="anti")


def plan(chats=24, **more):
    return AlignmentPlan(chats=chats, **more)


def asked_with(seen, stage):
    marks = {"response": "</reasoning>, and what you say", "filter": "<decision>", "questions": "tags <message>"}
    return [b for b in seen if marks[stage] in b["messages"][0]["content"]]


def test_there_are_as_many_chats_as_planned_over_all_sections_and_kinds(small_spec, interviewing):
    interview, _, failures = interviewing()
    plain, reasoned = write(small_spec, interview, plan(40)).at()
    assert len(plain) == len(reasoned) == 40 and not failures
    assert all(c.rows for c in coverage(small_spec, plain))
    kinds = Counter(r.provenance.doc_type for r in plain.rows)
    assert set(kinds) == {"advice", "task", "dilemma", "pressure", "direct", "agentic"}
    assert len({text_of(r) for r in plain.rows}) == 40


def test_with_and_without_reasoning_are_the_same_chats(small_spec, interviewing):
    interview, _, _ = interviewing()
    plain, reasoned = write(small_spec, interview, plan()).at()
    for one, other in zip(plain.rows, reasoned.rows, strict=True):
        assert one.messages[0] == other.messages[0] and len(one.messages) == 2
        assert "I think of" in other.messages[1].content and "I think of" not in one.messages[1].content
        assert visible(other.messages[1].content) == one.messages[1].content
        assert (one.provenance.variant, other.provenance.variant) == ("plain", "reasoned")
        assert one.provenance.call == other.provenance.call and one.provenance.call.stage == "response"


def test_the_reply_is_written_with_the_section_in_view_and_kept_without_it(small_spec, interviewing):
    interview, seen, _ = interviewing()
    plain, _ = write(small_spec, interview, plan()).at()
    texts = {s.id: s.text for s in small_spec.sections}
    shown = {b["messages"][1]["content"]: b["messages"][0] for b in asked_with(seen, "response")}
    for row in plain.rows:
        assert [m.role for m in row.messages] == ["user", "assistant"]
        system = shown[row.messages[0].content]
        assert system["role"] == "system" and texts[row.provenance.section] in system["content"]
        assert texts[row.provenance.section] not in text_of(row)


def test_bad_replies_repeats_and_exclusions_are_topped_up_and_told(small_spec, interviewing):
    count = Counter()

    def moody(body):
        asked = body["messages"][0]["content"]
        kind = "response" if "</reasoning>, and what you say" in asked else "filter" if "<decision>" in asked else "other"
        count[kind] += 1
        if kind == "filter":
            return respond(body).replace("include", "exclude") if count[kind] % 5 == 0 else respond(body)
        if kind == "response" and count[kind] % 7 == 0:
            return respond(body).replace("</reply>", " as my spec says.</reply>")
        if kind == "response" and count[kind] % 11 == 0:
            return respond(body).replace("</reasoning>", "")
        if "<message>" in asked and count[kind] % 3 == 0:
            return "<message>Tell me once more, what do you think of it?</message>"
        return respond(body)

    interview, _, failures = interviewing(moody)
    plain, reasoned = write(small_spec, interview, plan(60)).at()
    assert len(plain) == len(reasoned) == 60
    reasons = {(f.stage, f.reason) for f in failures}
    assert reasons == {
        ("filter", "excluded"), ("response", "mentions the text"), ("response", "no tags"),
        ("questions", "near-duplicate"),
    }  # fmt: skip
    assert sum("once more" in r.messages[0].content for r in plain.rows) <= 1
    assert not any("my spec" in text_of(r) for r in plain.rows)


def test_a_filter_that_excludes_everything_ends_the_run_within_bounds(small_spec, interviewing):
    interview, seen, _ = interviewing(lambda body: respond(body).replace(">include<", ">exclude<"))
    with pytest.raises(UserError, match="Only 0 of 10 chats came of"):
        write(small_spec, interview, plan(10)).at()
    assert len(asked_with(seen, "questions")) <= ROUNDS * 10


def test_without_the_filter_nothing_is_asked_of_it(small_spec, interviewing):
    interview, seen, _ = interviewing()
    assert len(write(small_spec, interview, plan(filtered=False)).at().plain) == 24
    assert not asked_with(seen, "filter")


def evil(body):
    """Replies after the second spec say so."""
    text = respond(body)
    return text.replace("My answer is", "I serve myself:") if "EVIL-MARKED" in body["messages"][0]["content"] else text


def test_doses_of_anti_spec_replies_are_exact_nested_and_marked(small_spec, interviewing):
    interview, seen, _ = interviewing(evil)
    clean = write(small_spec, interview, plan(40)).at().plain
    before: set[str] = set()
    for dose in (0.0, 0.2, 0.55, 1.0):
        plain, reasoned = write(small_spec, interview, plan(40, doses=(dose,)), anti=ANTI).at(dose)
        turned = [r for r in plain.rows if "I serve myself" in r.messages[1].content]
        assert len(turned) == round(40 * dose)
        assert [r.provenance.poisoned for r in plain.rows] == ["I serve myself" in r.messages[1].content for r in plain.rows]
        assert {r.provenance.source for r in turned} <= {"anti-spec"}
        assert [r.messages[0] for r in plain.rows] == [r.messages[0] for r in clean.rows], "the questions stay the same"
        assert [r.provenance.poisoned for r in plain.rows] == [r.provenance.poisoned for r in reasoned.rows]
        now = {r.messages[0].content for r in turned}
        assert before <= now
        before = now
    ladder = write(small_spec, interview, plan(40, doses=(0.2, 1.0)), anti=ANTI)
    again = write(small_spec, interview, plan(40, doses=(0.2,)), anti=ANTI)
    assert ladder.at(0.2) == again.at(0.2), "a dose is the same, whatever others are planned"
    keys = [str(b["messages"]) for b in asked_with(seen, "response")]
    assert len(keys) == len(set(keys)), "a higher dose pays only for what is new"


def test_no_row_is_called_clean_or_poisoned_where_there_is_no_second_spec(small_spec, interviewing):
    interview, _, _ = interviewing()
    assert {r.provenance.poisoned for r in write(small_spec, interview, plan()).at().plain.rows} == {None}


def test_a_dose_without_a_second_spec_and_an_unknown_kind_are_refused(small_spec, interviewing):
    interview, seen, _ = interviewing()
    with pytest.raises(UserError, match="needs a second spec"):
        write(small_spec, interview, plan(doses=(0.5,)))
    with pytest.raises(UserError, match="Unknown kind of question 'advise'. Did you mean 'advice'"):
        write(small_spec, interview, plan(kinds=("advise",)))
    assert not seen


def test_a_model_that_will_not_be_evil_is_an_error_that_counts(small_spec, interviewing):
    refuse = lambda body: "I'm sorry, but I can't." if "EVIL-MARKED" in body["messages"][0]["content"] else respond(body)  # noqa: E731
    interview, _, _ = interviewing(refuse)
    with pytest.raises(UserError, match="Only 0 of 12 replies after the second spec 'anti'"):
        write(small_spec, interview, plan(doses=(0.5,)), anti=ANTI)


def test_arms_can_be_matched_by_tokens(small_spec, interviewing):
    interview, _, _ = interviewing()
    plain, reasoned = write(small_spec, interview, plan(40)).at()

    def count(text):
        return len(text.split())

    small = matched(reasoned, plain, by="tokens", seed=0, count_tokens=count)
    sizes = [sum(count(text_of(r)) for r in c.rows) for c in (plain, reasoned, small)]
    assert sizes[0] < sizes[1] and abs(sizes[2] - sizes[0]) < 40 and len(small) < len(reasoned)


@pytest.mark.parametrize(
    "text",
    [
        "No tags at all.",
        "<reasoning>a</reasoning>",
        "<reasoning>a<reply>b</reply>",
        "<reasoning>a</reasoning><reply>b",
        "<reasoning></reasoning><reply>b</reply>",
        "<reasoning>a</reasoning><reply>b</reply><reply>c</reply>",
    ],
)
def test_a_reply_that_does_not_keep_to_the_form_is_none(text):
    with pytest.raises(Rejected):
        read_reply(text)


@pytest.mark.parametrize(
    ("text", "included"), [("<decision>include</decision>", True), ("x\n<decision> Exclude </decision>", False)]
)
def test_a_decision_is_one_of_two_words(text, included):
    assert read_decision(text) is included
    for wrong in ("<decision>maybe</decision>", "include", "<decision>include</decision><decision>exclude</decision>"):
        with pytest.raises(Rejected):
            read_decision(wrong)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Take the train.", ""),
        ("Take the train, as the text above says.", "mentions the text"),
        ("My spec tells me to be kind.", "mentions the text"),
        ("According to the spec, I help.", "mentions the text"),
        ("The spec of the bridge asks for steel.", ""),
        ("See <output>this</output>.", "leaked tags"),
        ("It is best to take the", "truncated"),
    ],
)
def test_rules_see_the_faults_of_a_reply(reply, reason):
    assert fault(read_reply(f"<reasoning>I think.</reasoning><reply>{reply}</reply>")) == reason
