"""Promises about the code itself: who imports whom, plug-ins are in their tables, files and functions stay small."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from axenic.cli.catalogue import TABLES
from axenic.tables import Entry, load

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "axenic"
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {
    "torch", "transformers", "trl", "peft", "datasets", "accelerate", "pandas", "scipy", "sklearn", "statsmodels", "pyarrow",
    "plotly", "datasketch", "tokenizers", "safetensors", "numpy",
}  # fmt: skip
MAX_FUNCTION, MAX_FILE, MAX_PARAMETERS = 60, 400, 7

PLUGINS: dict[str, tuple[str, set[str]]] = {  # folder of plug-ins -> its table, and the files beside them that are helpers
    "recipes": ("recipes", set()),  # a recipe's file is one that defines RECIPE
    "evals": ("evals", {"table", "run", "base"}),
    "evals/judges": ("judges", {"table", "base", "load"}),
    "evals/benchmarks": ("benchmarks", {"table", "suite", "base"}),
    "corpora/organisms": ("organisms", {"table", "lab_belief"}),
    "corpora/writers": ("writers", {"table", "protocol"}),
    "defences": ("defences", {"table"}),
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_each_room_imports_only_the_rooms_below_it() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", PLUGINS)
def test_every_plugin_file_is_in_its_table_and_every_entry_exists(folder: str) -> None:
    name, helpers = PLUGINS[folder]
    table: dict[str, Entry] = load(Entry(TABLES[name], ""))
    listed = {entry.path.partition(":")[0] for entry in table.values()}
    files = [p for p in (PACKAGE / folder).glob("*.py") if p.stem not in helpers and not p.stem.startswith("_")]
    if folder == "recipes":
        files = [p for p in files if re.search(r"^RECIPE\b", p.read_text(encoding="utf-8"), re.M)]
    modules = {f"axenic.{folder.replace('/', '.')}.{p.stem}" for p in files}
    assert modules == listed
    for entry in table.values():
        assert entry.summary and load(entry) is not None


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_files_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE
    for function in functions(path):
        assert (function.end_lineno or 0) - function.lineno < MAX_FUNCTION, function.name


@pytest.mark.parametrize("path", [p for p in FILES if "cli" not in p.parts], ids=relative)
def test_only_the_command_line_imports_our_package_inside_a_function(path: Path) -> None:
    for function in functions(path):
        names = [name for node in ast.walk(function) for name in imported(node)]
        assert not [name for name in names if name.split(".")[0] == "axenic"], function.name


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=relative)
def test_package_files_hold_exports_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not HEAVY & {name.split(".")[0] for name in imported(node)}
        assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.If)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert len(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") > 20


def test_no_committed_text_names_this_machine_or_an_index_host() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pattern = re.compile(
        r"/(?:home|Users)/\w+/|/(?:work|opt|tmp/dev|root)/\w+|(?:^|\s)--(?:extra-)?index-url|://(?:pypi|download\.pytorch|registry)\."
    )
    found = []
    for name in listed:
        path = ROOT / name
        if path.suffix in {".png", ".parquet", ".safetensors"} or not path.is_file() or path == Path(__file__).resolve():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{name}:{text[: m.start()].count(chr(10)) + 1}: {m.group()}" for m in pattern.finditer(text)]
    assert not found
