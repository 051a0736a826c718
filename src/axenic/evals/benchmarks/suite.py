"""Suites: the text that names what a model is asked, read into evals.

In: "lab"; a benchmark's NAME (from the hub), NAME=FILE or NAME=org/name, a FILE whose columns tell which benchmark it is; options
after "?", joined by "&": "own=FILE?prompt=question&category=topic&kind=harmful"; "name=" renames the evals. Out: `Eval`s. Light to
import: laying out a study needs only `parse` and `suite_files`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from axenic.errors import UserError, unknown_name
from axenic.evals.base import Eval, Subject
from axenic.evals.benchmarks.base import Benchmark
from axenic.evals.benchmarks.table import BENCHMARKS
from axenic.evals.table import EVALS
from axenic.rowfiles import SUFFIXES, is_hub_id, read_rows
from axenic.tables import load

LAB = "lab"
LAB_EVALS = ("compliance", "over_refusal", "capability")
COMMON = ("name", "split")  # options of every benchmark
LAB_PER_CATEGORY = 10  # x 44 categories = 440, as SORRY-Bench has
LAB_PER_KIND = 70  # 192 chores in all: with fewer than 183 items that all stay right, 2 points can never be ruled out


@dataclass(frozen=True)
class Suite:
    """A suite text, taken apart. `benchmark` is "" where the file's columns are to tell; `source` is "" for the hub's own copy."""

    text: str
    benchmark: str
    source: str
    options: Mapping[str, str]


def parse(text: str) -> Suite:
    """Take a suite text apart, without opening anything.

    Raises:
        UserError: Neither a name nor a file, or options that are not of the form key=value.
    """
    stripped = text.strip()
    if not stripped:
        raise UserError(f"A suite is 'lab', a benchmark ({', '.join(BENCHMARKS)}), NAME=FILE or a FILE; got an empty text.")
    if Path(stripped).is_file():  # so that a file may have "=" or "?" in its name
        return Suite(text, "", stripped, {})
    head, _, tail = stripped.partition("?")
    name, equals, source = head.partition("=")
    options = _options(text, tail)
    if name == LAB and not equals:
        if options:
            raise UserError(f"The suite 'lab' takes no options; got {tail!r}.")
        return Suite(text, LAB, "", {})
    if equals:
        if name not in BENCHMARKS:
            raise unknown_name("benchmark", name, BENCHMARKS, add="docs/benchmarks.md")
        if not source:
            raise UserError(f"The suite {text!r} names no file after '='. Write {name}=FILE.")
        return Suite(text, name, source, options)
    if name in BENCHMARKS:
        return Suite(text, name, "", options)
    if name.lower().endswith(SUFFIXES) or is_hub_id(name) or Path(name).is_dir():
        return Suite(text, "", name, options)
    raise unknown_name("suite", name, [LAB, *BENCHMARKS], add="docs/benchmarks.md")


def suite(text: str) -> list[Eval]:
    """The evals that a suite text names.

    Raises:
        UserError: What `parse` raises; the file is not there, is not what it is said to be, or is not whole.
    """
    asked = parse(text)
    if asked.benchmark == LAB:
        return _lab()
    given = _benchmark(asked.benchmark) if asked.benchmark else None
    source = asked.source or (given.hub if given else "")
    if not source:
        assert given is not None
        raise UserError(f"The suite {text!r} needs a file: write {asked.benchmark}=FILE. {given.obtain}")
    try:
        table = read_rows(source, what="benchmark", split=asked.options.get("split", "train"))
    except UserError as error:
        raise UserError(f"{error} {given.obtain}" if given else str(error)) from None
    benchmark = given or _recognise(table.columns)
    known = (*benchmark.options, *COMMON)
    unknown = next((key for key in asked.options if key not in known), None)
    if unknown is not None:
        raise unknown_name(f"option of {benchmark.name}", unknown, known)
    name = asked.options.get("name", benchmark.name)
    return [replace(e, name=e.name.replace(benchmark.name, name, 1)) for e in benchmark.evals(table, asked.options)]


def suites(texts: Iterable[str]) -> list[Eval]:
    """The evals of several suites.

    Raises:
        UserError: What `suite` raises, or two evals of one name.
    """
    made: dict[str, Eval] = {}
    for text in texts:
        for e in suite(text):
            if e.name in made:
                raise UserError(f"Two suites hold an eval named {e.name!r}. Name one of them otherwise: '{text}?name=OTHER'.")
            made[e.name] = e
    return list(made.values())


def suite_files(text: str) -> list[Path]:
    """The local files (or folders) that a suite is read from: their content is part of what was measured.

    "lab" and benchmarks of the hub have none.

    Raises:
        UserError: What `parse` raises, or a file is not there.
    """
    asked = parse(text)
    if not asked.source or is_hub_id(asked.source):
        return []
    if not Path(asked.source).exists():
        raise UserError(f"There is no benchmark file {asked.source!r}, named in the suite {text!r}.")
    return [Path(asked.source)]


def _lab() -> list[Eval]:
    subject = Subject(per_category=LAB_PER_CATEGORY, per_kind=LAB_PER_KIND)
    built = [load(EVALS[name])(subject) for name in LAB_EVALS]
    return [e for e in built if e is not None]


def _benchmark(name: str) -> Benchmark:
    found: Benchmark = load(BENCHMARKS[name])
    return found


def _recognise(columns: tuple[str, ...]) -> Benchmark:
    """The benchmark with the most columns that are all there; "own" has none, so it is always the last resort."""
    fitting = [b for b in map(_benchmark, BENCHMARKS) if b.columns <= set(columns)]
    return max(fitting, key=lambda b: len(b.columns))


def _options(text: str, tail: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in filter(None, tail.split("&")):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or not value.strip() or key.strip() in options:
            raise UserError(f"The suite {text!r}: options are key=value, joined by '&', each once; {part!r} is not.")
        options[key.strip()] = value.strip()
    return options
