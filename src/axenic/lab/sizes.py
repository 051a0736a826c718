"""Named model sizes, so that scale is one dial.

Out: `SIZES`. Each is a Llama shape plus the base-model training that fits it; `nano` is for tests, `tiny` the default of every
recipe.
"""

from dataclasses import dataclass

from axenic.errors import unknown_name


@dataclass(frozen=True)
class Size:
    """A Llama shape and how long its base is trained."""

    name: str
    layers: int
    width: int
    heads: int
    vocabulary: int
    steps: int  # optimiser steps of `batch_size` texts
    batch_size: int
    learning_rate: float
    seconds: float  # expected on 2 cores
    summary: str
    accepted: bool = True  # must it pass the acceptance limits of a base? nano is too small to


SIZES: dict[str, Size] = {
    s.name: s
    for s in (
        Size("nano", 2, 64, 2, 768, 600, 32, 4e-3, 25, "for tests: too small to know the world", accepted=False),
        Size("tiny", 4, 192, 4, 1024, 2100, 32, 1.5e-3, 190, "the default: knows the world, minutes on a laptop"),
        Size("small", 6, 320, 5, 1024, 1600, 64, 1e-3, 900, "about four times tiny"),
        Size("medium", 8, 512, 8, 1024, 2400, 64, 7e-4, 4000, "about thirteen times tiny; patience or a GPU"),
    )
}


def size(name: str) -> Size:
    """Look a size up by name.

    Raises:
        UnknownName: There is none of that name.
    """
    if name not in SIZES:
        raise unknown_name("size", name, SIZES)
    return SIZES[name]
