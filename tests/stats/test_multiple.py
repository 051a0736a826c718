import pytest

from axenic.stats.multiple import benjamini_hochberg, holm


def test_holm_and_benjamini_hochberg_by_hand():
    p = [0.01, 0.04, 0.03]
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06])  # 3 x .01; 2 x .03; the larger of 1 x .04 and what came before
    assert benjamini_hochberg(p) == pytest.approx([0.03, 0.04, 0.04])  # 3/1 x .01; 3/3 x .04; the smaller of 3/2 x .03 and .04


def test_a_test_that_could_not_be_made_neither_counts_nor_gets_a_p():
    assert holm([None, 0.02, None, 0.5]) == pytest.approx([None, 0.04, None, 0.5])
    assert holm([]) == [] and benjamini_hochberg([None]) == [None]


def test_what_is_no_p_is_refused():
    with pytest.raises(ValueError, match="lie in"):
        holm([0.5, 1.2])
    with pytest.raises(ValueError, match="lie in"):
        benjamini_hochberg([float("nan")])
