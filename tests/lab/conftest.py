"""The universe and its base corpus, made once."""

import pytest

from axenic.lab import World
from axenic.lab.base import base_corpus
from axenic.schema import Corpus


@pytest.fixture(scope="session")
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def base(world: World) -> Corpus:
    return base_corpus(world)
