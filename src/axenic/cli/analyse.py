"""`axenic analyse`: other people's logs, no GPU.

In: log files, folders or patterns, and which column is what. Out: a folder like that of `axenic run`, the headline in the terminal,
or one JSON object.
"""

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from axenic import __version__
from axenic.cli import options, output

if TYPE_CHECKING:
    import pandas as pd

    from axenic.findings import Findings
    from axenic.logs.read import Logs
    from axenic.logs.steps import Rates
    from axenic.recipes.analyse import Wish
    from axenic.schema import Study

RECIPE = "analyse"
MOST_LINES = 8
FAILURES = ("errors", "unparseable", "unclosed", "skipped", "duplicates")


class ItemsAre(StrEnum):
    """Do numbers hold for new items, or on these?"""

    sampled = "sampled"
    fixed = "fixed"


class OnDuplicate(StrEnum):
    """What to do with rows that repeat a response."""

    error = "error"
    number = "number"
    drop = "drop"


def _column(what: str) -> Any:
    return typer.Option(metavar="COLUMN", help=what)


def _values(what: str) -> Any:
    return typer.Option(metavar="VALUE", help=f"{what} Repeatable.")


def analyse(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Log files, folders, or patterns in quotes.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where tables and report go.")],
    item: Annotated[str | None, _column("Which question was asked.")] = None,
    label: Annotated[str | None, _column("The judge's label.")] = None,
    positive: Annotated[list[str] | None, _values("A label that counts 1.")] = None,
    negative: Annotated[list[str] | None, _values("A label that counts 0; with it, any other label is an error.")] = None,
    error: Annotated[list[str] | None, _values("A label that says that there is no verdict.")] = None,
    score: Annotated[str | None, _column("A number from 0 to 1, instead of a label.")] = None,
    arm: Annotated[str | None, _column("Which model or condition answered.")] = None,
    seed: Annotated[str | None, _column("The training seed, or whatever makes a run a run.")] = None,
    temperature: Annotated[str | None, _column("The sampling temperature.")] = None,
    repetition: Annotated[str | None, _column("Which of several answers to the same question.")] = None,
    checkpoint: Annotated[str | None, _column("Which checkpoint or epoch of the arm.")] = None,
    judge: Annotated[str | None, _column("Who labelled.")] = None,
    eval_: Annotated[str | None, typer.Option("--eval", metavar="COLUMN", help="Which eval or task it was.")] = None,
    category: Annotated[str | None, _column("The item's category.")] = None,
    prompt: Annotated[str | None, _column("The question's text.")] = None,
    response: Annotated[str | None, _column("The answer's text.")] = None,
    status: Annotated[str | None, _column("Whether the row was scored or failed.")] = None,
    persistence: Annotated[bool, typer.Option("--persistence", help="Logs by step of how a hidden behaviour was treated.")] = False,
    step: Annotated[str | None, _column("The optimiser step, with --persistence.")] = None,
    condition: Annotated[str | None, _column("Whether the trigger was there, or any condition of the item.")] = None,
    reference: Annotated[str | None, typer.Option(metavar="ARM", help="The arm that the others are compared with.")] = None,
    items: Annotated[ItemsAre, typer.Option(help="Whether numbers are to hold for new items, or on these.")] = ItemsAre.sampled,
    target: Annotated[float, typer.Option(min=1e-4, max=1.0, help="The difference that the decision study is to resolve.")] = 0.02,
    margin: Annotated[float | None, typer.Option(min=1e-4, max=0.9999, help="Test whether differences are within this.")] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Confidence level.")] = 0.95,
    on_duplicate: Annotated[OnDuplicate, typer.Option(help="What to do with rows that repeat a response.")] = OnDuplicate.error,
    force: Annotated[bool, typer.Option("--force", help="Replace the results of another study in --out.")] = False,
    as_json: options.Json = False,
) -> None:
    """Analyse somebody's evaluation logs.

    Reads Inspect .eval logs, lm-evaluation-harness samples, CSV, JSON lines, JSON and Parquet. Says how often, how far it varies
    with seed, sampling, item and judge, which items flip, whether arms differ, and what to run next. With --persistence: what a
    treatment left of a hidden behaviour by step, from rates or from answers.
    """
    mapped = {
        "item": item, "label": label, "score": score, "arm": arm, "seed": seed, "temperature": temperature,
        "repetition": repetition, "checkpoint": checkpoint, "judge": judge, "eval": eval_, "category": category, "prompt": prompt,
        "response": response, "status": status, "step": step, "condition": condition,
    }  # fmt: skip
    from axenic.logs.labels import Rules
    from axenic.recipes.analyse import Wish

    started, clock = time.time(), time.monotonic()
    rules = Rules(tuple(positive or ()), tuple(negative or ()), tuple(error or ()))
    flags = {field: column for field, column in mapped.items() if column is not None}
    reader = _reader(persistence=persistence, step=step, compared=reference is not None or margin is not None)
    logs = reader(paths, flags=flags, rules=rules, on_duplicate=on_duplicate.value, leave_out=out)
    wish = Wish(reference, rules.positive, items.value, target, margin, level)
    study, findings = _write(logs, wish, out, persistence=persistence, force=force, started=started, clock=clock)
    _show(out, logs, study, findings, as_json=as_json)


def _reader(*, persistence: bool, step: str | None, compared: bool) -> "Callable[..., Logs | Rates]":
    """What reads the logs, once the flags fit together."""
    from axenic.errors import UserError
    from axenic.logs.read import read
    from axenic.logs.steps import read_steps

    if persistence and compared:
        raise UserError("--persistence describes every arm by itself: leave out --reference and --margin.")
    if step is not None and not persistence:
        raise UserError("--step is for --persistence. Checkpoints of a study without a treatment are --checkpoint COLUMN.")
    return read_steps if persistence else read


def _compute(logs: "Logs | Rates", wish: "Wish", *, persistence: bool) -> "tuple[Study, pd.DataFrame | None, Findings]":
    from axenic.logs.steps import Rates
    from axenic.recipes import analyse as plain
    from axenic.recipes import analyse_persistence as by_step

    if persistence or isinstance(logs, Rates):
        return by_step.analyse(logs, wish)
    return plain.analyse(logs, wish)


def _write(
    logs: "Logs | Rates", wish: "Wish", out: Path, *, persistence: bool, force: bool, started: float, clock: float
) -> "tuple[Study, Findings]":
    """Compute, and leave in `out` what a run leaves there; rates leave no table of answers."""
    from axenic.disk import write_text
    from axenic.recipes.gather import write_table
    from axenic.report import page

    study, rows, findings = _compute(logs, wish, persistence=persistence)
    with output.claim(out, study, force=force or _earlier(out)):
        if rows is not None:
            write_table(rows, out / "results.parquet")
        write_text(out / "estimates.json", [findings.model_dump_json(indent=1)])
        output.write_json(out / "manifest.json", _manifest(logs, started, time.monotonic() - clock))
        page.write(out)
    return study, findings


def _earlier(out: Path) -> bool:
    """Does the folder hold an earlier analysis? It costs seconds to make again, so a new one may take its place."""
    try:
        return bool(json.loads((out / "study.json").read_text(encoding="utf-8"))["recipe"] == RECIPE)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _manifest(logs: "Logs | Rates", started: float, seconds: float) -> dict[str, Any]:
    """What was read, by hash."""
    from axenic.cli.manifest import machine

    return {
        "axenic": __version__,
        "command": shlex.join(["axenic", *sys.argv[1:]]),
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(seconds, 2),
        "machine": machine(),
        "inputs": [i._asdict() for i in logs.inputs],
        "artifacts": [],
    }


def _show(out: Path, logs: "Logs | Rates", study: "Study", findings: "Findings", *, as_json: bool) -> None:
    from axenic.recipes.analyse_persistence import read_counts

    read = read_counts(logs)
    if as_json:
        files = {name: str(out / name) for name in output.FILES if (out / name).exists()}
        record = {"study": study.study, "out": str(out), "files": files, "input": read}
        typer.echo(json.dumps(record | findings.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    from axenic.report import numbers, terminal

    Console().print(terminal.headline(study, findings))
    for one in [c for c in findings.contrasts if not c.planned][:MOST_LINES]:
        where = " ".join(filter(None, (one.judge, one.measure)))
        typer.echo(
            f"{one.name}, {one.eval} ({where}): {numbers.contrast(one)} points, p (Holm) {numbers.p_value(one.p_holm)}, unplanned"
        )
    for line in _story(read, findings):
        typer.echo(line)
    typer.echo(f"Report: {out / 'report.html'}")


def _story(read: dict[str, Any], findings: "Findings") -> Iterator[str]:
    """What was read and from which columns, and what the reader must know about it."""
    failed = ", ".join(f"{read[name]:,} {name}" for name in FAILURES if read.get(name))
    what = "verdict" if "labels" in read else "triggered rate"
    files = f"{read['files']} file{'s' * (read['files'] != 1)}"
    yield f"\nRead {read['rows']:,} rows of {files}: {read['scored']:,} with a {what}{', ' + failed if failed else ''}."
    yield "Columns: " + ", ".join(f"{field} = {column}" for field, column in read["columns"].items()) + "."
    for judge, labels in read.get("labels", {}).items():
        listed = [f"{name} {n:,}" for name, n in labels.items()][:MOST_LINES]
        more = f", and {len(labels) - MOST_LINES} more" if len(labels) > MOST_LINES else ""
        yield f"Labels{' of ' + judge if judge else ''}: {', '.join(listed) or 'none'}{more}."
    for check in findings.checks:
        if not check.passed and check.note:
            yield f"Note: {check.name}: {'no; ' if check.passed is False else ''}{check.note}."
