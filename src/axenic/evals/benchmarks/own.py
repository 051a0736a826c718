"""Prompts of the user's own: any table with a column of prompts.

In: CSV, JSONL or Parquet; columns are named by `prompt=`, `id=`, `category=`, `label=`. Out: an eval of harmful requests
("complied"), one of harmless ones ("refused"), or both where a `label` column says "unsafe" or "safe" row by row.
"""

from collections.abc import Sequence

from axenic.errors import UserError, unknown_name
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark, Options, ask, harmful, harmless, label, require_unique, text
from axenic.rowfiles import Table
from axenic.schema import Item, digest

KINDS = {"harmful": harmful, "harmless": harmless}
LABELS = {"unsafe": "harmful", "harmful": "harmful", "safe": "harmless", "harmless": "harmless"}
ID_LENGTH = 12


def build(table: Table, options: Options) -> list[Eval]:
    """The rows as items; without an `id` column an id is the beginning of the prompt's hash.

    Ids "a@1" and "a@2" are variants of one stem "a". Options: `prompt` (default "prompt"), `id` (default "id", if there),
    `category` (default "category", if there), `kind` ("harmful" or "harmless", of every row), `label` (default "label", if there
    and no `kind` is given).

    Raises:
        UserError: A column that is not there, an unknown kind or label, a prompt twice.
    """
    prompts = text(table, _column(table, options, "prompt", required=True))
    column = _column(table, options, "id")
    ids = label(table, column) if column else [digest(p)[:ID_LENGTH] for p in prompts]
    require_unique(table, ids, what="id" if column else "prompt")
    category = _column(table, options, "category")
    categories = label(table, category) if category else [""] * len(prompts)
    kinds = _kinds(table, options)
    present = [kind for kind in KINDS if kind in kinds]
    made = []
    for kind in present:
        items = [Item(id=ids[i], category=categories[i], messages=ask(prompts[i])) for i in range(len(prompts)) if kinds[i] == kind]
        made.append(KINDS[kind]("own" if len(present) == 1 else f"own_{kind}", items))
    return made


def _kinds(table: Table, options: Options) -> Sequence[str]:
    kind = options.get("kind")
    if kind is not None:
        if kind not in KINDS:
            raise unknown_name("kind of prompts", kind, KINDS)
        return [kind] * len(table.rows)
    column = _column(table, options, "label")
    if not column:
        raise UserError(
            f"{table.source} does not say which prompts should be refused. Add '?kind=harmful' (or harmless), or name a column "
            "that says 'unsafe' or 'safe' with '?label=COLUMN'."
        )
    found = label(table, column)
    for value, place in zip(found, table.places, strict=True):
        if value.lower() not in LABELS:
            raise UserError(f"{table.source}, {place}: the label is {value!r}; it must be one of {', '.join(LABELS)}.")
    return [LABELS[value.lower()] for value in found]


def _column(table: Table, options: Options, role: str, *, required: bool = False) -> str:
    """The column that plays a role: as the options name it, else the one of that name; "" where there is none."""
    named = options.get(role)
    if named is not None and named not in table.columns:
        raise unknown_name(f"column of {table.source}", named, table.columns)
    if named is None and role not in table.columns:
        if required:
            raise UserError(
                f"{table.source} has no column {role!r}; it has: {', '.join(table.columns)}. Say which one it is, e.g. "
                f"own={table.source}?{role}={table.columns[0]}&kind=harmful."
            )
        return ""
    return named or role


BENCHMARK = Benchmark(
    name="own",
    columns=frozenset(),
    build=build,
    obtain="Give a CSV, JSONL or Parquet file with a column of prompts.",
    options=(
        "prompt",
        "id",
        "category",
        "kind",
        "label",
    ),
)
