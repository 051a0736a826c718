"""`axenic stats simulate`: does a 95 % interval hold the truth in 95 % of studies?

In: methods and a grid of designs. Out: a table of simulated coverage that marks what lies outside 93-97 %, or JSON.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from axenic.cli import options
from axenic.errors import UserError, unknown_name

if TYPE_CHECKING:
    from rich.table import Table

    from axenic.schema import OnProgress
    from axenic.stats.simulate import Cell

app = typer.Typer(help="The statistics themselves: how far they can be trusted.", no_args_is_help=True, rich_markup_mode=None)

LOW, HIGH = 0.93, 0.97
N = TypeVar("N", int, float)


@app.callback()
def _group() -> None:
    """The statistics themselves: how far they can be trusted."""


@app.command()
def simulate(
    method: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this method. Repeatable; default: all.")] = None,
    replications: Annotated[int, typer.Option(min=10, help="Simulated studies per entry.")] = 600,
    seeds: Annotated[str, typer.Option(metavar="N,N", help="Numbers of training seeds.")] = "3,5",
    items: Annotated[str, typer.Option(metavar="N,N", help="Numbers of items.")] = "100",
    rate: Annotated[str, typer.Option(metavar="P,P", help="Rates over all seeds and items.")] = "0.02,0.5,0.95",
    reference: Annotated[str | None, typer.Option(metavar="P,P", help="Rates of the other arm; default: the same.")] = None,
    missing: Annotated[str, typer.Option(metavar="P,P", help="Shares missing at random; twice that in one seed.")] = "0,0.2",
    seed_sd: Annotated[str, typer.Option(metavar="SD,SD", help="Spreads between seeds, on the logit scale.")] = "0.3",
    item_sd: Annotated[str, typer.Option(metavar="SD,SD", help="Spreads between items, on the logit scale.")] = "1",
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate the coverage of the 95 % intervals and of 5 % tests.

    A test's entry is 100 % minus its rate of false alarms. Entries outside 93-97 % are marked.
    """
    from rich.console import Console

    from axenic.stats.simulate import designs
    from axenic.stats.simulate import simulate as run
    from axenic.stats.simulate_methods import METHODS

    for name in method or ():
        if name not in METHODS:
            raise unknown_name("method", name, METHODS, add="docs/statistics.md")
    grid = designs(
        n_seeds=_numbers("--seeds", seeds, int, 2, 1000), n_items=_numbers("--items", items, int, 2, 100_000),
        p=_rates("--rate", rate), reference=[None] if reference is None else _rates("--reference", reference),
        seed_sd=_numbers("--seed-sd", seed_sd, float, 0, 10), item_sd=_numbers("--item-sd", item_sd, float, 0, 10),
        missing=_numbers("--missing", missing, float, 0, 0.9),
    )  # fmt: skip
    chosen = {name: METHODS[name] for name in (method or METHODS)}
    with _progress(quiet=quiet) as on_progress:
        found = run(chosen, grid, replications=replications, seed=seed, on_progress=on_progress)
    if as_json:
        typer.echo(json.dumps({"replications": replications, "seed": seed, "cells": _records(found)}, indent=2))
        return
    console = Console()
    for name, one in chosen.items():
        console.print(_table(name, one.about, [c for c in found if c.method == name]))
    console.print(_legend(found, replications), markup=False, highlight=False)


def _numbers(option: str, text: str, kind: Callable[[str], N], low: float, high: float) -> list[N]:
    try:
        found = [kind(part.strip()) for part in text.split(",")]
    except ValueError:
        raise UserError(f"{option} takes numbers separated by commas, e.g. 3,5; got {text!r}.") from None
    odd = [n for n in found if not low <= n <= high]
    if odd:
        raise UserError(f"{option} takes numbers from {low:g} to {high:g}; got {odd[0]:g}.")
    return found


def _rates(option: str, text: str) -> list[float]:
    return _numbers(option, text, float, 0.001, 0.999)


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[OnProgress]":
    """A bar on standard error."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("simulating", total=None)

        def advance(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, description=f"simulating {note}")

        yield advance


def _records(found: "Sequence[Cell]") -> list[dict[str, Any]]:
    """Flat records; `inside` is whether coverage lies in 93-97 %."""
    records = [{"method": c.method, **asdict(c.design), **asdict(c.coverage), "inside": _mark(c) == ""} for c in found]
    return [r | ({"covered": None, "inside": None} if math.isnan(r["covered"]) else {}) for r in records]


def _mark(cell: "Cell") -> str | None:
    """What follows an entry; None where no study gave an interval."""
    covered = cell.coverage.covered
    if math.isnan(covered):
        return None
    return " (low)" if covered < LOW else " (high)" if covered > HIGH else ""


def _table(name: str, about: str, found: "Sequence[Cell]") -> "Table":
    """One line per design but for its rate, one column per rate."""
    from rich import box
    from rich.table import Table

    rates = sorted({c.design.p for c in found})
    lines: dict[tuple[str, ...], dict[float, str]] = {}
    axes = {
        "n_seeds": "seeds",
        "n_items": "items",
        "reference": "other arm",
        "seed_sd": "seed sd",
        "item_sd": "item sd",
        "missing": "missing",
    }
    shown = {a: t for a, t in axes.items() if len({getattr(c.design, a) for c in found}) > 1 or a == "n_items"}
    for c in found:
        key = tuple(f"{v:g}" if (v := getattr(c.design, a)) is not None else "same" for a in shown)
        lines.setdefault(key, {})[c.design.p] = _entry(c)
    table = Table(box=box.SIMPLE_HEAD, title=f"{name}: {about}", title_justify="left", pad_edge=False)
    for heading in (*shown.values(), *(f"rate {r:g}" for r in rates)):
        table.add_column(heading, justify="right")
    for key, entries in lines.items():
        table.add_row(*key, *(entries.get(r, "") for r in rates))
    return table


def _entry(cell: "Cell") -> str:
    found = cell.coverage
    mark = _mark(cell)
    if mark is None:
        return "not estimable"
    return f"{100 * found.covered:.1f}{mark}" + (f", {found.not_estimable} n.e." if found.not_estimable else "")


def _legend(found: "Sequence[Cell]", replications: int) -> str:
    low, inside, high = (sum(_mark(c) == mark for c in found) for mark in (" (low)", "", " (high)"))
    error = 100 * (0.95 * 0.05 / replications) ** 0.5
    return (
        f"Coverage in per cent, nominal 95; {replications} studies per entry (standard error {error:.1f} near 95). "
        f"{inside} of {len(found)} entries in 93-97, {high} above (high: too wide), {low} below (low: too narrow). "
        "n.e. = studies without an interval."
    )
