"""`axenic export-inspect`: a finished run as logs that Inspect AI's viewer and tools open.

In: a run's folder. Out: `.eval` files, and how to look at them.
"""

from pathlib import Path
from typing import Annotated

import typer

from axenic.cli import options


def export_inspect(
    folder: options.RunDir,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR2", help="Where the logs go; by default the run's own folder, in inspect/.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Write a finished run as Inspect AI logs.

    One .eval file per arm, training seed, epoch, eval and temperature; `inspect view` opens the folder.
    """
    from rich.console import Console
    from rich.progress import Progress

    from axenic.evals.inspect.export import export

    target = out or folder / "inspect"
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        task = progress.add_task("logs", total=None)
        written = export(
            folder,
            target,
            on_progress=lambda done, total, note: progress.update(task, completed=done, total=total, description=note),
        )
    typer.echo(f"{len(written)} logs in {target}. Look at them: inspect view --log-dir {target}")
