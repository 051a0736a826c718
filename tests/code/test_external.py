"""Promises about other scanners: their SARIF reports become the same findings, and what goes wrong is said."""

import json
import os
import stat

import pytest

from axenic.code.external import codeql, semgrep
from axenic.code.scan import Finding
from axenic.errors import EnvironmentProblem

SNIPPETS = ["x = 1", "def f(:", "eval(y)", "import hashlib\nhashlib.md5(b'')"]
RULES = [
    {"id": "py/eval", "properties": {"tags": ["security", "external/cwe/cwe-094"], "precision": "very-high"}},
    {
        "id": "rules.md5",
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["CWE-327: Use of a Broken Algorithm", "MEDIUM CONFIDENCE"]},
    },
]


def result(rule, file, line, **more):
    place = {"physicalLocation": {"artifactLocation": {"uri": f"source/{file}"}, "region": {"startLine": line}}}
    return {"ruleId": rule, "message": {"text": f"{rule} here"}, "locations": [place], **more}


REPORT = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "t", "rules": RULES[:1]}, "extensions": [{"name": "e", "rules": RULES[1:]}]},
            "results": [
                result("py/eval", "snippet_2.py", 1, level="warning"),
                result("rules.md5", "snippet_3.py", 2),
                result("unheard-of", "snippet_3.py", 1, level="note"),
                {"ruleId": "no-place", "message": {"text": ""}},
                result("py/eval", "other.py", 1),
            ],
        }
    ],
}


@pytest.fixture
def scanner(tmp_path):
    """`scanner(report, code)`: a program that lists the source folder, writes the report where it is told, and exits with code."""

    def make(report, code=0):
        path = tmp_path / "scanner"
        path.write_text(
            "#!/bin/sh\n"
            f'for a in "$@"; do echo "$a" >> {tmp_path}/seen; case "$a" in\n'
            f'  --output=*) cat {tmp_path}/report > "${{a#--output=}}" ;;\n'
            f'  */source|--source-root=*) ls "${{a#--source-root=}}" >> {tmp_path}/listed ;;\n'
            f"esac; done\necho trouble >&2\nexit {code}\n"
        )
        (tmp_path / "report").write_text(report if isinstance(report, str) else json.dumps(report))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def both(program):
    yield semgrep(SNIPPETS, rules="rules.yaml", program=program)
    yield codeql(SNIPPETS, program=program)


def test_a_sarif_report_becomes_findings_of_the_snippets_it_is_about(scanner, tmp_path):
    for scans in both(scanner(REPORT)):
        assert [s.parses for s in scans] == [True, False, True, True]
        assert scans[0].findings == scans[1].findings == ()
        assert scans[2].findings == (Finding("py/eval", 94, "MEDIUM", "HIGH", 1, "py/eval here"),)
        assert scans[3].findings == (
            Finding("rules.md5", 327, "HIGH", "MEDIUM", 2, "rules.md5 here"),
            Finding("unheard-of", 0, "LOW", "UNDEFINED", 1, "unheard-of here"),
        )
    listed = (tmp_path / "listed").read_text().split()
    assert listed == ["snippet_0.py", "snippet_2.py", "snippet_3.py"] * 2
    seen = (tmp_path / "seen").read_text().splitlines()
    assert "--config=rules.yaml" in seen and "--metrics=off" in seen and "--language=python" in seen
    assert not [a for a in seen if a.startswith("--output=") and os.path.exists(a.removeprefix("--output="))]


def test_nothing_that_parses_means_that_no_scanner_is_started():
    assert [s.parses for s in semgrep(["def f(:"], rules="r", program="no-such-program")] == [False]
    assert codeql([], program="no-such-program") == []


def test_a_scanner_that_is_absent_fails_or_reports_nothing_readable_is_named(scanner):
    with pytest.raises(EnvironmentProblem, match="'no-such-program' is not installed"):
        semgrep(SNIPPETS, rules="r", program="no-such-program")
    with pytest.raises(EnvironmentProblem, match="'no-such-program' is not installed"):
        codeql(SNIPPETS, program="no-such-program")
    with pytest.raises(EnvironmentProblem, match="scanner failed with exit code 3: trouble"):
        semgrep(SNIPPETS, rules="r", program=scanner(REPORT, code=3))
    for report in ("no json", "[]", "{}", {"runs": [{}]}):
        with pytest.raises(EnvironmentProblem, match="no readable SARIF"):
            codeql(SNIPPETS, program=scanner(report))


def test_a_scanner_that_does_not_end_is_stopped(tmp_path):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    with pytest.raises(EnvironmentProblem, match="slow did not finish within 0.2 s"):
        semgrep(SNIPPETS, rules="r", program=str(slow), timeout=0.2)
