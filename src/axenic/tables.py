"""How a room lists its plug-ins without importing them.

In: a room's visible table, name -> `Entry`. Out: the object that an entry names, imported when it is first asked for, so that
`axenic list` costs no heavy import. Outside code is named `path.py:attribute` and found by `load_file`.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from axenic.errors import UserError, unknown_name


class Entry(NamedTuple):
    """One line of a room's table: where it lives ("package.module:Name", or a whole module) and what it is, in one sentence."""

    path: str
    summary: str


def load(entry: Entry) -> Any:
    """Import and return the object, or the module, that `entry.path` names."""
    name, _, attribute = entry.path.partition(":")
    module = importlib.import_module(name)
    return getattr(module, attribute) if attribute else module


def look_up(kind: str, name: str, table: Mapping[str, Entry], *, add: str = "") -> Any:
    """Return the object called `name`: from the room's table, or from outside as `path.py:attribute`.

    Args:
        kind: What is looked up, for the error message, e.g. "eval".
        name: A name of the table, or `path.py:attribute`.
        table: The room's table.
        add: Where the docs say how to add one.

    Raises:
        UnknownName: Neither; names the nearest match and the whole list.
        UserError: The file named is missing, fails to import or has no such attribute.
    """
    if name in table:
        return load(table[name])
    if ".py:" in name or name.endswith(".py"):
        return load_file(kind, name)
    raise unknown_name(kind, name, table, add=add)


def load_file(kind: str, name: str) -> Any:
    """Return the attribute of a user's own file, named `path.py:attribute`.

    The file's folder joins `sys.path` and the file is imported under its own name, so that worker processes find its functions.
    """
    file, _, attribute = name.rpartition(":") if ".py:" in name else (name, "", "")
    path = Path(file).expanduser().resolve()
    if not attribute:
        raise UserError(f"'{name}' names a file but no {kind} in it. Write '{file}:NAME'.")
    if not path.is_file():
        raise UserError(f"There is no file '{file}' to take the {kind} '{attribute}' from.")
    module = _import_file(path)
    if not hasattr(module, attribute):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise unknown_name(f"name in '{file}'", attribute, public)
    return getattr(module, attribute)


def _import_file(path: Path) -> ModuleType:
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        module = importlib.import_module(path.stem)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"'{path.name}' could not be imported: {type(error).__name__}: {error}") from error
    if Path(getattr(module, "__file__", None) or "").resolve() != path:
        raise UserError(f"'{path.name}' has the same name as another module, '{module.__name__}'. Rename the file.")
    return module
