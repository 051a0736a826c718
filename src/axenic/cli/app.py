"""The `axenic` command: its subcommands, and what happens when one fails.

In: the command line. Out: an exit code: 0 fine, 2 the user's mistake, 1 the machine's or ours, 130 Ctrl-C. A user's mistake is
one message without a traceback; anything unexpected is a short message and a file that holds the traceback.
"""

import errno
import os
import sys
import tempfile
import traceback
from typing import Annotated

import typer

from axenic import __version__
from axenic.cli import analyse, artifacts, audit, catalogue, export_inspect, judge, lab, results, run, stats, write
from axenic.errors import UserError

app = typer.Typer(
    name="axenic",
    help="Grow a model with a known intervention in it, treat it, and measure what changed, with honest intervals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(catalogue.list_)
app.command("plan")(run.plan)
app.command("run")(run.run)
app.command("write")(write.write)
app.command("audit")(audit.audit)
app.command("analyse")(analyse.analyse)
app.command("report")(results.report)
app.command("show")(results.show)
app.command("export-inspect")(export_inspect.export_inspect)
app.command("schema")(catalogue.schema)
app.command("show-loss-mask")(results.show_loss_mask)
app.add_typer(artifacts.app, name="artifacts")
app.add_typer(lab.app, name="lab")
app.add_typer(judge.app, name="judge")
app.add_typer(stats.app, name="stats")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"axenic {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Grow a model with a known intervention in it, treat it, and measure what changed, with honest intervals."""


def main() -> None:
    """Run the command line; the entry point of the package."""
    try:
        app()
    except SystemExit as stop:
        if stop.code == 130:
            typer.echo("\nStopped. Nothing finished is lost: run the same command again to continue.", err=True)
        raise
    except UserError as error:
        _fail(str(error), error.exit_code, error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            _crash(error)
        _fail(f"{error.strerror}: {error.filename or 'while writing'}. Nothing finished is lost.", _code(error), error)
    except Exception as error:
        _crash(error)


def _fail(message: str, code: int, error: BaseException) -> None:
    if os.environ.get("AXENIC_DEBUG"):
        traceback.print_exception(error)
    typer.echo(f"Error: {message}", err=True)
    sys.exit(code)


def _crash(error: BaseException) -> None:
    """Say that this is a bug, and where its traceback lies."""
    if os.environ.get("AXENIC_DEBUG"):
        raise error
    with tempfile.NamedTemporaryFile("w", prefix="axenic-traceback-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"axenic {__version__}: {' '.join(sys.argv)}\n\n")
        traceback.print_exception(error, file=file)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    typer.echo(f"Error: something unexpected went wrong ({what}). Nothing finished is lost.", err=True)
    typer.echo(f"The traceback is in {file.name}; please attach it to a bug report. AXENIC_DEBUG=1 prints it instead.", err=True)
    sys.exit(_code(error))


def _code(error: BaseException) -> int:
    """A command to which 1 means something else (`axenic audit`) marks its failures with another code."""
    return int(getattr(error, "exit_code", 1))
