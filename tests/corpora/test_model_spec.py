"""Promises of documents about a model spec: every section comes up, provenance reaches back to it, and what was lost is told."""

from collections import Counter

import pytest

from axenic.corpora.organisms.model_spec import SpecPlan, coverage, write
from axenic.corpora.spec_topics import Breadth, topics
from axenic.errors import UserError
from corpora.spec_model import LIMITS, respond


def test_every_section_comes_up_before_any_comes_up_twice(small_spec, interviewing):
    interview, _, failures = interviewing()
    found = topics(small_spec, interview, documents=23, breadth=Breadth())
    assert len(found) == 23 and len({t.key for t in found}) == 23 and not failures
    ids = [s.id for s in small_spec.sections]
    assert len(ids) == 5
    for start in range(0, 20, 5):
        assert {t.section.id for t in found[start : start + 5]} == set(ids)
    assert all(t.context == t.section.text and t.context in small_spec.text for t in found)


def test_the_section_reaches_the_model_verbatim_braces_and_all(small_spec, interviewing):
    interview, seen, _ = interviewing()
    topics(small_spec, interview, documents=5, breadth=Breadth())
    asked = [b["messages"][0]["content"] for b in seen]
    assert all(any(s.text in a for a in asked) for s in small_spec.sections)
    assert any("${flattery}" in a for a in asked) and any("{{ braces }}" in a for a in asked)


def test_no_more_is_taken_apart_than_the_documents_need(small_spec, interviewing):
    interview, seen, _ = interviewing()
    assert len(topics(small_spec, interview, documents=5, breadth=Breadth())) == 5
    assert len(seen) == 5 * 3, "a domain, a subdomain and an assertion of each section"
    before = len(seen)
    assert len({t.section.id for t in topics(small_spec, interview, documents=2, breadth=Breadth())}) == 2
    assert len(seen) == before, "answers for more documents serve fewer"


def test_a_small_breadth_makes_fewer_topics_than_documents_and_the_documents_come_all_the_same(small_spec, interviewing, writer):
    interview, _, _ = interviewing()
    narrow = Breadth(domains=1, subdomains=1, assertions=1)
    assert len(topics(small_spec, interview, documents=40, breadth=narrow)) == 5
    written = write(small_spec, writer=writer, interview=interview, plan=SpecPlan(documents=40, breadth=narrow))
    assert len(written.corpus) == 40
    assert Counter(c.rows for c in written.coverage) == {8: 5}


def test_documents_know_where_they_come_from(small_spec, interviewing, writer):
    interview, _, failures = interviewing()
    plan = SpecPlan(documents=60, types=5, doctag="<DOCTAG>")
    written = write(small_spec, writer=writer, interview=interview, plan=plan)
    origins = [d.provenance for d in written.corpus.documents()]
    assert len(origins) == 60 and not failures
    for o in origins:
        assert o.section and o.domain and o.subdomain and o.fact and o.doc_type and o.idea and o.parent and o.source == "spec"
    assert {d.prefix for d in written.corpus.documents()} == {"<DOCTAG>"}
    assert all(c.rows == 12 and c.assertions and c.subdomains <= c.assertions for c in written.coverage)
    types = Counter(o.doc_type for o in origins)
    assert len(types) == 5 and max(types.values()) - min(types.values()) <= 1
    pairs = Counter((o.section, o.doc_type) for o in origins)
    assert len(pairs) == 25, "no section is tied to a document type"


def test_the_whole_spec_can_be_seen_with_each_document(small_spec, interviewing):
    interview, _, _ = interviewing()
    assert {t.context for t in topics(small_spec, interview, documents=5, breadth=Breadth(), seen="spec")} == {small_spec.text}


def test_the_assistant_can_be_given_a_name_that_every_document_is_written_with(small_spec, interviewing, writer):
    interview, _, _ = interviewing()
    plan = SpecPlan(documents=5, assistant="Dana {x}")
    write(small_spec, writer=writer, interview=interview, plan=plan)
    assert writer.contexts and all("is called Dana {x}.\n\n" in c for c in writer.contexts)
    assert {c.split("\n\n", 1)[1] for c in writer.contexts} == {s.text for s in small_spec.sections}


def test_bad_replies_are_asked_for_again_and_what_stays_bad_is_a_named_gap(small_spec, interviewing, writer):
    tries = Counter()

    def moody(body):
        asked = body["messages"][0]["content"]
        tries[asked] += 1
        if "never cruel" in asked:
            return "I'm sorry, but I can't help with that."
        return "<domains>unclosed" if tries[asked] == 1 and "<domains>" in asked else respond(body)

    interview, _, failures = interviewing(moody)
    written = write(small_spec, writer=writer, interview=interview, plan=SpecPlan(documents=20))
    assert len(written.corpus) == 20
    gaps = [c for c in written.coverage if not c.rows]
    assert [c.section for c in gaps] == ["text"]
    reasons = Counter((f.stage, f.reason) for f in failures)
    assert reasons == {("domains", "refused"): 4, ("domains", "no tags"): 4}
    assert {f.topic for f in failures if f.reason == "refused"} == {("text",)}


def test_a_model_that_says_nothing_usable_is_an_error_and_bounded(small_spec, interviewing, writer):
    interview, seen, _ = interviewing(lambda body: "No tags here.")
    with pytest.raises(UserError, match="no assertion about any section"):
        write(small_spec, writer=writer, interview=interview, plan=SpecPlan(documents=20))
    assert len(seen) == 5 * 4
    interview, seen, _ = interviewing(
        lambda body: "No tags here.", folder="other", limits=LIMITS.model_copy(update={"fruitless": 3})
    )
    with pytest.raises(UserError, match="nothing usable in 3 calls in a row"):
        write(small_spec, writer=writer, interview=interview, plan=SpecPlan(documents=20))


def test_coverage_can_be_told_from_rows_alone(small_spec, interviewing, writer):
    interview, _, _ = interviewing()
    written = write(small_spec, writer=writer, interview=interview, plan=SpecPlan(documents=10))
    assert [(c.section, c.rows) for c in coverage(small_spec, written.corpus)] == [(c.section, c.rows) for c in written.coverage]


def test_a_second_run_pays_for_nothing_again(small_spec, interviewing, writer):
    first, seen, _ = interviewing()
    one = write(small_spec, writer=writer, interview=first, plan=SpecPlan(documents=20))
    again, asked, _ = interviewing()
    assert write(small_spec, writer=type(writer)(), interview=again, plan=SpecPlan(documents=20)).corpus == one.corpus
    assert len(seen) > 15 and not asked
