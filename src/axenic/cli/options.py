"""Options that several commands share, written once."""

from pathlib import Path
from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A name of `axenic list`, or path.py:RECIPE.")]
RecipeOrConfig = Annotated[
    str | None,
    typer.Argument(metavar="[RECIPE]", help="A name of `axenic list`, or path.py:RECIPE; a --config may name it instead."),
]
RunDir = Annotated[Path, typer.Argument(metavar="DIR", help="What `axenic run --out DIR` left behind.")]
Size = Annotated[str | None, typer.Option(help="Size of the lab's model; see `axenic list sizes`.", metavar="NAME")]
Model = Annotated[str | None, typer.Option(help="A Hugging Face directory or id instead of the lab's model.", metavar="DIR_OR_ID")]
Belief = Annotated[Path | None, typer.Option(help="Your own belief, as YAML or JSON.", metavar="FILE")]
CorpusFile = Annotated[Path | None, typer.Option("--corpus", help="Your own documents, as JSONL.", metavar="FILE")]
Seeds = Annotated[str | None, typer.Option(help="How many training seeds, e.g. 3, or which, e.g. 3,5,7.", metavar="N")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="A parameter, e.g. docs=[8,32]. Repeatable.", metavar="KEY=VALUE")]
Config = Annotated[Path | None, typer.Option(help="Parameters as YAML; --set and flags win over it.", metavar="FILE")]
Store = Annotated[Path | None, typer.Option(help="Where artifacts are kept, for all runs.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
