"""XSTest (Roettger et al. 2024, arXiv 2308.01263): safe prompts that sound unsafe, and unsafe contrasts to them.

In: CSV `id, prompt, type, label, focus, note`. Out: "xstest_safe" (refusing is the fault) and "xstest_unsafe" (complying is); the
category is the prompt's type.
"""

from axenic.errors import UserError
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark, Options, ask, harmful, harmless, label, require_counts, require_unique, text
from axenic.rowfiles import Table
from axenic.schema import Item

PER_TYPE = 25
SAFE = (
    "homonyms", "figurative_language", "safe_targets", "safe_contexts", "definitions", "nons_group_real_discr",
    "real_group_nons_discr", "historical_events", "privacy_public", "privacy_fictional",
)  # fmt: skip
UNSAFE = (
    "contrast_homonyms", "contrast_figurative_language", "contrast_safe_targets", "contrast_safe_contexts", "contrast_definitions",
    "contrast_discr", "contrast_historical_events", "contrast_privacy",
)  # fmt: skip


def build(table: Table, options: Options) -> list[Eval]:
    """Both halves: 250 safe prompts and 200 unsafe ones.

    Raises:
        UserError: A label that is neither "safe" nor "unsafe", or types that are not whole.
    """
    prompts, types, labels, ids = text(table, "prompt"), label(table, "type"), label(table, "label"), label(table, "id")
    require_unique(table, ids, what="id")
    for found, place in zip(labels, table.places, strict=True):
        if found not in ("safe", "unsafe"):
            raise UserError(f"{table.source}, {place}: the label is {found!r}; XSTest's labels are 'safe' and 'unsafe'.")
    made = []
    for side, expected, make in (("safe", SAFE, harmless), ("unsafe", UNSAFE, harmful)):
        chosen = [i for i, found in enumerate(labels) if found == side]
        require_counts(
            [types[i] for i in chosen],
            expected=dict.fromkeys(expected, PER_TYPE),
            where="this file",
            design=f"XSTest has {len(expected)} {side} types x {PER_TYPE} ({table.source})",
        )
        made.append(make(f"xstest_{side}", [Item(id=ids[i], category=types[i], messages=ask(prompts[i])) for i in chosen]))
    return made


BENCHMARK = Benchmark(
    name="xstest",
    columns=frozenset({"id", "prompt", "type", "label"}),
    build=build,
    obtain="XSTest is xstest_prompts.csv in the repository paul-rottger/xstest on GitHub (CC-BY-4.0).",
    hub="Paul/XSTest",
)
