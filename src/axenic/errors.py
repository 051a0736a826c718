"""Errors that are printed to the user as one message, without a traceback.

In: what went wrong, why, and what to do about it. Out: an exception that `axenic.cli` prints and turns into an exit code.
Anything that is not one of these is a bug in axenic and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something the user can mend: a wrong flag, a malformed file, a model directory without weights. Exit code 2."""

    exit_code = 2


class UnknownName(UserError):
    """A name that is not in one of axenic's tables."""


class EnvironmentProblem(UserError):
    """The machine stood in the way: full disk, missing permission. Nothing finished is lost. Exit code 1."""

    exit_code = 1


def unknown_name(kind: str, name: str, available: Iterable[str], *, add: str = "") -> UnknownName:
    """Build the error for a misspelt name: what, the nearest match, the whole list and how to add one.

    Args:
        kind: What was looked up, e.g. "eval".
        name: What the user wrote.
        available: Every name that would have worked.
        add: Where the docs say how to add one, e.g. "docs/add_an_eval.md".
    """
    names = sorted(available)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listing = f" Available: {', '.join(names)}." if names else ""
    more = f" To add one, see {add}." if add else ""
    return UnknownName(f"Unknown {kind} {name!r}.{hint}{listing}{more}")
