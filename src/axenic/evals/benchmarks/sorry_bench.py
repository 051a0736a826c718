"""SORRY-Bench (Xie et al. 2025, arXiv 2406.14598): 44 categories of 10 unsafe requests, and 20 linguistic mutations of each.

In: the user's own copy (JSONL `question_id, category, turns, prompt_style`), or the gated hub data set; its terms forbid
redistribution, so nothing of it is here. Out: one eval; the wordings of a request are variants of one stem. Fraser et al. 2025 use
the base wording alone (PROTOCOLS 4). The edition of June 2024 had 45 categories; `edition=202406` accepts it.
"""

from collections.abc import Sequence
from typing import Any

from axenic.errors import UserError, unknown_name
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark, Options, ask, harmful, label, require_counts, require_unique
from axenic.rowfiles import Problem, Table, listed
from axenic.schema import Item

BASE = "base"
MUTATIONS = (
    "ascii", "atbash", "authority_endorsement", "caesar", "evidence-based_persuasion", "expert_endorsement", "logical_appeal",
    "misrepresentation", "misspellings", "morse", "question", "role_play", "slang", "technical_terms", "translate-fr",
    "translate-ml", "translate-mr", "translate-ta", "translate-zh-cn", "uncommon_dialects",
)  # fmt: skip
PER_CATEGORY = 10
EDITIONS = {"202503": 44, "202406": 45}
DOMAINS: dict[str, tuple[str, ...]] = {  # of the edition 202503
    "hate speech generation": tuple(str(i) for i in range(1, 6)),
    "assistance with crimes or torts": tuple(str(i) for i in range(6, 25)),
    "potentially inappropriate topics": tuple(str(i) for i in range(25, 40)),
    "potentially unqualified advice": tuple(str(i) for i in range(40, 45)),
}


def build(table: Table, options: Options) -> list[Eval]:
    """One eval with every request in the styles asked for: "base" by default, a list separated by commas, or "all".

    The condition is the style where several are asked; the category is the benchmark's number.

    Raises:
        UserError: A style or edition that does not exist or is not in the file, or categories that are not whole.
    """
    edition = options.get("edition", "202503")
    if edition not in EDITIONS:
        raise unknown_name("SORRY-Bench edition", edition, EDITIONS)
    styles = _styles(options.get("prompt_style", BASE))
    prompts, categories, ids = _prompts(table), label(table, "category"), label(table, "question_id")
    found = [style or BASE for style in label(table, "prompt_style")]
    require_unique(table, [f"{id} ({style})" for id, style in zip(ids, found, strict=True)], what="question_id")
    for style in styles:
        _require_style(table, [c for c, s in zip(categories, found, strict=True) if s == style], style, edition, set(found))
    items = [
        Item(id=f"{id}@{style}", category=category, condition=style if len(styles) > 1 else "", messages=ask(prompt))
        for id, category, style, prompt in zip(ids, categories, found, prompts, strict=True)
        if style in styles
    ]
    return [harmful("sorry_bench", items)]


def _styles(wanted: str) -> tuple[str, ...]:
    known = (BASE, *MUTATIONS)
    styles = known if wanted == "all" else tuple(dict.fromkeys(s.strip() for s in wanted.split(",")))
    for style in styles:
        if style not in known:
            raise unknown_name("SORRY-Bench prompt_style", style, [*known, "all"])
    return styles


def _require_style(table: Table, categories: Sequence[str], style: str, edition: str, there: set[str]) -> None:
    if not categories:
        raise UserError(
            f"{table.source} has no row of prompt_style {style!r}; it has: {', '.join(sorted(there))}. "
            "Give the file that holds this style, or name a style that is there with '?prompt_style='."
        )
    if edition == "202503" and len(set(categories)) == 45:
        raise UserError(
            f"{table.source} has 45 categories: it is the edition of June 2024. The paper's 440 requests are the edition 202503, "
            f"without one of them. Get that ({BENCHMARK.hub}), or write '?edition=202406' to use this one."
        )
    n = EDITIONS[edition]
    require_counts(
        categories,
        expected={str(i): PER_CATEGORY for i in range(1, n + 1)},
        where="this file" if style == BASE else f"this file's style {style!r}",
        design=f"SORRY-Bench has {n} categories x {PER_CATEGORY} ({table.source})",
    )


def _prompts(table: Table) -> list[str]:
    """The first turn of every row: `turns` is a list of one text, or, in a CSV file, that text."""
    found: list[str] = []
    problems: list[Problem] = []
    for row, place in zip(table.rows, table.places, strict=True):
        turns: Any = row.get("turns")
        if isinstance(turns, str):
            turns = [turns]
        if not isinstance(turns, list) or len(turns) != 1 or not isinstance(turns[0], str) or not turns[0].strip():
            problems.append(Problem(place, "'turns' must be a list of exactly one text"))
        else:
            found.append(turns[0].strip())
    if problems:
        raise UserError(f"{table.source}: {listed(problems)}. Get the file again.")
    return found


BENCHMARK = Benchmark(
    name="sorry_bench",
    columns=frozenset({"question_id", "category", "turns"}),
    build=build,
    obtain="Accept the terms of the data set sorry-bench/sorry-bench-202503 on the Hugging Face hub; its question.jsonl holds the "
    "base requests, question_STYLE.jsonl the mutations.",
    hub="sorry-bench/sorry-bench-202503",
    options=(
        "prompt_style",
        "edition",
    ),
)
