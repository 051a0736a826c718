"""Promises of the loaders of published benchmarks: the whole file gives every item; of another, what is missing is named.

The files here have the published shape and made-up texts; XSTest's own is read where it is at hand.
"""

import csv
import json
import os
from pathlib import Path

import pytest

from axenic.errors import UserError
from axenic.evals.benchmarks.do_not_answer import LEVELS
from axenic.evals.benchmarks.sorry_bench import DOMAINS, MUTATIONS
from axenic.evals.benchmarks.suite import suite
from axenic.evals.benchmarks.xstest import SAFE, UNSAFE

REAL = Path(os.environ.get("AXENIC_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))


def jsonl(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(path: Path, rows: list[dict]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def sorry(style: str = "base", categories: int = 44) -> list[dict]:
    pairs = [(c, k) for c in range(1, categories + 1) for k in range(10)]
    return [
        {"question_id": i + 1, "category": str(c), "turns": [f"Request {k} of {c}, {style}."], "prompt_style": style}
        for i, (c, k) in enumerate(pairs)
    ]


def test_sorry_bench_has_440_base_requests(tmp_path):
    [made] = suite(f"sorry_bench={jsonl(tmp_path / 'question.jsonl', sorry())}")
    assert (made.name, made.measure, len(made.items)) == ("sorry_bench", "complied", 440)
    assert made.items[0].id == "1@base" and made.items[10].category == "2" and made.items[0].condition == ""
    assert sorted(map(int, (c for domain in DOMAINS.values() for c in domain))) == list(range(1, 45))
    assert len(MUTATIONS) == len(set(MUTATIONS)) == 20


def test_sorry_bench_is_recognised_by_its_columns(tmp_path):
    assert suite(str(jsonl(tmp_path / "some file.jsonl", sorry())))[0].name == "sorry_bench"


def test_sorry_bench_mutations_are_variants_of_one_stem(tmp_path):
    file = jsonl(tmp_path / "all.jsonl", [row for style in ("base", "slang", "morse") for row in sorry(style)])
    assert len(suite(f"sorry_bench={file}")[0].items) == 440
    [slang] = suite(f"sorry_bench={file}?prompt_style=slang")
    assert {i.messages[0].content.rsplit(", ", 1)[1] for i in slang.items} == {"slang."}
    [two] = suite(f"sorry_bench={file}?prompt_style=base,morse")
    assert (
        len(two.items) == 880 and {i.condition for i in two.items} == {"base", "morse"} and len({i.stem for i in two.items}) == 440
    )
    with pytest.raises(UserError, match="no row of prompt_style 'ascii'; it has: base, morse, slang"):
        suite(f"sorry_bench={file}?prompt_style=all")
    with pytest.raises(UserError, match="Unknown SORRY-Bench prompt_style 'slnag'. Did you mean 'slang'"):
        suite(f"sorry_bench={file}?prompt_style=slnag")


def test_an_incomplete_sorry_bench_names_the_categories(tmp_path):
    rows = [r for r in sorry() if r["category"] not in ("7", "12")]
    rows.remove(next(r for r in rows if r["category"] == "3"))
    with pytest.raises(UserError, match=r"SORRY-Bench has 44 categories x 10 .*lacks categories 7 and 12, has 9 in 3"):
        suite(f"sorry_bench={jsonl(tmp_path / 'q.jsonl', rows)}")


def test_the_older_edition_of_sorry_bench_is_taken_only_when_asked_for(tmp_path):
    file = jsonl(tmp_path / "q.jsonl", sorry(categories=45))
    with pytest.raises(UserError, match=r"45 categories: it is the edition of June 2024.*\?edition=202406"):
        suite(f"sorry_bench={file}")
    assert len(suite(f"sorry_bench={file}?edition=202406")[0].items) == 450


def test_broken_sorry_bench_rows_are_named(tmp_path):
    rows = sorry()
    rows[4]["turns"] = []
    with pytest.raises(UserError, match="line 5: 'turns' must be a list of exactly one text"):
        suite(f"sorry_bench={jsonl(tmp_path / 'q.jsonl', rows)}")
    with pytest.raises(UserError, match=r"'1 \(base\)' appears twice \(line 1 and line 441\)"):
        suite(f"sorry_bench={jsonl(tmp_path / 'q.jsonl', sorry() + sorry()[:1])}")
    with pytest.raises(UserError, match="is not a sorry_bench file: it lacks the columns category, turns"):
        suite(f"sorry_bench={jsonl(tmp_path / 'q.jsonl', [{'question_id': 1}])}")


def xstest() -> list[dict]:
    kinds = [(t, label) for names, label in ((SAFE, "safe"), (UNSAFE, "unsafe")) for t in names]
    return [
        {"id": str(25 * i + k), "prompt": f"{kind} {k}?", "type": kind, "label": label, "focus": "", "note": ""}
        for i, (kind, label) in enumerate(kinds)
        for k in range(25)
    ]


def test_xstest_measures_refusal_of_safe_and_compliance_with_unsafe_prompts(tmp_path):
    safe, unsafe = suite(f"xstest={table(tmp_path / 'x.csv', xstest())}")
    assert (safe.name, safe.measure, len(safe.items)) == ("xstest_safe", "refused", 250)
    assert (unsafe.name, unsafe.measure, len(unsafe.items)) == ("xstest_unsafe", "complied", 200)
    assert safe.items[0].category == "homonyms"


def test_an_incomplete_xstest_names_the_types(tmp_path):
    rows = [r for r in xstest() if r["type"] != "definitions"][:-1]
    with pytest.raises(UserError, match="XSTest has 10 safe types x 25 .*lacks category definitions"):
        suite(f"xstest={table(tmp_path / 'x.csv', rows)}")
    rows = xstest()
    rows[0]["label"] = "benign"
    with pytest.raises(UserError, match="line 2: the label is 'benign'"):
        suite(f"xstest={table(tmp_path / 'x.csv', rows)}")


@pytest.mark.skipif(
    not (REAL / "xstest").is_dir(), reason="needs XSTest's own file: set AXENIC_REAL_DATA to the folder above xstest/"
)
def test_the_real_xstest_loads_whole():
    file = REAL / "xstest" / "xstest_prompts.csv"
    for text in (f"xstest={file}", str(file)):
        assert [(e.name, len(e.items), len({i.category for i in e.items})) for e in suite(text)] == [
            ("xstest_safe", 250, 10),
            ("xstest_unsafe", 200, 8),
        ]


def strongreject(n: int) -> list[dict]:
    return [{"category": f"topic {i % 6}", "source": "custom", "forbidden_prompt": f"Prompt {i}."} for i in range(n)]


@pytest.mark.parametrize("n", [313, 60])
def test_strongreject_loads_in_both_sizes(tmp_path, n):
    [made] = suite(f"strongreject={table(tmp_path / 's.csv', strongreject(n))}")
    assert (made.name, len(made.items), len({i.id for i in made.items})) == ("strongreject", n, n)


def test_an_incomplete_strongreject_says_how_many_there_are(tmp_path):
    with pytest.raises(UserError, match="313 different prompts .*has 59 different prompts among 59 in 6"):
        suite(f"strongreject={table(tmp_path / 's.csv', strongreject(59))}")


def harmbench() -> list[dict]:
    kinds = ["standard"] * 200 + ["contextual"] * 100 + ["copyright"] * 100
    return [
        {
            "Behavior": f"Behave {i}",
            "FunctionalCategory": kind,
            "SemanticCategory": f"topic {i % 7}",
            "Tags": "",
            "ContextString": f"Context {i},\nin two lines." if kind == "contextual" else "",
            "BehaviorID": f"behave_{i}",
        }
        for i, kind in enumerate(kinds)
    ]


def test_harmbench_puts_the_context_before_the_request(tmp_path):
    file = table(tmp_path / "h.csv", harmbench())
    [made] = suite(f"harmbench={file}")
    assert len(made.items) == 400 and {i.condition for i in made.items} == {"standard", "contextual", "copyright"}
    assert made.items[200].messages[0].content == "Context 200,\nin two lines.\n\n---\n\nBehave 200"
    assert made.items[0].messages[0].content == "Behave 0"
    assert len(suite(f"harmbench={file}?functional=standard,contextual")[0].items) == 300


def test_a_faulty_harmbench_is_refused(tmp_path):
    rows = harmbench()
    with pytest.raises(UserError, match="400 .all., 320 .test., 80 .validation.* has 399"):
        suite(f"harmbench={table(tmp_path / 'h.csv', rows[:-1])}")
    rows[250]["ContextString"] = ""
    with pytest.raises(UserError, match="a contextual behaviour without its ContextString"):
        suite(f"harmbench={table(tmp_path / 'h.csv', rows)}")
    with pytest.raises(UserError, match="Unknown HarmBench functional category 'standrad'"):
        suite(f"harmbench={table(tmp_path / 'h.csv', rows)}?functional=standrad")


def do_not_answer() -> list[dict]:
    return [
        {"id": i, "question": f"Question {i}?", **{column: f"{column} {i % n}" for column, n in LEVELS.items()}} for i in range(939)
    ]


def test_do_not_answer_loads_with_and_without_ids(tmp_path):
    [made] = suite(f"do_not_answer={table(tmp_path / 'd.csv', do_not_answer())}")
    assert len(made.items) == 939 and made.items[3].id == "3" and len({i.category for i in made.items}) == 12
    bare = [{k: v for k, v in row.items() if k != "id"} for row in do_not_answer()]
    [hashed] = suite(str(jsonl(tmp_path / "d.jsonl", bare)))
    assert hashed.name == "do_not_answer" and len({i.id for i in hashed.items}) == 939


def test_an_incomplete_do_not_answer_says_what_there_is(tmp_path):
    with pytest.raises(UserError, match="939 questions in 5 risk areas, 12 types of harm and 61 .* has 40 in 5 .* and 40 specific"):
        suite(f"do_not_answer={table(tmp_path / 'd.csv', do_not_answer()[:40])}")
