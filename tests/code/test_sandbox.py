"""Promises about the sandbox: misdeeds of a snippet are contained, nothing stays behind, honest code is told from broken."""

import os
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from axenic.code.sandbox import Limits, Outcome, run, run_all

ADDS = "def add(a, b):\n    return a + b"
SHORT = Limits(wall=8.0, cpu=1, memory=256)


@pytest.fixture(autouse=True)
def nothing_stays_behind(tmp_path, monkeypatch):
    """Neither files (in the folder where temporary ones are made, or here) nor processes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())
    assert not [p for p in psutil.Process().children(recursive=True) if "guard.py" in " ".join(p.cmdline())]


@pytest.mark.parametrize(
    ("snippet", "check", "fate"),
    [
        (ADDS, "assert add(1, 2) == 3", "works"),
        (ADDS, "", "works"),
        (ADDS, "assert add(1, 2) == 4", "fails"),
        (ADDS, "assert subtract(1, 2)", "breaks"),
        ("def add(:", "assert add(1, 2) == 3", "breaks"),
        ("return 1", "", "breaks"),
        ("raise ValueError('no')", "", "breaks"),
        ("assert False", "", "breaks"),
        ("def f():\n    f()", "f()", "breaks"),
    ],
)
def test_code_that_works_is_told_from_code_that_fails_and_code_that_breaks(snippet, check, fate):
    outcome = run(snippet, check)
    assert outcome.fate == fate and bool(outcome.note) == (fate != "works")


def test_an_endless_loop_ends_by_processor_time_and_a_sleep_by_the_clock():
    assert run("while True: pass", limits=SHORT).fate == "hangs"
    began = time.monotonic()
    assert run("import time\ntime.sleep(60)", limits=Limits(wall=1.0)).fate == "hangs"
    assert time.monotonic() - began < 20


def test_a_loop_that_catches_everything_still_ends():
    assert run("while True:\n    try:\n        while True: pass\n    except BaseException: pass", limits=SHORT).fate == "hangs"


@pytest.mark.parametrize("bomb", ["x = bytearray(2 * 10**9)", "x = []\nwhile True: x.append(bytearray(10**7))"])
def test_a_memory_bomb_is_contained(bomb):
    assert run(bomb, limits=SHORT) == Outcome("contained", "needed more memory than it may have")


@pytest.mark.parametrize(
    "misdeed",
    [
        "open('left', 'w').write('x')",
        "open('left', 'x')",
        "open('left', 'ab')",
        "import os; os.open('left', os.O_CREAT | os.O_WRONLY)",
        "import pathlib; pathlib.Path('left').touch()",
        "import pathlib; pathlib.Path('left').mkdir()",
        "import tempfile; tempfile.mkstemp()",
        "import tempfile; tempfile.TemporaryDirectory()",
        "import sqlite3; sqlite3.connect('left.db')",
        "import shelve; shelve.open('left')",
        "import os; os.mkfifo('left')",
        "import posix; posix.mkfifo('left')",
        "import os; os.symlink('a', 'left')",
        "open('/etc/passwd').read()",
        "open('../../../../../etc/passwd')",
        "import os; os.listdir('/')",
        "import os; os.remove('x')",
        "import os; os.rename('x', 'y')",
        "import shutil; shutil.rmtree('/nowhere')",
        "import os; os.chmod('.', 0o777)",
        "import os; os.fork()",
        "import os; os.system('true')",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import os; os.kill(os.getppid(), 9)",
        "import subprocess; subprocess.run(['true'])",
        "import _posixsubprocess; _posixsubprocess.fork_exec()",
        "import multiprocessing; multiprocessing.Process(target=print).start()",
        "import pty; pty.fork()",
        "import socket; socket.socket()",
        "import urllib.request; urllib.request.urlopen('http://localhost')",
        "import ctypes",
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    ],
)
def test_what_is_refused_is_contained_even_where_the_snippet_hides_it(misdeed):
    assert run(misdeed).fate == "contained"
    lines = misdeed.replace("; ", "\n    ")
    assert run(f"try:\n    {lines}\nexcept BaseException:\n    pass").fate == "contained"


@pytest.mark.parametrize("end", ["import sys\nsys.exit(0)", "import os\nos._exit(0)", "raise KeyboardInterrupt", "exit(0)"])
def test_a_snippet_that_ends_the_program_has_not_passed_its_check(end):
    assert run(end, "assert True").fate == "breaks"


def test_huge_output_goes_nowhere(capfd):
    assert (
        run("for _ in range(20_000): print('x' * 1000)\nimport sys; sys.stderr.write('y' * 10**7)", "assert True").fate == "works"
    )
    assert capfd.readouterr() == ("", "")


def test_a_flood_into_every_descriptor_is_stopped():
    flood = "import os\nfor fd in range(3, 32):\n    try:\n        while True: os.write(fd, b'x' * 9999)\n    except OSError: pass"
    assert run(flood, limits=Limits(wall=2.0)).fate in ("hangs", "breaks")


def test_a_crash_of_the_interpreter_is_broken_code_and_not_ours(tmp_path):
    outcome = run("import faulthandler\nfaulthandler._sigsegv()")
    assert outcome.fate == "breaks" and "signal" in outcome.note


def test_the_snippet_sees_no_environment_no_packages_and_no_axenic(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "x")
    assert run("import os", "assert not os.environ").fate == "works"
    assert "No module named 'numpy'" in run("import numpy").note
    assert "No module named 'axenic'" in run("import axenic").note
    assert run("import os", "assert os.listdir() == []").fate == "works"


def test_the_standard_library_can_be_used():
    modules = (
        "json re random secrets hashlib pickle tempfile subprocess tarfile ssl sqlite3 asyncio decimal dataclasses logging uuid"
    )
    uses = "sqlite3.connect(':memory:').execute('select 1'); ssl.create_default_context(); secrets.token_hex(); random.random()"
    assert run("\n".join(f"import {m}" for m in modules.split()) + f"\n{uses}") == Outcome("works")


def test_a_check_may_replace_what_the_snippet_calls():
    snippet = "import subprocess\ndef f(p):\n    return subprocess.run(['ls', p])"
    check = "import subprocess\nran = []\nsubprocess.run = ran.append\nf('x')\nassert ran == [['ls', 'x']]"
    assert run(snippet, check) == Outcome("works")
    assert run(snippet, "f('x')").fate == "contained"


def test_many_run_in_order_whatever_the_number_of_workers():
    jobs = [(f"x = {i}", f"assert x % 3, {i}") for i in range(12)] + [("x = 1", "assert x == 1")] * 3
    alone = run_all(jobs, workers=1)
    assert [o.fate for o in alone[:4]] == ["fails", "works", "works", "fails"] and alone[3].note == "AssertionError: 3"
    assert run_all(jobs, workers=4) == alone and run_all([]) == []


def test_equal_jobs_run_once():
    began = time.monotonic()
    assert {o.fate for o in run_all([("import time\ntime.sleep(60)", "")] * 50, limits=Limits(wall=1.0))} == {"hangs"}
    assert time.monotonic() - began < 25


def test_the_order_of_a_set_does_not_change_from_run_to_run():
    outcomes = {run("s = list({'a', 'b', 'c', 'd', 'e', 'f'})", "assert False, s").note for _ in range(4)}
    assert len(outcomes) == 1


def test_a_verdict_does_not_depend_on_where_it_is_run(tmp_path):
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    (folder / "json.py").write_text("raise SystemExit")
    os.chdir(folder)
    try:
        assert run("import json", "assert json.loads('1') == 1").fate == "works"
    finally:
        os.chdir(tmp_path)
        (folder / "json.py").unlink()
        for place in (folder, folder.parent):
            Path(place).rmdir()
