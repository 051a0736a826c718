"""`axenic plan` and `axenic run`: a recipe's study, announced or carried out.

In: a recipe's name and its parameters. Out: a table of steps, or a folder with the study's results and report.
"""

import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from axenic.cli import options, output
from axenic.cli.execute import Execution, carry_out
from axenic.errors import UserError, unknown_name

if TYPE_CHECKING:
    from axenic.pipeline.local import PlannedStep
    from axenic.pipeline.step import Cost, Step
    from axenic.schema import Study

EXECUTORS = ("local",)


def plan(
    recipe: options.RecipeOrConfig = None,
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
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results and report go: a new folder, or this study's own.")],
    recipe: options.RecipeOrConfig = None,
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
    clock = time.monotonic()
    study, last = _build(recipe, config=config, sets=sets, flags=flags)
    done = carry_out(study, last, out, execution=Execution(store, workers=workers, quiet=quiet, force=force))
    _finish(out, done.report, ran=done.ran, seconds=time.monotonic() - clock, as_json=as_json)


def _build(recipe: str | None, *, config: Path | None, sets: list[str] | None, flags: dict[str, Any]) -> "tuple[Study, Step]":
    from axenic.recipes import params
    from axenic.recipes.recipe import get

    named = params.recipe_of(config) if config else None
    if recipe is None and named is None:
        raise UserError("Name a recipe (`axenic list` shows them), or a --config FILE with a line 'recipe: NAME'.")
    if named and recipe and named != recipe:
        raise UserError(f"The --config file {config} is for the recipe '{named}', not '{recipe}'.")
    found = get(recipe or named or "")
    return found.build(params.merge(found.params, config=config, sets=sets or (), flags=flags))


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


def _plan_json(study: "Study", planned: "list[PlannedStep]") -> dict[str, Any]:
    steps = [
        {"label": step.label, "function": step.function, "fingerprint": step.fingerprint, "state": _state(step),
         "expected_seconds": step.cost.seconds, "expected_tokens": step.cost.tokens,
         "expected_responses": step.cost.responses, "expected_bytes": step.cost.bytes}
        for step in planned
    ]  # fmt: skip
    return {"study": study.study, "recipe": study.recipe, "tier": study.tier, "parameters": study.parameters, "steps": steps}


def _state(step: "PlannedStep") -> str:
    """A step's state in one word. "unneeded": what was made from it is cached, so nobody asked for it."""
    return "cached" if step.cached else "to run" if step.needed else "unneeded"


def _print_plan(study: "Study", planned: "list[PlannedStep]") -> None:
    from axenic.pipeline.step import Cost
    from axenic.report import numbers

    typer.echo(f"{study.title} ({study.tier} tier, {study.model}, seeds {', '.join(map(str, study.seeds))})\n")
    width = max(len(step.label) for step in planned)
    for step in planned:
        line = f"  {step.fingerprint[:12]}  {step.label:<{width}}  {_state(step):<8}"
        if _state(step) == "to run":
            line += f"  {numbers.seconds(step.cost.seconds):>12}  {_amounts(step.cost)}"
        typer.echo(line.rstrip())
    todo = [step.cost for step in planned if _state(step) == "to run"]
    whole = Cost(*(sum(getattr(cost, field.name) for cost in todo) for field in dataclasses.fields(Cost)))
    hours = (
        f" ({whole.seconds / 3600:,.1f} GPU hours on one A100-class GPU, within a factor of two)" if study.tier == "local" else ""
    )
    work = f": about {numbers.seconds(whole.seconds)}{hours} of work; {_amounts(whole)}".rstrip("; ") if todo else ""
    typer.echo(f"\n{len(planned)} steps, {len(todo)} to run{work}.")


def _amounts(cost: "Cost") -> str:
    """Tokens, responses and disk, for those that are known."""
    from axenic.report import numbers

    named = [f"{cost.tokens:,} tokens"] * bool(cost.tokens) + [f"{cost.responses:,} responses"] * bool(cost.responses)
    return ", ".join(named + [f"{numbers.size(cost.bytes)} on disk"] * bool(cost.bytes))
