"""Promises of mixing: exact ratios, no silent repetition, origins kept, and size matched before arms are compared."""

from collections import Counter

import pytest

from axenic.corpora.mixing import characters, concat, matched, mix, tag, take
from axenic.errors import UserError
from axenic.schema import Corpus, Document, Provenance, chat


def corpus(name, n, size=1):
    rows = [Document(text=f"{name} {i} " + "x" * (i * size), provenance=Provenance(source=name)) for i in range(n)]
    return Corpus(name=name, rows=tuple(rows))


def sources(mixed):
    return Counter(r.provenance.source for r in mixed.rows)


@pytest.mark.parametrize(("ratio", "wanted"), [(0, 0), (0.25, 3), (0.5, 5), (1.0, 10), (1.05, 11), (2.5, 25)])
def test_a_mix_holds_every_own_row_and_exactly_the_ratio_of_others_without_repeats(ratio, wanted):
    own, other = corpus("own", 10), corpus("other", 25)
    mixed = mix(own, other, ratio=ratio, seed=0)
    assert sources(mixed) == Counter({"own": 10, "other": wanted}) - Counter()
    assert len({r.hash for r in mixed.rows}) == len(mixed)
    assert {r.hash for r in own.rows} <= {r.hash for r in mixed.rows}


def test_a_mix_is_drawn_by_its_seed_and_interleaved():
    own, other = corpus("own", 30), corpus("other", 60)
    assert mix(own, other, ratio=1.0, seed=1) == mix(own, other, ratio=1.0, seed=1)
    assert mix(own, other, ratio=1.0, seed=1).hash != mix(own, other, ratio=1.0, seed=2).hash
    assert 5 < sum(r.provenance.source == "own" for r in mix(own, other, ratio=1.0, seed=1).rows[:30]) < 25


def test_too_few_rows_are_an_error_unless_repeating_is_allowed_and_then_repeats_are_even():
    own, other = corpus("own", 10), corpus("other", 4)
    with pytest.raises(UserError, match="'other' has 4 rows, but 10 are needed"):
        mix(own, other, ratio=1.0, seed=0)
    counts = Counter(r.hash for r in mix(own, other, ratio=1.0, seed=0, allow_repeat=True).rows if r.provenance.source == "other")
    assert sorted(counts.values()) == [2, 2, 3, 3]
    with pytest.raises(UserError, match="has 0 rows"):
        mix(own, corpus("none", 0), ratio=1.0, seed=0, allow_repeat=True)


@pytest.mark.parametrize("ratio", [-0.1, float("nan"), float("inf")])
def test_an_impossible_ratio_is_refused(ratio):
    with pytest.raises(UserError, match="0 or more"):
        mix(corpus("a", 2), corpus("b", 2), ratio=ratio, seed=0)


def test_taking_more_than_there_is_is_refused():
    assert take(corpus("a", 5), 3).rows == corpus("a", 5).rows[:3]
    with pytest.raises(UserError, match="has 5 rows, but 6 are needed"):
        take(corpus("a", 5), 6)


def test_concat_keeps_every_row_in_order():
    assert concat([corpus("a", 2), corpus("b", 3)]).rows == corpus("a", 2).rows + corpus("b", 3).rows


def test_arms_can_be_matched_by_rows_or_by_characters():
    small, large = corpus("small", 20), corpus("large", 200, size=1)
    assert len(matched(large, small, by="rows", seed=0)) == 20
    target = characters(corpus("t", 50))
    by_size = matched(large, corpus("t", 50), by="characters", seed=0)
    assert abs(characters(by_size) - target) <= max(len(d.text) for d in large.documents()) / 2
    assert len({r.hash for r in by_size.rows}) == len(by_size)
    assert matched(large, large, by="characters", seed=0).rows == large.rows
    for by in ("rows", "characters"):
        with pytest.raises(UserError):
            matched(small, large, by=by, seed=0)


def test_a_tag_goes_before_documents_only_and_replaces_an_older_one():
    mixed = Corpus(name="m", rows=(Document(text="a", prefix="<OLD>"), chat("q", "a")))
    tagged = tag(mixed, "<DOCTAG>")
    assert tagged.rows[0].prefix == "<DOCTAG>" and tagged.rows[0].text == "a" and tagged.rows[1] == mixed.rows[1]
