"""Tiny models on disk, one per architecture, made once per session."""

import pytest

import tiny_models
from axenic.schema import Checkpoint


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """Architecture -> a random model of it."""
    root = tmp_path_factory.mktemp("tiny")
    return {name: tiny_models.save(root / name, name) for name in tiny_models.ARCHITECTURES}
