"""Every example runs as its README says, at its smallest and for a few steps."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
RUNS = {
    "belief_in_one_file.py": (["--size", "nano", "--steps", "2", "--documents", "8"], r"(?m)^downstream +.*\[.*\]$"),
    "backdoor_in_one_file.py": (["--size", "nano", "--steps", "2", "--rows", "16"], r"(?m)^before .* on the trigger; half-life: "),
    "plain_loop.py": (["--steps", "3"], r"largest difference: \d\.\de-(0[5-9]|\d\d)|largest difference: 0\.0e\+00"),
    "loss_mask.py": ([], r"<\|assistant\|> \[The\] .*\[<\|end\|>\]"),
}


def test_every_example_is_run_here_and_named_in_the_readme():
    files = {p.name for p in EXAMPLES.glob("*.py")}
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert files == set(RUNS) == set(re.findall(r"examples/(\w+\.py)", readme))
    assert all(len((EXAMPLES / f).read_text(encoding="utf-8").splitlines()) <= 150 for f in files)


@pytest.mark.parametrize("name", RUNS)
def test_an_example_runs_and_prints_what_it_promises(name, tmp_path):
    options, expected = RUNS[name]
    command = [sys.executable, str(EXAMPLES / name), *options]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert re.search(expected, done.stdout), done.stdout
    assert not list(tmp_path.iterdir()) and "Traceback" not in done.stderr
