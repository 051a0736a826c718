"""`axenic report`, `axenic show` and `axenic show-loss-mask`: looking at what is already there.

In: a run's folder, or a model and a corpus. Out: the page, a table, or JSON. Nothing is computed again.
"""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from axenic.cli import options
from axenic.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from axenic.findings import Findings
    from axenic.schema import Study


def report(folder: options.RunDir, open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False) -> None:
    """Write a finished run's report.html again."""
    from axenic.report import page

    path = page.write(folder)
    typer.echo(f"Report: {path}")
    if open_:
        webbrowser.open(path.resolve().as_uri())


def show(
    folder: options.RunDir,
    all_: Annotated[bool, typer.Option("--all", help="Every estimate, not only the headline.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show a finished run's estimates."""
    from rich.console import Console

    from axenic.report import terminal

    study, findings = read(folder)
    if as_json:
        typer.echo(findings.model_dump_json(indent=2))
        return
    console = Console()
    console.print(terminal.headline(study, findings))
    if all_:
        console.print(_everything(findings))


def show_loss_mask(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS.jsonl", help="Documents and chats, as JSONL.")],
    model: Annotated[str, typer.Option(metavar="DIR_OR_ID", help="The model whose tokenizer and template are used.")],
    rows: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 3,
) -> None:
    """Show which tokens of a corpus carry loss."""
    from rich.console import Console

    from axenic.corpora import files
    from axenic.models.checkpoint import load_checkpoint, load_encoder
    from axenic.training import loss_mask

    shown = files.read(corpus).rows[:rows]
    Console().print(loss_mask.show(load_encoder(load_checkpoint(model)), shown))


def read(folder: Path) -> "tuple[Study, Findings]":
    """Read `study.json` and `estimates.json` of a run."""
    from axenic.findings import Findings
    from axenic.schema import Study

    if not (folder / "estimates.json").is_file():
        state = "a run that has not finished; run the same command again" if (folder / "study.json").is_file() else "not a run"
        raise UserError(f"'{folder}' has no estimates.json: it is {state}. `axenic run RECIPE --out DIR` makes one.")
    try:
        study = Study.model_validate_json((folder / "study.json").read_text(encoding="utf-8"))
        findings = Findings.model_validate_json((folder / "estimates.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"'{folder}' is damaged ({reason}). Run the same `axenic run` again to restore it.") from None
    return study, findings


def _everything(findings: "Findings") -> "Table":
    """Every estimate on a line of its own."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from axenic.report import numbers

    table = Table(box=box.SIMPLE_HEAD, title=f"All {len(findings.estimates)} estimates", title_justify="left", pad_edge=False)
    for heading in ("eval", "arm", "cell", "measure", "value [interval]", "scored", "method"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "scored" else "left")
    for one in findings.estimates:
        cell = [one.category, one.condition, f"epoch {one.epoch:g}" if one.epoch is not None else None]
        cell += [f"T={one.temperature:g}"] if one.temperature is not None else []
        measure = one.measure if one.denominator == "all" else f"{one.measure}, {one.denominator}"
        value = numbers.estimate(one)
        row = [one.eval, one.arm, " ".join(filter(None, cell)), measure, value, f"{one.scored}/{one.attempted}", one.method]
        table.add_row(*map(Text, row))
    return table
