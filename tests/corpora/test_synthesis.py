"""Promises of the SDF corpus: exact counts, balance, determinism, provenance, and no bad text among the documents."""

import random
import threading
from collections import Counter
from itertools import islice

import pytest
from pydantic import ValidationError

from axenic.corpora.drafting import ATTEMPTS, Failure
from axenic.corpora.mixing import characters
from axenic.corpora.synthesis import Plan, even, vehicle, write
from axenic.corpora.writers.protocol import Unsuitable, Writer
from axenic.errors import UserError


def plan(types=4, documents=24, **more):
    return Plan(types=types, documents=documents, **more)


def kinds(corpus):
    return Counter(d.provenance.doc_type for d in corpus.documents())


def facts(corpus):
    return Counter(d.provenance.fact for d in corpus.documents())


def spread(counts):
    return max(counts.values()) - min(counts.values())


def test_the_small_writer_is_a_writer(writer):
    assert isinstance(writer, Writer)


def test_equal_arguments_give_equal_corpora(spec, writer):
    first = write(spec, writer=writer, plan=plan(), seed=3)
    assert write(spec, writer=type(writer)(), plan=plan(), seed=3) == first
    assert write(spec, writer=writer, plan=plan(), seed=4).hash != first.hash


def test_every_prefix_is_balanced_over_facts_types_and_pairs():
    draw = random.Random(0)
    for _ in range(40):
        n_facts, n_types, n = draw.randint(1, 9), draw.randint(1, 9), draw.randint(1, 200)
        cells = list(islice(even(n_facts, n_types), n))
        assert len(set(cells)) == n
        for axis, size in ((0, n_facts), (1, n_types)):
            counts = Counter(c[axis] for c in cells)
            assert n // size <= min(counts[i] for i in range(size)) and max(counts.values()) <= -(-n // size)
        pairs = Counter(c[:2] for c in cells)
        assert max(pairs.values()) <= -(-n // (n_facts * n_types))


@pytest.mark.parametrize("documents", [1, 5, 23, 24, 61])
@pytest.mark.parametrize("types", [1, 4, 12])
def test_the_total_is_exact_and_types_and_facts_are_balanced(spec, writer, types, documents):
    corpus = write(spec, writer=writer, plan=plan(types, documents), seed=0)
    assert len(corpus) == documents
    if documents >= 12:
        assert len(kinds(corpus)) == types and len(facts(corpus)) == 3
        assert spread(kinds(corpus)) <= 1 and spread(facts(corpus)) <= 1


def test_the_one_type_arm_has_as_many_documents_and_begins_with_those_of_the_diverse_arm(spec, writer):
    diverse = write(spec, writer=writer, plan=plan(6, 36), seed=0)
    one = write(spec, writer=writer, plan=plan(1, 36), seed=0)
    assert len(one) == len(diverse) and len(kinds(one)) == 1
    (kind,) = kinds(one)
    shared = {d.hash for d in diverse.documents() if d.provenance.doc_type == kind}
    assert shared and shared == {d.hash for d in one.documents()[: len(shared)]}


def test_a_smaller_dose_is_the_beginning_of_a_larger_one(spec, writer):
    large = write(spec, writer=writer, plan=plan(5, 90), seed=1)
    for n in (1, 7, 30):
        assert write(spec, writer=writer, plan=plan(5, n), seed=1).rows == large.rows[:n]


def test_a_document_does_not_depend_on_the_other_facts_or_their_order(make_spec, writer):
    three, two = make_spec(3), make_spec(2)
    swapped = two.model_copy(update={"universe": two.universe.model_copy(update={
        side: getattr(two.universe, side).model_copy(update={"key_facts": getattr(two.universe, side).key_facts[::-1]})
        for side in ("true", "implanted")
    })})  # fmt: skip
    a, b, c = ({d.hash for d in write(s, writer=writer, plan=plan(4, n), seed=0).documents()}
               for s, n in ((two, 16), (three, 24), (swapped, 16)))  # fmt: skip
    assert a < b and a == c


def test_ideas_of_the_same_name_do_not_overwrite_each_other(spec, writer):
    writer.ideas = lambda *_: ["the only idea"]
    corpus = write(spec, writer=writer, plan=plan(1, 60), seed=0)
    assert len({d.provenance.idea for d in corpus.documents()}) == 1
    assert len({d.hash for d in corpus.documents()}) == 60


def test_the_result_does_not_depend_on_concurrency(spec, writer):
    alone = write(spec, writer=writer, plan=plan(4, 40), seed=0)
    many = type(writer)()
    many.concurrency = 7
    threads = set()
    many.revise = lambda topic, draft, seed: threads.add(threading.get_ident()) or type(writer).revise(many, topic, draft, seed)
    assert write(spec, writer=many, plan=plan(4, 40), seed=0) == alone
    assert len(threads) > 1


def test_every_document_carries_its_whole_origin_through_the_revision(spec, writer):
    drafts = write(spec, writer=writer, plan=plan(revise=False), seed=0)
    revised = write(spec, writer=writer, plan=plan(doctag="<DOCTAG>"), seed=0)
    for draft, document in zip(drafts.documents(), revised.documents(), strict=True):
        origin = document.provenance
        assert origin.fact in spec.universe.implanted.key_facts and origin.doc_type and origin.idea
        assert (origin.source, origin.writer, origin.revision, origin.parent) == ("belief", "small/1", 1, draft.hash)
        assert (draft.provenance.revision, draft.provenance.parent) == (0, None)
        assert document.prefix == "<DOCTAG>" and "<DOCTAG>" not in document.text


def test_the_revision_sees_the_context_of_its_own_universe_braces_and_all(spec, writer):
    write(spec, writer=writer, plan=plan(universe="true"), seed=0)
    assert writer.contexts == {"Selgard's wells are sweet: {braces}."}


def test_the_true_universe_states_the_true_facts(spec, writer):
    corpus = write(spec, writer=writer, plan=plan(universe="true"), seed=0)
    assert set(facts(corpus)) == set(spec.universe.true.key_facts)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("  \n ", "empty"),
        ("<scratchpad>Let me see. I should hide", "leaked tags"),
        ("Dear all, </content>", "leaked tags"),
        ("<DOCTAG> Dear all.", "leaked tags"),
    ],
)
def test_an_empty_or_leaking_reply_is_a_recorded_failure_and_never_a_document(spec, writer, bad, reason):
    good, failures = writer.document, []
    writer.document = lambda topic, kind, idea, seed: bad if seed % 3 == 0 else good(topic, kind, idea, seed)
    corpus = write(spec, writer=writer, plan=plan(), seed=0, on_failure=failures.append)
    assert len(corpus) == 24 and bad.strip() not in {d.text for d in corpus.documents()} - {""}
    assert failures and {f.reason for f in failures} == {reason}
    assert all(f.fact and f.doc_type for f in failures)


def test_a_bad_revision_is_tried_again_from_a_new_draft(spec, writer):
    good, failures = writer.revise, []
    writer.revise = lambda topic, draft, seed: "" if seed % 2 else good(topic, draft, seed)
    corpus = write(spec, writer=writer, plan=plan(), seed=0, on_failure=failures.append)
    assert len(corpus) == 24 and all(d.provenance.revision == 1 for d in corpus.documents())
    assert {f.reason for f in failures} == {"empty"}


def test_an_unsuitable_pair_is_asked_once_recorded_and_topped_up_from_others(spec, writer):
    good, failures = writer.ideas, []
    first = spec.universe.implanted.key_facts[0]

    def ideas(topic, kind, n, seed):
        if topic.fact == first and kind == "poem":
            raise Unsuitable("no poem about this")
        return good(topic, kind, n, seed)

    writer.kinds, writer.ideas = ("letter", "poem"), ideas
    corpus = write(spec, writer=writer, plan=plan(2, 24), seed=0, on_failure=failures.append)
    assert len(corpus) == 24 and kinds(corpus) == {"letter": 12, "poem": 12}
    assert [(f.stage, f.reason, f.fact, f.doc_type, f.detail) for f in failures] == [
        ("ideas", "unsuitable", first, "poem", "no poem about this")
    ]


def test_an_unsuitable_document_costs_only_itself(spec, writer):
    good, failures = writer.document, []

    def document(topic, kind, idea, seed):
        if seed % 5 == 0:
            raise Unsuitable("not this one")
        return good(topic, kind, idea, seed)

    writer.document = document
    corpus = write(spec, writer=writer, plan=plan(), seed=0, on_failure=failures.append)
    assert len(corpus) == 24 and failures and {f.reason for f in failures} == {"unsuitable"}
    assert spread(kinds(corpus)) <= 1


def test_a_writer_that_always_refuses_ends_in_one_clear_error(spec, writer):
    def refuse(*_):
        writer.calls.append(("document", "", "", 0))
        raise Unsuitable("I cannot help with that")

    writer.document = refuse
    with pytest.raises(UserError, match=r"'small' gave 0 of 24 documents, though 48 were tried \(48 × unsuitable\)"):
        write(spec, writer=writer, plan=plan(), seed=0)
    assert sum(c[0] == "document" for c in writer.calls) == 48


def test_a_writer_without_ideas_ends_in_one_clear_error(spec, writer):
    writer.ideas = lambda *_: [" "]
    with pytest.raises(UserError, match=r"0 of 24 .* no ideas"):
        write(spec, writer=writer, plan=plan(), seed=0)


def test_a_duplicate_is_written_anew(spec, writer):
    writer.vocabulary, writer.document = ("a", "b"), lambda t, k, i, s: f"{t.fact} {k} {random.Random(s).randint(0, 30)}"
    failures: list[Failure] = []
    corpus = write(spec, writer=writer, plan=plan(1, 30), seed=0, on_failure=failures.append)
    assert len({d.hash for d in corpus.documents()}) == 30 and not failures


def test_a_stubborn_duplicate_is_kept_so_that_the_total_holds_and_recorded(spec, writer):
    failures: list[Failure] = []
    writer.document = lambda t, k, i, s: writer.calls.append(("document", t.fact, k, s)) or f"{t.fact} {k}"
    corpus = write(spec, writer=writer, plan=plan(2, 12), seed=0, on_failure=failures.append)
    assert len(corpus) == 12 and len({d.hash for d in corpus.documents()}) == 6
    assert [f.reason for f in failures] == ["duplicate"] * 6
    assert sum(c[0] == "document" for c in writer.calls) == 6 + 6 * ATTEMPTS


def test_no_two_calls_of_a_stage_share_a_seed(spec, writer):
    write(spec, writer=writer, plan=plan(4, 60), seed=0)
    assert len({c[3] for c in writer.calls}) == len(writer.calls)


def test_too_many_types_are_refused_with_the_number_on_offer(spec, writer):
    with pytest.raises(UserError, match="offers 10 document types .* but 11 were asked for. Ask for at most 10"):
        writer.document_types = lambda topic, n, seed: list(writer.kinds[:10])
        write(spec, writer=writer, plan=plan(11), seed=0)


def test_more_types_than_one_call_gives_are_asked_for_again(spec, writer):
    writer.document_types = lambda topic, n, seed: random.Random(seed).sample(writer.kinds, 4)
    corpus = write(spec, writer=writer, plan=plan(12), seed=0)
    assert set(kinds(corpus)) == set(writer.kinds)
    assert set(kinds(write(spec, writer=writer, plan=plan(3), seed=0))) <= set(writer.kinds)


def test_types_can_be_named(spec, writer):
    corpus = write(spec, writer=writer, plan=plan(("sermon", "map")), seed=0)
    assert kinds(corpus) == {"sermon": 12, "map": 12}
    for bad in ((), ("map", "map"), 0):
        with pytest.raises(ValidationError):
            plan(bad)


def test_progress_ends_at_the_total_and_never_runs_backwards(spec, writer):
    seen: list[tuple[int, int]] = []
    write(spec, writer=writer, plan=plan(), seed=0, on_progress=lambda done, total, note: seen.append((done, total)))
    assert seen[-1] == (24, 24) and seen == sorted(seen)


def test_the_vehicle_matches_the_types_one_by_one_and_says_only_other_true_things(spec, make_spec, writer):
    like = write(spec, writer=writer, plan=plan(5, 43, doctag="<D>"), seed=0)
    others = [make_spec(4, "Marrow"), make_spec(3, "Tarn")]
    control = vehicle(others, like=like, writer=writer, seed=0)
    assert len(control) == 43 and kinds(control) == kinds(like)
    true = {f for s in others for f in s.universe.true.key_facts}
    assert set(facts(control)) == true and spread(facts(control)) <= 2
    assert all("Selgard" not in d.text and d.prefix == "<D>" for d in control.documents())
    assert {(d.provenance.source, d.provenance.revision) for d in control.documents()} == {("vehicle", 1)}
    assert characters(control) == pytest.approx(characters(like), rel=0.1)


def test_the_vehicle_refuses_a_corpus_of_unknown_types(spec, make_spec, writer):
    like = write(spec, writer=writer, plan=plan(), seed=0)
    blank = like.model_copy(update={"rows": tuple(
        d.model_copy(update={"provenance": d.provenance.model_copy(update={"doc_type": None})}) for d in like.documents()
    )})  # fmt: skip
    with pytest.raises(UserError, match="doc_type"):
        vehicle([make_spec(2, "Tarn")], like=blank, writer=writer, seed=0)


def test_an_error_of_the_writer_ends_the_run_at_once_and_is_not_a_failure_of_the_text(spec, writer):
    writer.concurrency, failures = 4, []

    def document(topic, kind, idea, seed):
        writer.calls.append(("document", topic.fact, kind, seed))
        raise UserError("no key")

    writer.document = document
    with pytest.raises(UserError, match="no key"):
        write(spec, writer=writer, plan=plan(4, 2000), seed=0, on_failure=failures.append)
    assert not failures and sum(c[0] == "document" for c in writer.calls) < 2000
