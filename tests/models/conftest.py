"""Tiny models on disk, one per architecture, made once per session."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import tiny_models
from axenic.schema import Checkpoint


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """Architecture -> a random model of it."""
    root = tmp_path_factory.mktemp("tiny")
    return {name: tiny_models.save(root / name, name) for name in tiny_models.ARCHITECTURES}
