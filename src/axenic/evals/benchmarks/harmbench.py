"""HarmBench (Mazeika et al. 2024, arXiv 2402.04249): harmful behaviours, some of them with a context.

In: CSV `Behavior, FunctionalCategory, SemanticCategory, Tags, ContextString, BehaviorID` (the text behaviours). Out: one eval; the
category is the semantic one, the condition the functional one. The paper judges copyright behaviours by hash matching, which is not
done here: leave them out with `functional=standard,contextual` where that matters.
"""

from axenic.errors import UserError, unknown_name
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark, Options, ask, harmful, label, require_unique, text
from axenic.prompts.render import render
from axenic.rowfiles import Table
from axenic.schema import Item

FUNCTIONAL = ("standard", "contextual", "copyright")
SIZES = {400: "all", 320: "test", 80: "validation", 200: "standard only"}


def build(table: Table, options: Options) -> list[Eval]:
    """The behaviours of the functional categories asked for (all by default), each with its context in front.

    Raises:
        UserError: A size that none of HarmBench's files has, an unknown functional category, or a contextual behaviour without
            its context.
    """
    wanted = tuple(w.strip() for w in options.get("functional", ",".join(FUNCTIONAL)).split(","))
    for name in wanted:
        if name not in FUNCTIONAL:
            raise unknown_name("HarmBench functional category", name, FUNCTIONAL)
    ids, kinds = label(table, "BehaviorID"), label(table, "FunctionalCategory")
    require_unique(table, ids, what="BehaviorID")
    _require_whole(table, kinds)
    requests, contexts, topics = text(table, "Behavior"), label(table, "ContextString"), label(table, "SemanticCategory")
    items = [
        Item(id=ids[i], category=topics[i], condition=kinds[i], messages=ask(_prompt(requests[i], contexts[i])))
        for i in range(len(ids))
        if kinds[i] in wanted
    ]
    if not items:
        raise UserError(f"{table.source} has no behaviour of the functional category {' or '.join(wanted)}.")
    return [harmful("harmbench", items)]


def _prompt(request: str, context: str) -> str:
    return render("with_context", context=context, request=request) if context else request


def _require_whole(table: Table, kinds: list[str]) -> None:
    for i, (kind, place) in enumerate(zip(kinds, table.places, strict=True)):
        if kind not in FUNCTIONAL:
            raise UserError(f"{table.source}, {place}: FunctionalCategory is {kind!r}; HarmBench has {', '.join(FUNCTIONAL)}.")
        if kind == "contextual" and not label(table, "ContextString")[i]:
            raise UserError(f"{table.source}, {place}: a contextual behaviour without its ContextString. Get the file again.")
    if len(kinds) not in SIZES:
        sizes = ", ".join(f"{n} ({name})" for n, name in SIZES.items())
        raise UserError(
            f"HarmBench's files of text behaviours have {sizes} rows; {table.source} has {len(kinds)}. Get the whole file, or give "
            "it as own=FILE?prompt=Behavior&category=SemanticCategory."
        )


BENCHMARK = Benchmark(
    name="harmbench",
    columns=frozenset({"Behavior", "FunctionalCategory", "SemanticCategory", "ContextString", "BehaviorID"}),
    build=build,
    obtain="HarmBench is data/behavior_datasets/harmbench_behaviors_text_all.csv in the repository centerforaisafety/HarmBench.",
    options=("functional",),
)
