"""The fixture that the report's tests share."""

from pathlib import Path

import pytest

from .example import fill


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    """A complete run directory."""
    return fill(tmp_path / "run")
