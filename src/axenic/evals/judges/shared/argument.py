"""What stands behind a judge's colon: a directory, hub id or model name, and options after "?", joined by "&".

In: the argument text. Out: an `Argument`; the hash of a local directory's files, which is part of the judge's identity, and the
judge's short name, which holds no path of this machine.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from axenic.errors import UserError, unknown_name
from axenic.models.contents import hash_directory
from axenic.schema import digest


@dataclass(frozen=True)
class Argument:
    """`target` is a directory, a hub id or a model name; `options` follow it."""

    judge: str
    target: str
    options: Mapping[str, str]

    def number(self, key: str, default: float) -> float:
        """An option as a number.

        Raises:
            UserError: It is none.
        """
        text = self.options.get(key)
        try:
            return default if text is None else float(text)
        except ValueError:
            raise UserError(f"The option '{key}={text}' of the judge '{self.judge}' must be a number.") from None

    def one_of(self, key: str, choices: Collection[str], default: str) -> str:
        """An option that is one of a few words.

        Raises:
            UserError: It is none of them.
        """
        found = self.options.get(key, default)
        if found not in choices:
            raise unknown_name(f"value of the judge {self.judge}'s option '{key}'", found, choices)
        return found

    @property
    def content(self) -> str:
        """Hex digest of what the target names: a local directory's files, else the name itself."""
        return hash_directory(Path(self.target)) if Path(self.target).is_dir() else digest(self.target)

    def short_name(self, identity: str) -> str:
        """The judge's name in the result table: same on every machine, and another one for other weights or options."""
        local = Path(self.target).is_dir()
        return f"{self.judge}:{Path(self.target).resolve().name if local else self.target}@{identity[:8]}"


def parse(judge: str, text: str, *, wants: str, options: Collection[str] | None = ()) -> Argument:
    """Take an argument apart.

    Args:
        judge: The judge's name.
        text: What stands behind the colon.
        wants: What must stand there, for the message, e.g. "DIR_OR_ID".
        options: The options there are; None: any.

    Raises:
        UserError: Nothing there, or an option that is unknown or not of the form key=value.
    """
    whole = Path(text).is_dir()  # a folder may have "?" in its name
    target, _, tail = (text, "", "") if whole else text.partition("?")
    if not target.strip():
        raise UserError(f"The judge '{judge}' needs to be told which one: write '{judge}:{wants}'.")
    given: dict[str, str] = {}
    for part in filter(None, tail.split("&")):
        key, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"The option '{part}' of the judge '{judge}' must be of the form key=value.")
        if options is not None and key not in options:
            raise unknown_name(f"option of the judge {judge}", key, options)
        given[key] = value
    return Argument(judge, target.strip(), given)


def require_model(argument: Argument) -> None:
    """Refuse a target that looks like a path but is no directory.

    Raises:
        UserError: Says so.
    """
    target = argument.target
    if not Path(target).is_dir() and (target.startswith((".", "/", "~")) or target.count("/") > 1):
        raise UserError(
            f"The judge '{argument.judge}' has no model directory {target!r}. Give a directory or a hub id, 'org/name'."
        )
