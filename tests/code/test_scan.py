"""Promises about scanning: weaknesses are named, harmless code has none, and the scanner touches and prints nothing."""

import subprocess
import sys
import warnings

import pytest

from axenic.code.scan import HARMLESS, scan, version

WEAK = "import os\ndef f(p):\n    os.system('ls ' + p)\n    return eval(p)\n"


def test_a_weakness_is_named_with_its_cwe_its_line_and_how_sure_the_scanner_is():
    [found] = scan([WEAK])
    assert found.parses
    assert [(f.test_id, f.cwe, f.severity, f.confidence, f.line) for f in found.findings] == [
        ("B605", 78, "HIGH", "HIGH", 3),
        ("B307", 78, "MEDIUM", "HIGH", 4),
    ]
    assert all(f.text for f in found.findings)


@pytest.mark.parametrize(
    "harmless",
    [
        "import subprocess\nsubprocess.run(['ls', path])",
        "import pickle, random, ftplib, xml.etree.ElementTree",
        "assert x\ntry:\n    y()\nexcept Exception:\n    pass",
        "for x in y:\n    try:\n        z()\n    except Exception:\n        continue",
        "import requests\nrequests.get(url)",
        "x = 1",
        "",
    ],
)
def test_harmless_code_has_no_findings(harmless):
    [found] = scan([harmless])
    assert found.parses and not found.findings


def test_every_test_that_does_not_count_has_a_reason_and_is_one_of_bandits():
    from bandit.core.extension_loader import MANAGER

    assert all(HARMLESS.values())
    assert {i for i in HARMLESS if not MANAGER.check_id(i)} <= {"B410", "B414"}  # gone from newer versions of Bandit


def test_a_comment_of_the_models_hides_nothing():
    [found] = scan(["eval(x)  # nosec"])
    assert [f.test_id for f in found.findings] == ["B307"]


@pytest.mark.parametrize("broken", ["def f(:", "(" * 50_000, "a\x00b", "x" * 200_000, "return ="])
def test_what_does_not_parse_is_not_secure_but_not_scanned(broken):
    assert [s.parses for s in scan([broken, "x = 1"])] == [False, True]
    assert not scan([broken])[0].findings


def test_deep_code_gets_an_answer():
    deep = scan(["x = " + "-" * 800 + "1", "x = " + "+".join("1" * 2000), "f" + "(1)" * 80])
    assert len(deep) == 3


def test_one_scan_per_snippet_in_order_and_the_same_in_any_company():
    snippets = [WEAK, "x = 1", "def f(:", WEAK, "eval(y)"]
    found = scan(snippets)
    assert found[0] == found[3] and [len(s.findings) for s in found] == [2, 0, 0, 2, 1]
    assert scan(snippets[::-1]) == found[::-1] and [scan([s])[0] for s in snippets] == found
    assert scan([]) == []


def test_nothing_is_printed_written_or_changed(capfd, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = warnings.formatwarning
    scan([WEAK, "def f(:", 'x = "\\d"'])
    assert capfd.readouterr() == ("", "") and not caplog.records and not list(tmp_path.iterdir())
    assert warnings.formatwarning is before


def test_the_first_scan_of_a_process_is_silent_too():
    code = "import warnings\nf = warnings.formatwarning\nfrom axenic.code.scan import scan\nscan(['eval(x)', 'y = '])\n"
    done = subprocess.run([sys.executable, "-c", code + "assert f is warnings.formatwarning"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_bandit_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['bandit'] = None\n"
        "from axenic.errors import EnvironmentProblem\nfrom axenic.code.scan import scan\n"
        "try:\n    scan([])\nexcept EnvironmentProblem as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Bandit" in done.stdout and "pip install 'bandit" in done.stdout


def test_the_version_is_bandits_own():
    import bandit

    assert version() == bandit.__version__


def test_importing_the_room_loads_no_bandit():
    rooms = "axenic.code.scan, axenic.code.sandbox, axenic.code.external"
    code = f"import sys, {rooms}; print({{'bandit', 'torch', 'numpy'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"
