"""`axenic list` and `axenic schema`: what there is, and what a recipe takes.

In: the rooms' visible tables. Out: names with one line each, or JSON. Nothing heavy is imported.
"""

import json
import textwrap
from shutil import get_terminal_size
from typing import Annotated

import typer

from axenic.cli import options
from axenic.errors import unknown_name
from axenic.tables import Entry, load

TABLES = {
    "recipes": "axenic.recipes:RECIPES",
    "evals": "axenic.evals.table:EVALS",
    "judges": "axenic.evals.judges.table:JUDGES",
    "benchmarks": "axenic.evals.benchmarks.table:BENCHMARKS",
    "organisms": "axenic.corpora.organisms.table:ORGANISMS",
    "defences": "axenic.defences.table:DEFENCES",
    "writers": "axenic.corpora.writers.table:WRITERS",
    "sizes": "axenic.lab.sizes:SIZES",
}


def list_(
    what: Annotated[str | None, typer.Argument(metavar="[WHAT]", help=" | ".join(TABLES))] = None, as_json: options.Json = False
) -> None:
    """List recipes, evals, judges and whatever else there is."""
    if what is not None and what not in TABLES:
        raise unknown_name("thing to list", what, TABLES)
    names = [what] if what else list(TABLES)
    tables: dict[str, dict[str, Entry]] = {name: load(Entry(TABLES[name], "")) for name in names}
    if as_json:
        typer.echo(json.dumps({name: {k: e.summary for k, e in table.items()} for name, table in tables.items()}, indent=2))
        return
    for name, table in tables.items():
        typer.echo(_section(name, table))


def schema(recipe: options.RecipeName) -> None:
    """Print a recipe's parameters as JSON Schema.

    Editors that know it complete and check --config files.
    """
    from axenic.recipes.recipe import get

    typer.echo(json.dumps(get(recipe).params.model_json_schema(), indent=2))


def _section(title: str, table: dict[str, Entry]) -> str:
    width = max((len(name) for name in table), default=0)
    columns = min(get_terminal_size((100, 24)).columns, 120)
    indent = " " * (width + 4)
    lines = [
        textwrap.fill(f"  {name:<{width}}  {entry.summary}", columns, subsequent_indent=indent, break_long_words=False)
        for name, entry in table.items()
    ]
    return "\n".join([title, *(lines or ["  none yet"]), ""])
