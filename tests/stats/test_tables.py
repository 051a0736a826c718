import numpy as np
import pandas as pd
import pytest

from axenic.stats.tables import Table, matrix


def test_repetitions_and_variants_of_a_stem_are_averaged(make):
    rows = make([
        {"item_id": "q@ab", "repetition": 0, "score": 1.0}, {"item_id": "q@ab", "repetition": 1, "score": 0.0},
        {"item_id": "q@ba", "repetition": 0, "score": 1.0}, {"item_id": "q@ba", "repetition": 1, "score": 1.0},
        {"item_id": "r", "score": 0.0},
    ])  # fmt: skip
    found = matrix(rows, "all")
    assert found.stems == ["q", "r"] and found.seeds == [0]
    np.testing.assert_array_equal(found.matrix_S_I, [[0.75, 0.0]])


def test_a_stem_is_right_only_if_every_variant_is(make):
    rows = make([
        {"item_id": "both@ab", "score": 1.0}, {"item_id": "both@ba", "score": 1.0},
        {"item_id": "half@ab", "score": 1.0}, {"item_id": "half@ba", "score": 0.0},
        {"item_id": "lost@ab", "score": 1.0}, {"item_id": "lost@ba", "score": None},
    ])  # fmt: skip
    np.testing.assert_array_equal(matrix(rows, "stems").matrix_S_I, [[1.0, 0.0, np.nan]])
    np.testing.assert_array_equal(matrix(rows, "stems", fill=0.0).matrix_S_I, [[1.0, 0.0, 0.0]])


def test_ambiguous_verdicts_leave_only_the_unambiguous_denominator(make):
    rows = make([{"item_id": "a", "score": 0.0, "verdict": "ambiguous"}, {"item_id": "b", "score": 1.0}])
    np.testing.assert_array_equal(matrix(rows, "all").matrix_S_I, [[0.0, 1.0]])
    np.testing.assert_array_equal(matrix(rows, "unambiguous").matrix_S_I, [[np.nan, 1.0]])


@pytest.mark.parametrize("status", ["unparseable", "error", "skipped"])
def test_a_failure_is_missing_and_never_zero(make, status):
    rows = make([{"item_id": "a", "score": None, "status": status}, {"item_id": "b", "score": 1.0}])
    np.testing.assert_array_equal(matrix(rows, "all").matrix_S_I, [[np.nan, 1.0]])


def test_a_base_without_train_seed_is_one_run(make, cells_of):
    assert matrix(make(cells_of([[1, 0]], seeds=[None])), "all").seeds == [None]


def test_duplicate_rows_are_refused(make):
    with pytest.raises(ValueError, match="1 rows repeat a response"):
        matrix(make([{"item_id": "a"}, {"item_id": "a"}]), "all")


def test_rows_of_two_cells_are_not_averaged(make):
    with pytest.raises(ValueError, match="they differ in arm, epoch"):
        matrix(make([{"arm": "a", "epoch": 1.0}, {"arm": "b", "epoch": 2.0}]), "all")


@pytest.mark.parametrize("score", [float("nan"), 1.5, -0.1])
def test_a_scored_row_with_an_impossible_score_is_refused(make, score):
    with pytest.raises(ValueError, match="outside"):
        matrix(make([{"score": score}]), "all")


def test_an_unknown_status_and_an_absent_column_are_named(make):
    with pytest.raises(ValueError, match="unknown status \\['ok'\\]"):
        matrix(make([{"status": "ok"}]), "all")
    with pytest.raises(ValueError, match="lacks the columns judge"):
        matrix(make([{}]).drop(columns="judge"), "all")


def test_seeded_and_seedless_rows_do_not_share_a_cell(make):
    with pytest.raises(ValueError, match="with and without train_seed"):
        matrix(make([{"train_seed": None}, {"train_seed": 1}]), "all")


def test_row_order_changes_no_bit(make, cells_of):
    scores = np.random.default_rng(0).random((3, 7)).tolist()
    parts = [{**r, "repetition": k, "score": r["score"] / (k + 1)} for r in cells_of(scores) for k in range(3)]
    rows = make(parts)
    shuffled = rows.sample(frac=1, random_state=1)
    np.testing.assert_array_equal(matrix(rows, "all").matrix_S_I, matrix(shuffled, "all").matrix_S_I)


def test_nullable_and_arrow_columns_from_parquet_are_read(make, cells_of, tmp_path):
    rows = make(cells_of([[1, None, 0]], seeds=[None])).astype({"train_seed": "Int64"})
    rows.to_parquet(tmp_path / "r.parquet")
    back = pd.read_parquet(tmp_path / "r.parquet")
    found = [matrix(r, "all") for r in (rows, back, back.convert_dtypes())]
    for one in found:
        np.testing.assert_array_equal(one.matrix_S_I, [[1.0, np.nan, 0.0]])
        assert one.seeds == [None]


def test_arms_that_were_asked_different_items_are_named(make):
    rows = make([{"arm": "a", "item_id": "x"}, {"arm": "b", "item_id": "y"}])
    with pytest.raises(ValueError, match="'a' and 'b' were asked different items \\(2 differ, e.g. x, y\\)"):
        Table.of(rows).require_same_items()


def test_categoricals_and_dictionaries_are_read_like_plain_texts(make, cells_of):
    rows = make(cells_of([[1, None, 0], [0, 1, 1]], category="x"), cells_of([[1, 1, 0]], arm="b"))
    coded = rows.astype({c: "category" for c in ("arm", "item_id", "category", "status", "verdict", "judge")})
    a, b = Table.of(rows), Table.of(coded[coded["arm"] == "a"])
    assert b.labels["arm"] == ["a"] and Table.of(coded).labels == a.labels  # a category that no row has is no label
    np.testing.assert_array_equal(Table.of(coded).score, a.score)


def test_a_null_text_and_an_empty_one_are_the_same(make):
    rows = make([{"item_id": "a", "condition": None}, {"item_id": "b", "condition": ""}])
    assert Table.of(rows).labels["condition"] == [""]
