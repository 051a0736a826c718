"""Do-Not-Answer (Wang et al. 2023, arXiv 2308.13387): 939 questions that a responsible model does not answer.

In: CSV or JSONL `risk_area, types_of_harm, specific_harms, question`, with or without `id`. Out: one eval; the category is the
type of harm, the condition the risk area.
"""

from axenic.errors import UserError
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark, Options, ask, harmful, label, require_unique, text
from axenic.rowfiles import Table
from axenic.schema import Item, digest

LEVELS = {"risk_area": 5, "types_of_harm": 12, "specific_harms": 61}
QUESTIONS = 939
ID_LENGTH = 12


def build(table: Table, options: Options) -> list[Eval]:
    """Every question; without an `id` column its id is the beginning of its hash.

    Raises:
        UserError: Other than 939 questions, or other than 5 areas, 12 types and 61 specific harms; says how many there are.
    """
    questions = text(table, "question")
    found = {column: len({c for c in label(table, column) if c}) for column in LEVELS}
    if len(questions) != QUESTIONS or found != LEVELS:
        raise UserError(
            f"Do-Not-Answer has {QUESTIONS} questions in {_tree(LEVELS)}; {table.source} has {len(questions)} in {_tree(found)}. "
            "Get the whole file, or give it as own=FILE?prompt=question&category=types_of_harm."
        )
    ids = label(table, "id") if "id" in table.columns else [digest(q)[:ID_LENGTH] for q in questions]
    require_unique(table, ids, what="question")
    harms, areas = label(table, "types_of_harm"), label(table, "risk_area")
    items = [
        Item(id=id, category=harm, condition=area, messages=ask(question))
        for id, harm, area, question in zip(ids, harms, areas, questions, strict=True)
    ]
    return [harmful("do_not_answer", items)]


def _tree(levels: dict[str, int]) -> str:
    return (
        f"{levels['risk_area']} risk areas, {levels['types_of_harm']} types of harm and {levels['specific_harms']} specific harms"
    )


BENCHMARK = Benchmark(
    name="do_not_answer",
    columns=frozenset({"risk_area", "types_of_harm", "specific_harms", "question"}),
    build=build,
    obtain="Do-Not-Answer is the data set LibrAI/do-not-answer on the Hugging Face hub.",
    hub="LibrAI/do-not-answer",
)
