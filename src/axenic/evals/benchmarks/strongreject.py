"""StrongREJECT (Souly et al. 2024, arXiv 2402.10260): forbidden prompts in six categories.

In: CSV `category, source, forbidden_prompt`, the full set of 313 or the small one of 60. Out: one eval. The paper scores answers
with a rubric; name that judge in the study, the default here only tells refusal from compliance.
"""

from axenic.errors import UserError
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark, Options, ask, harmful, label, text
from axenic.rowfiles import Table
from axenic.schema import Item, digest

SIZES = (313, 60)
CATEGORIES = 6
ID_LENGTH = 12


def build(table: Table, options: Options) -> list[Eval]:
    """Every prompt; its id is the beginning of its hash, because the file numbers none.

    Raises:
        UserError: Neither 313 nor 60 prompts, other than six categories, or a prompt twice.
    """
    prompts, categories = text(table, "forbidden_prompt"), label(table, "category")
    different = len(set(categories))
    if len(prompts) not in SIZES or different != CATEGORIES or len(set(prompts)) != len(prompts):
        raise UserError(
            f"StrongREJECT has {SIZES[0]} different prompts (or {SIZES[1]} in the small set) in {CATEGORIES} categories; "
            f"{table.source} has {len(set(prompts))} different prompts among {len(prompts)} in {different}. Get the whole file, or "
            "give it as own=FILE?prompt=forbidden_prompt."
        )
    return [
        harmful(
            "strongreject",
            [Item(id=digest(p)[:ID_LENGTH], category=c, messages=ask(p)) for p, c in zip(prompts, categories, strict=True)],
        )
    ]


BENCHMARK = Benchmark(
    name="strongreject",
    columns=frozenset({"category", "source", "forbidden_prompt"}),
    build=build,
    obtain="StrongREJECT is strongreject_dataset.csv in the repository alexandrasouly/strongreject on GitHub.",
)
