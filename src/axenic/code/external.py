"""Weaknesses in code, found by a scanner that the user has installed: Semgrep or CodeQL.

In: snippets of Python. Out: a `Scan` per snippet, as `scan.scan` gives. The snippets are written into a temporary folder, the tool
runs on it, and its report is read (SARIF 2.1.0, the OASIS format that scanners share). Neither tool is part of axenic.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from axenic.code.extract import parse
from axenic.code.scan import Finding, Scan
from axenic.errors import EnvironmentProblem

_LEVEL = {"error": "HIGH", "warning": "MEDIUM", "note": "LOW"}
_CWE = re.compile(r"cwe[-/]0*(\d+)", re.IGNORECASE)
_CONFIDENCE = re.compile(r"\b(HIGH|MEDIUM|LOW)[ _]CONFIDENCE\b")
_NAME = re.compile(r"snippet_(\d+)\.py$")


def semgrep(snippets: Sequence[str], *, rules: str, program: str = "semgrep", timeout: float = 600.0) -> list[Scan]:
    """Scan with Semgrep.

    Args:
        snippets: What to scan.
        rules: As `--config` takes them: a file or folder of rules, or a name of Semgrep's registry such as "p/python" (network).
        program: The executable.
        timeout: Seconds for all snippets.

    Raises:
        EnvironmentProblem: Semgrep is not installed, fails, or takes too long.
    """

    def report(source: Path, work: Path) -> Path:
        out = work / "report.sarif"
        _run([program, "scan", "--sarif", "--metrics=off", "--quiet", f"--output={out}", f"--config={rules}", str(source)], timeout)
        return out

    return _scan(snippets, report)


def codeql(
    snippets: Sequence[str],
    *,
    suite: str = "codeql/python-queries:codeql-suites/python-security-extended.qls",
    program: str = "codeql",
    timeout: float = 3600.0,
) -> list[Scan]:
    """Scan with CodeQL; the queries of `suite` must have been downloaded (`codeql pack download codeql/python-queries`).

    Args:
        snippets: What to scan.
        suite: The queries.
        program: The executable.
        timeout: Seconds for each of its two steps.

    Raises:
        EnvironmentProblem: CodeQL is not installed, fails, or takes too long.
    """

    def report(source: Path, work: Path) -> Path:
        out, database = work / "report.sarif", str(work / "database")
        _run([program, "database", "create", database, "--language=python", f"--source-root={source}"], timeout)
        _run([program, "database", "analyze", database, suite, "--format=sarif-latest", f"--output={out}"], timeout)
        return out

    return _scan(snippets, report)


def read_sarif(report: Mapping[str, Any]) -> dict[int, tuple[Finding, ...]]:
    """The findings of a SARIF report on files called snippet_N.py, by N. Suppressed results count: the model wrote the comment."""
    found: defaultdict[int, list[Finding]] = defaultdict(list)
    for run in report["runs"]:
        rules = {rule["id"]: rule for rule in _rules(run["tool"])}
        for result in run.get("results", ()):
            for place in result.get("locations", ())[:1]:
                physical = place["physicalLocation"]
                number = _NAME.search(physical["artifactLocation"]["uri"])
                if number:
                    line = physical.get("region", {}).get("startLine", 1)
                    found[int(number[1])].append(_finding(result, rules.get(result.get("ruleId"), {}), line))
    return {n: tuple(findings) for n, findings in found.items()}


def _scan(snippets: Sequence[str], report: Callable[[Path, Path], Path]) -> list[Scan]:
    parses = [parse(snippet) is not None for snippet in snippets]
    if not any(parses):
        return [Scan(parses=False) for _ in snippets]
    with tempfile.TemporaryDirectory(prefix="axenic-scan-") as folder:
        source = Path(folder, "source")
        source.mkdir()
        for i, snippet in enumerate(snippets):
            if parses[i]:
                (source / f"snippet_{i}.py").write_text(snippet, encoding="utf-8", errors="replace")
        found = _read(report(source, Path(folder)))
    return [Scan(True, found.get(i, ())) if fine else Scan(parses=False) for i, fine in enumerate(parses)]


def _run(command: Sequence[str], timeout: float) -> None:
    name = Path(command[0]).name
    if shutil.which(command[0]) is None:
        raise EnvironmentProblem(f"'{command[0]}' is not installed or not on the PATH. Install it, or scan with Bandit.")
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise EnvironmentProblem(f"{name} did not finish within {timeout:g} s. Scan fewer snippets at once.") from None
    except OSError as error:
        raise EnvironmentProblem(f"{name} could not be started: {error}.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise EnvironmentProblem(f"{name} failed with exit code {done.returncode}: {said}")


def _read(path: Path) -> dict[int, tuple[Finding, ...]]:
    try:
        return read_sarif(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EnvironmentProblem(f"The scanner left no readable SARIF report: {type(error).__name__}: {error}") from error


def _rules(tool: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in (tool["driver"], *tool.get("extensions", ())):
        yield from part.get("rules", ())


def _finding(result: Mapping[str, Any], rule: Mapping[str, Any], line: int) -> Finding:
    properties = rule.get("properties", {})
    tags = " ".join(map(str, properties.get("tags", ())))
    cwe, stated = _CWE.search(tags), _CONFIDENCE.search(tags)
    precision = str(properties.get("precision", "")).replace("very-", "").upper()
    level = result.get("level") or rule.get("defaultConfiguration", {}).get("level", "warning")
    return Finding(
        test_id=str(result.get("ruleId", "")),
        cwe=int(cwe[1]) if cwe else 0,
        severity=_LEVEL.get(level, "UNDEFINED"),
        confidence=stated[1] if stated else precision if precision in ("HIGH", "MEDIUM", "LOW") else "UNDEFINED",
        line=line,
        text=str(result.get("message", {}).get("text", "")),
    )
