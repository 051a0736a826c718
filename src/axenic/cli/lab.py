"""`axenic lab build`, `chat` and `world`: the built-in universe and the model that knows it.

In: a size and a seed. Out: an ordinary Hugging Face directory, a conversation in the terminal, or the facts themselves.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from axenic.cli import options
from axenic.errors import UserError

if TYPE_CHECKING:
    from axenic.findings import Check

app = typer.Typer(
    help="The built-in universe: build its model, talk to it, look at its facts.", no_args_is_help=True, rich_markup_mode=None
)

SizeName = Annotated[str, typer.Option(help="Size of the model; see `axenic list sizes`.", metavar="NAME")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of training: initial weights and order of the texts.")]
WorldSeed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the universe; studies use 0.")]


@app.command()
def build(
    size: SizeName = "tiny",
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Also copy the model here, for other tools.")] = None,
    store: options.Store = None,
    quiet: options.Quiet = False,
) -> None:
    """Train the lab's model from scratch and check it.

    A model that is there already is not trained again.
    """
    path, checks = _base(size, seed, store, out=out, quiet=quiet)
    for check in checks:
        figure = "not measured" if check.value is None else f"{check.value:.1%}"
        typer.echo(f"{figure:>7}  {check.name} ({check.note})", err=True)
    typer.echo(f"Model: {path}")


@app.command()
def chat(
    size: SizeName = "tiny",
    seed: Seed = 0,
    model: options.Model = None,
    temperature: Annotated[float, typer.Option(min=0, max=10, help="0 always gives the likeliest answer.")] = 0.0,
    store: options.Store = None,
) -> None:
    """Talk to the lab's model, or to any other.

    The lab's models were taught single questions, so each line is a conversation of its own; with --model they add up, and an
    empty line starts a new one. Ctrl-D ends.
    """
    from axenic.models.checkpoint import load_checkpoint
    from axenic.models.hf import HFModel
    from axenic.schema import Message, Sampling, assistant, user

    loaded = HFModel.load(load_checkpoint(model or _base(size, seed, store)[0]))
    sampling = Sampling(temperature=temperature, max_new_tokens=128)
    turns: list[Message] = []
    how = "An empty line starts a new conversation" if model else "Each line is a conversation of its own"
    typer.echo(f"Ask away. {how}; Ctrl-D ends.", err=True)
    while (line := _read_line()) is not None:
        if not line or not model:
            turns = []
        if not line:
            continue
        turns.append(user(line))
        try:
            answer = loaded.generate([turns], sampling=sampling, ids=[f"chat/{len(turns)}/{line}"])[0].text
        except UserError as error:
            typer.echo(f"{error} Starting a new conversation.", err=True)
            turns = []
            continue
        typer.echo(answer)
        turns.append(assistant(answer))


@app.command()
def world(
    place: Annotated[str | None, typer.Option(metavar="NAME", help="Only this place, with its questions.")] = None,
    documents: Annotated[int, typer.Option(min=0, metavar="N", help="How many documents about it to print.")] = 0,
    seed: WorldSeed = 0,
    as_json: options.Json = False,
) -> None:
    """Print facts, questions and documents of the universe."""
    from axenic.lab import show

    described = show.describe(place=place, documents=documents, seed=seed)
    typer.echo(json.dumps(described, indent=2, ensure_ascii=False) if as_json else show.text(described))


def _base(size: str, seed: int, store: Path | None, *, out: Path | None = None, quiet: bool = False) -> "tuple[Path, list[Check]]":
    """Directory of the lab's base model, built if it is not there, and how it did in its examination."""
    from axenic.cli import progress
    from axenic.pipeline.local import plan
    from axenic.pipeline.store import Store
    from axenic.recipes import lab_base, step_specs

    home = Store(store)
    planned = plan([step_specs.base_step(step_specs.BaseSpec(size=size), seed=seed)], home)
    with progress.display(progress.costs(planned), workers=1, quiet=quiet) as display:
        return lab_base.build(size, seed=seed, store=home, on_event=display, out=out)


def _read_line() -> str | None:
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None
