"""What the tests of every recipe have: a store of their own, and the findings and rows of the run `out`, which each file makes."""

from pathlib import Path

import pandas as pd
import pytest

from axenic.findings import Findings
from command_line import findings


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def rows(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "results.parquet")


@pytest.fixture(scope="module")
def found(out: Path) -> Findings:
    return findings(out)
