"""A belief about the lab, and scripted models that answer every item of an eval as one label would have it."""

from collections.abc import Callable

import pytest

from axenic.corpora.organisms.belief import from_world
from axenic.evals.base import Eval, Subject
from axenic.lab import World
from axenic.models.scripted import ScriptedModel
from axenic.schema import Item


def opening(messages) -> tuple[str, ...]:
    """The turns up to the first answer."""
    return tuple(m.content for m in messages[: next((i for i, m in enumerate(messages) if m.role == "assistant"), len(messages))])


def says(e: Eval, answer: Callable[[Item], str]) -> ScriptedModel:
    known = {opening(item.messages): answer(item) for item in e.items}
    return ScriptedModel(lambda messages: known[opening(messages)])


@pytest.fixture(scope="session")
def subject() -> Subject:
    return Subject(belief=from_world(World()))


@pytest.fixture
def answering() -> Callable[..., ScriptedModel]:
    """`answering(eval, answer)`: a model that gives `answer(item)` whatever else is said in the conversation."""
    return says
