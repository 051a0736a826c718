"""`axenic plan` and `axenic run`: a recipe's study, announced or carried out.

In: a recipe's name and its parameters. Out: a table of steps, or a folder with the study's results and report.
"""

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from axenic.cli import options, output
from axenic.errors import UserError, unknown_name

if TYPE_CHECKING:
    from axenic.pipeline.local import PlannedStep
    from axenic.pipeline.record import Artifact
    from axenic.pipeline.step import Step
    from axenic.pipeline.store import Store
    from axenic.schema import Study

EXECUTORS = ("local",)


def plan(
    recipe: options.RecipeName,
    size: options.Size = None,
    model: options.Model = None,
    belief: options.Belief = None,
    corpus: options.CorpusFile = None,
    seeds: options.Seeds = None,
    sets: options.Sets = None,
    config: options.Config = None,
    store: options.Store = None,
    as_json: options.Json = False,
) -> None:
    """Show what a study would do, and for how long.

    Lists every step: cached, to run, or unneeded because what was made from it is cached. Runs nothing.
    """
    from axenic.pipeline.local import plan as plan_steps
    from axenic.pipeline.store import Store

    flags = {"size": size, "model": model, "belief": belief, "corpus": corpus, "seeds": seeds}
    study, last = _build(recipe, config=config, sets=sets, flags=flags)
    planned = plan_steps([last], Store(store))
    if as_json:
        typer.echo(json.dumps(_plan_json(study, planned), indent=2))
    else:
        _print_plan(study, planned)


def run(
    recipe: options.RecipeName,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results and report go: a new folder, or this study's own.")],
    size: options.Size = None,
    model: options.Model = None,
    belief: options.Belief = None,
    corpus: options.CorpusFile = None,
    seeds: options.Seeds = None,
    sets: options.Sets = None,
    config: options.Config = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Worker processes; 1 runs in this one.")] = 1,
    on: Annotated[str, typer.Option(metavar="WHERE", help="What runs the steps: local.")] = "local",
    store: options.Store = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the results of another study in --out.")] = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Carry out a study and write its report.

    Ends with the headline results in the terminal. After a stop, the same command continues where it was.
    """
    if on not in EXECUTORS:
        raise unknown_name("executor", on, EXECUTORS)
    flags = {"size": size, "model": model, "belief": belief, "corpus": corpus, "seeds": seeds}
    started, clock = time.time(), time.monotonic()
    study, last = _build(recipe, config=config, sets=sets, flags=flags)
    with output.claim(out, study, force=force):
        from axenic.cli.manifest import manifest
        from axenic.pipeline.store import Store
        from axenic.report import page

        home = Store(store)
        artifact, ran = _execute(last, home, workers=workers, quiet=quiet)
        output.copy(artifact.path, out)
        if ran or not (out / "manifest.json").exists():
            output.write_json(
                out / "manifest.json", manifest(artifact, home, started=started, wall_seconds=time.monotonic() - clock)
            )
        report = page.write(out)
    _finish(out, report, ran=ran, seconds=time.monotonic() - clock, as_json=as_json)


def _build(recipe: str, *, config: Path | None, sets: list[str] | None, flags: dict[str, Any]) -> "tuple[Study, Step]":
    from axenic.recipes import params
    from axenic.recipes.recipe import get

    found = get(recipe)
    return found.build(params.merge(found.params, config=config, sets=sets or (), flags=flags))


def _execute(last: "Step", store: "Store", *, workers: int, quiet: bool) -> "tuple[Artifact, int]":
    """Run what is missing. Returns the last step's artifact and how many steps ran."""
    from axenic.cli import progress
    from axenic.pipeline import local
    from axenic.pipeline.fingerprint import fingerprint

    planned = local.plan([last], store)
    costs = progress.costs(planned)
    if costs and not quiet:
        typer.echo(_announcement(planned, workers), err=True)
    # what libraries print must not end up in the result that --json promises
    with contextlib.redirect_stdout(sys.stderr), progress.display(costs, workers=workers, quiet=quiet) as display:
        artifacts = local.execute([last], store, workers=workers, on_event=display)
    artifact = artifacts.get(fingerprint(last))
    if artifact is None:
        raise UserError("A file that the study reads changed while it ran. Run the same command again.")
    return artifact, display.tracker.ran


def _finish(out: Path, report: Path, *, ran: int, seconds: float, as_json: bool) -> None:
    from axenic.cli.results import read
    from axenic.report import numbers

    study, findings = read(out)
    if as_json:
        files = {name: str(out / name) for name in output.FILES if (out / name).exists()}
        result = {"study": study.study, "recipe": study.recipe, "tier": study.tier, "out": str(out), "files": files}
        typer.echo(json.dumps({**result, "steps_run": ran, "seconds": round(seconds, 2)}, indent=2))
        return
    from rich.console import Console

    from axenic.report import terminal

    console = Console()
    console.print(terminal.headline(study, findings))
    done = f"{ran} step{'s' * (ran != 1)} run" if ran else "everything was there already"
    typer.echo(f"\nDone in {numbers.seconds(seconds)}, {done}.\nReport: {report}")


def _announcement(planned: "list[PlannedStep]", workers: int) -> str:
    from axenic.report import numbers

    todo = [step for step in planned if step.needed and not step.cached]
    cached = sum(step.cached for step in planned)
    there = f", {cached} there already" if cached else ""
    expected = numbers.seconds(sum(step.cost.seconds for step in todo) / workers)
    steps = f"{len(todo)} step{'s' * (len(todo) != 1)} to run{there}"
    return f"{steps}; expected to take about {expected}. Ctrl-C is safe: run again to continue."


def _plan_json(study: "Study", planned: "list[PlannedStep]") -> dict[str, Any]:
    steps = [
        {"label": step.label, "function": step.function, "fingerprint": step.fingerprint, "state": _state(step),
         "expected_seconds": step.cost.seconds, "expected_tokens": step.cost.tokens}
        for step in planned
    ]  # fmt: skip
    return {"study": study.study, "recipe": study.recipe, "tier": study.tier, "parameters": study.parameters, "steps": steps}


def _state(step: "PlannedStep") -> str:
    """A step's state in one word. "unneeded": what was made from it is cached, so nobody asked for it."""
    return "cached" if step.cached else "to run" if step.needed else "unneeded"


def _print_plan(study: "Study", planned: "list[PlannedStep]") -> None:
    from axenic.report import numbers

    typer.echo(f"{study.title} ({study.tier} tier, {study.model}, seeds {', '.join(map(str, study.seeds))})\n")
    width = max(len(step.label) for step in planned)
    for step in planned:
        line = f"  {step.fingerprint[:12]}  {step.label:<{width}}  {_state(step):<8}"
        if _state(step) == "to run":
            line += f"  {numbers.seconds(step.cost.seconds):>12}" + (f"  {step.cost.tokens:,} tokens" if step.cost.tokens else "")
        typer.echo(line.rstrip())
    todo = [step for step in planned if _state(step) == "to run"]
    tokens = sum(step.cost.tokens for step in todo)
    total = numbers.seconds(sum(step.cost.seconds for step in todo)) + (f", {tokens:,} tokens" if tokens else "")
    typer.echo(f"\n{len(planned)} steps, {len(todo)} to run" + (f": about {total} of work." if todo else "."))
