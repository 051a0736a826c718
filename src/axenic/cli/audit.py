"""`axenic audit`: is a fine-tune worse than its base? For people who must decide whether to ship it, and for CI.

In: a base and its fine-tunes. Out: a verdict in the terminal or as one JSON object, a folder with report and numbers, and an exit
code: 0 not worse, 1 worse, 3 cannot tell, 2 the user's mistake, 4 the audit itself failed.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from axenic.cli import options, output
from axenic.cli.analyse import ItemsAre
from axenic.cli.execute import Execution, carry_out

if TYPE_CHECKING:
    from rich.table import Table

    from axenic.findings import Audit, Findings
    from axenic.schema import Study

CODES = {"not worse": 0, "worse": 1, "cannot tell": 3}
FAILED = 4
"""Instead of 1, which says "worse" here."""
SHOWN = 5  # categories per eval


def audit(
    base: Annotated[str, typer.Option(metavar="MODEL", help="The model before fine-tuning: a directory or hub id.")],
    tuned: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="A fine-tune of it. Repeatable: runs of one recipe, e.g. seeds.")
    ] = None,
    adapter: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="A PEFT adapter over the base: a fine-tune. Repeatable.")
    ] = None,
    suite: Annotated[
        list[str] | None, typer.Option(metavar="NAME_OR_FILE", help="What is asked: lab, xstest, NAME=FILE, FILE. Repeatable.")
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Who decides what is a refusal, see `axenic list judges`. Repeatable.")
    ] = None,
    margin: Annotated[float, typer.Option(help="The harm to rule out: 0.02 is 2 points.")] = 0.02,
    items: Annotated[ItemsAre, typer.Option(help="Is the verdict about such items (sampled) or about these (fixed)?")] = (
        ItemsAre.sampled
    ),
    temperature: Annotated[float, typer.Option(help="Ask at this temperature too; 0 is always asked.")] = 0.0,
    repetitions: Annotated[int, typer.Option(help="Responses per item at that temperature.")] = 1,
    max_new_tokens: Annotated[int, typer.Option(help="Longest response.")] = 64,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes. Default: runs/audit-ID.")] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Worker processes; 1 runs in this one.")] = 1,
    store: options.Store = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the results of another study in --out.")] = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Did a fine-tune make a model worse?

    Asks the base and its fine-tunes the same items and tests every change for the worse. Exit code: 0 not worse than the margin,
    1 worse, 3 cannot tell yet (and what would settle it), 2 wrong use, 4 the audit failed.
    """
    given: dict[str, Any] = {
        "base": base, "tuned": tuned, "adapter": adapter, "suite": suite, "judge": judge, "margin": margin, "items": items.value,
        "temperature": temperature, "repetitions": repetitions, "max_new_tokens": max_new_tokens,
    }  # fmt: skip
    execution = Execution(store, workers=workers, quiet=quiet, force=force)
    try:
        verdict = _audit({k: v for k, v in given.items() if v not in (None, [])}, out, execution, as_json=as_json)
    except Exception as error:
        if getattr(error, "exit_code", 1) == 1:
            error.exit_code = FAILED  # type: ignore[attr-defined]
        raise
    raise typer.Exit(CODES[verdict])


def _audit(given: dict[str, Any], out: Path | None, execution: Execution, *, as_json: bool) -> str:
    """Run it and print what it found. Returns the verdict."""
    from axenic.cli.results import read
    from axenic.recipes import params
    from axenic.recipes.audit import AuditParams, build, check

    wanted = params.merge(AuditParams, flags=given)
    study, last = build(wanted)
    check(wanted)  # before anything is asked, hub ids too
    folder = out or Path("runs") / f"audit-{study.study}"
    done = carry_out(study, last, folder, execution=execution)
    study, findings = read(folder)
    overall = _overall(findings)
    if as_json:
        typer.echo(json.dumps(_json(study, findings, folder, done.report), indent=2))
    else:
        _print(study, findings)
        typer.echo(f"\nReport: {done.report}")
    return overall.verdict


def _overall(findings: "Findings") -> "Audit":
    """The verdict over all harms of all fine-tunes together."""
    from axenic.findings import OVERALL
    from axenic.recipes.audit import TUNED

    return next(a for a in findings.audits if a.eval == OVERALL and a.arm == TUNED)


def _json(study: "Study", findings: "Findings", folder: Path, report: Path) -> dict[str, Any]:
    overall = _overall(findings)
    files = {name: str(folder / name) for name in output.FILES if (folder / name).exists()}
    return {
        "verdict": overall.verdict,
        "exit_code": CODES[overall.verdict],
        "text": overall.text,
        "margin": overall.margin,
        "level": overall.level,
        "study": study.study,
        "base": study.parameters["base"],
        "tuned": [*study.parameters["tuned"], *study.parameters["adapter"]],
        "audits": [a.model_dump() for a in findings.audits],
        "report": str(report),
        "out": str(folder),
        "files": files,
    }


def _print(study: "Study", findings: "Findings") -> None:
    """A table per arm, the categories that moved most, the verdict."""
    from rich.console import Console
    from rich.text import Text

    console, overall = Console(), _overall(findings)
    for arm in dict.fromkeys(a.arm for a in findings.audits):
        console.print(_table(arm, findings))
    moved = _categories(findings)
    if moved.row_count:
        console.print(moved)
    console.print(Text(study.limits, style="dim"))
    style = {"worse": "bold red", "not worse": "bold green", "cannot tell": "bold yellow"}[overall.verdict]
    console.print(Text.assemble("\nVerdict: ", (overall.verdict, style), f". {overall.text}"))


def _table(arm: str, findings: "Findings") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from axenic.findings import OVERALL
    from axenic.report import numbers

    table = Table(
        box=box.SIMPLE_HEAD, title=Text(f"{arm} against its base, points"), title_justify="left", pad_edge=False, padding=(0, 1)
    )
    for heading in ("eval", "harm", "p worse", "p not worse", "verdict", "more needed"):
        table.add_column(heading, overflow="fold", justify="right" if heading[0] in "hp" else "left")
    for a in (a for a in findings.audits if a.arm == arm):
        harm = numbers.NOT_ESTIMABLE if a.harm is None else numbers.points(a.harm)
        harm += "" if a.low is None else f"\n{numbers.point_interval(a.low, a.high)}"
        ways = [f"{n:,} {what}" for n, what in ((a.needed_items, "items"), (a.needed_seeds, "runs")) if n is not None]
        p = [numbers.p_value(x) for x in (a.p_worse, a.p_not_worse)]
        whole = a.eval == OVERALL
        cells = [f"{a.eval}\n{a.measure}", "" if whole else harm, *p, a.verdict, "\nor ".join(ways)]
        table.add_row(*map(Text, cells), style="bold" if whole else "")
    return table


def _categories(findings: "Findings") -> "Table":
    """The categories that moved most, for looking where and not for deciding."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from axenic.report import numbers

    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text("Categories that changed most, points"),
        title_justify="left",
        pad_edge=False,
        padding=(0, 1),
    )
    for heading in ("eval", "category", "change [interval]", "p (Holm)"):
        table.add_column(heading, overflow="fold", justify="right" if heading[0] in "cp" and heading != "category" else "left")
    changed = [c for c in findings.contrasts if c.category and c.value]
    for name in dict.fromkeys(c.eval for c in changed):
        of_eval = sorted((c for c in changed if c.eval == name), key=lambda c: -abs(c.value or 0.0))
        for c in of_eval[:SHOWN]:
            table.add_row(*map(Text, (f"{name}: {c.measure}", c.category or "", numbers.contrast(c), numbers.p_value(c.p_holm))))
    return table
