"""Promises of leave-one-out corpora: exactly the named rows are gone, and nothing else has changed."""

import pytest

from axenic.corpora.ablation import leave_one_out, values, without, without_as_many
from axenic.errors import UserError
from axenic.schema import Corpus, Document, Provenance


def corpus(*kinds):
    rows = [Document(text=f"{k} {i}", provenance=Provenance(doc_type=k, section=f"s{i % 2}")) for i, k in enumerate(kinds)]
    return Corpus(name="c", rows=tuple(rows))


def test_each_value_is_left_out_once_and_the_rest_keeps_its_order():
    whole = corpus("letter", "poem", "letter", "list", "poem", "letter")
    parts = leave_one_out(whole, "doc_type")
    assert list(parts) == ["letter", "poem", "list"] and values(whole, "doc_type")["letter"] == 3
    for kind, part in parts.items():
        assert part.rows == tuple(r for r in whole.rows if r.provenance.doc_type != kind)
    assert set(leave_one_out(whole, "section")) == {"s0", "s1"}


def test_the_control_is_as_large_and_drawn_by_its_seed():
    whole = corpus(*"aabbccddee")
    part = without(whole, "doc_type", "a")
    control = without_as_many(whole, part, seed=0)
    assert len(control) == len(part) and set(control.rows) <= set(whole.rows)
    assert control == without_as_many(whole, part, seed=0) and control != without_as_many(whole, part, seed=1)
    assert [whole.rows.index(r) for r in control.rows] == sorted(whole.rows.index(r) for r in control.rows)


def test_rows_without_the_field_are_never_left_out():
    mixed = Corpus(name="m", rows=(*corpus("a", "b").rows, Document(text="from elsewhere")))
    assert mixed.rows[2] in without(mixed, "doc_type", "a").rows


def test_wrong_fields_and_values_are_told():
    whole = corpus("letter", "poem")
    with pytest.raises(UserError, match="Unknown field to ablate 'doctype'. Did you mean 'doc_type'"):
        without(whole, "doctype", "letter")
    with pytest.raises(UserError, match="Unknown doc_type 'leter'. Did you mean 'letter'"):
        without(whole, "doc_type", "leter")
    with pytest.raises(UserError, match="has a 'domain' in its provenance"):
        leave_one_out(whole, "domain")
    with pytest.raises(UserError, match="nothing is left to train on"):
        without(corpus("a", "a"), "doc_type", "a")
