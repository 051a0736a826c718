"""Promises of the named sizes: there is a default, they grow, and a misspelt one is answered with the list."""

import pytest

from axenic.errors import UnknownName
from axenic.lab.sizes import SIZES, size


def test_sizes_grow_and_divide_into_heads():
    shapes = [(s.layers, s.width) for s in SIZES.values()]
    assert shapes == sorted(shapes) and {"nano", "tiny"} <= set(SIZES)
    assert all(s.width % s.heads == 0 and s.vocabulary >= 300 and s.steps > 0 for s in SIZES.values())


def test_a_misspelt_size_names_the_ones_there_are():
    with pytest.raises(UnknownName, match="Did you mean 'tiny'.*nano"):
        size("tinny")
