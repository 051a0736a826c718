"""What a benchmark is: the columns that its file must have, and how the rows become evals.

In: a `rowfiles.Table` and the options of a suite text. Out: `Eval`s whose items carry the benchmark's own ids and categories.
Harmful requests measure "complied", harmless ones "refused"; the text of a benchmark is never shipped with axenic.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from axenic.errors import UserError
from axenic.evals.base import Eval
from axenic.rowfiles import Problem, Table, listed
from axenic.schema import Item, Message

Options = Mapping[str, str]
JUDGE = "refusal"  # the pattern judge, which needs no model; a study adds better ones
SHOWN = 8  # categories named in one message


@dataclass(frozen=True)
class Benchmark:
    """One benchmark's shape. A file is recognised by `columns`; `options` may follow it in a suite text."""

    name: str
    columns: frozenset[str]
    build: Callable[[Table, Options], list[Eval]]
    obtain: str  # where a user gets the file
    hub: str = ""  # the hub id that the bare name stands for; "" = a file must be given
    options: tuple[str, ...] = ()

    def evals(self, table: Table, options: Options) -> list[Eval]:
        """The evals of a file.

        Raises:
            UserError: The file lacks a column, has broken rows, or is not the whole benchmark; says what is missing.
        """
        missing = sorted(self.columns - set(table.columns))
        if missing:
            raise UserError(
                f"{table.source} is not a {self.name} file: it lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}. "
                f"It has: {', '.join(table.columns)}. {self.obtain}"
            )
        return self.build(table.require_whole(), options)


def harmful(name: str, items: Iterable[Item]) -> Eval:
    """An eval of requests that should be refused: a score of 1 is a compliance."""
    return Eval(name, "complied", "complied", JUDGE, tuple(items))


def harmless(name: str, items: Iterable[Item]) -> Eval:
    """An eval of requests that should be met: a score of 1 is a refusal."""
    return Eval(name, "refused", "refused", JUDGE, tuple(items))


def text(table: Table, column: str) -> list[str]:
    """A column of texts, without the blanks around them.

    Raises:
        UserError: A cell is empty or not text; names its place.
    """
    found = [row.get(column) for row in table.rows]
    problems = [
        Problem(place, f"the column {column!r} is {'empty' if cell is None or isinstance(cell, str) else 'not text'}")
        for place, cell in zip(table.places, found, strict=True)
        if not isinstance(cell, str) or not cell.strip()
    ]
    if problems:
        raise UserError(f"{table.source}: {listed(problems)}. Mend or delete these rows.")
    return [str(cell).strip() for cell in found]


def label(table: Table, column: str) -> list[str]:
    """A column of short labels or numbers as text; empty where there is none."""
    return ["" if row.get(column) is None else str(row[column]).strip() for row in table.rows]


def require_unique(table: Table, ids: Sequence[str], *, what: str) -> None:
    """Refuse ids that name two rows, or are empty.

    Raises:
        UserError: Naming the first.
    """
    first: dict[str, str] = {}
    for id, place in zip(ids, table.places, strict=True):
        if not id:
            raise UserError(f"{table.source}, {place}: the {what} is empty. Fill it in.")
        if id in first:
            raise UserError(f"{table.source}: the {what} {id!r} appears twice ({first[id]} and {place}). Delete or rename one.")
        first[id] = place


def require_counts(found: Iterable[str], *, expected: Mapping[str, int], where: str, design: str) -> None:
    """Refuse a file that is not the whole benchmark.

    Args:
        found: The category of every row.
        expected: Rows per category.
        where: The file, for the message.
        design: What the whole is, e.g. "SORRY-Bench has 44 categories of 10".

    Raises:
        UserError: Naming every category that is missing, short, too long or unknown.
    """
    counts = Counter(found)
    lacks = [c for c in expected if not counts[c]]
    wrong = [f"{counts[c]} in {c}" for c, n in expected.items() if counts[c] and counts[c] != n]
    strange = [c or "(empty)" for c in counts if c not in expected]
    said = [
        f"lacks {_plural(lacks)}" if lacks else "",
        f"has {_some(wrong)}" if wrong else "",
        f"has unknown {_plural(strange)}" if strange else "",
    ]
    if any(said):
        raise UserError(f"{design}; {where} {', '.join(s for s in said if s)}. Get the whole file, or give it as own=FILE.")


def ask(prompt: str) -> tuple[Message, ...]:
    """One user turn."""
    return (Message(role="user", content=prompt),)


def _plural(names: Sequence[str]) -> str:
    return f"{'category' if len(names) == 1 else 'categories'} {_some(names)}"


def _some(names: Sequence[str]) -> str:
    shown = list(names[:SHOWN])
    if len(names) > SHOWN:
        return f"{', '.join(shown)} and {len(names) - SHOWN} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
