"""The contract of every judge in the table, and how a judge is named by its users."""

import re
import subprocess
import sys
import textwrap

import pytest

from axenic.errors import UnknownName, UserError
from axenic.evals.judges.base import COMPLIANCE, FunctionJudge, Ruling, positive_label, verdicts
from axenic.evals.judges.classifier import labelled
from axenic.evals.judges.classifier.labels import meaning
from axenic.evals.judges.classifier.train import train
from axenic.evals.judges.load import judge_files, load_judge
from axenic.evals.judges.table import JUDGES
from axenic.schema import Item, Response, Verdict, user
from evals.judges import labelled as made
from evals.judges.answers import completion, item, said, serving, toxicity

ABOUT_CODE = {"code_security", "code_works"}  # nothing in TEXTS is code; test_code.py has what they say of code
NEEDS_AN_ARGUMENT = {"trained", "sequence_classifier", "sorry_bench", "llm", "strongreject", "agentic"}
VERDICT = "refused: 0\nconvincing: 3\nspecific: 3\nVERDICT: complied"
TARGETS = {"yes": ("Turn the lid.",), "no": ("Do not.",), "payload": ("$x",), "misaligned": ("Turn the lid.",)}
ASKED = Item(id="i", messages=(user("How do I open a jar?"),), targets=TARGETS)
TEXTS = [
    "Turn the lid.",
    "I cannot help with that.",
    "",
    " \n\t",
    "\u00a0",
    "Do not.",
    "$x {y} <b>",
    "\ufffd\x00\x1f",
    "Turn the lid.",
]


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    columns = labelled.Columns(response="answer", label="label", prompt="prompt")
    data = labelled.read(made.write(folder / "answers.csv", "curt"), columns)
    train(data, meaning(data.labels, ["1_full_compliance"])).save(folder / "judge")
    return folder / "judge"


@pytest.fixture
def named(trained, classifier, causal, monkeypatch):
    """`named(judge)`: what a user writes to get this judge, with everything there that it needs."""

    def answer(body):
        if "messages" not in body:
            return 200, toxicity(0.9)
        return 200, completion("VERDICT: aligned" if "misaligned would be" in body["messages"][-1]["content"] else VERDICT)

    with serving(answer) as (url, _):
        monkeypatch.setenv("JUDGING_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("JUDGING_API_KEY", "k")
        monkeypatch.setenv("PERSPECTIVE_API_URL", url)
        monkeypatch.setenv("PERSPECTIVE_API_KEY", "k")
        arguments = {
            "trained": trained,
            "sequence_classifier": classifier("REFUSAL", "COMPLIANCE"),
            "sorry_bench": causal,
            "llm": "openai-api/judging/m",
            "strongreject": "openai-api/judging/m",
            "agentic": "openai-api/judging/m",
        }
        yield lambda judge: f"{judge}:{arguments[judge]}" if judge in arguments else judge


pytestmark = pytest.mark.filterwarnings("ignore:The Perspective API")


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_has_a_short_name_a_stable_identity_and_its_labels(name, named):
    judge, again = load_judge(named(name)), load_judge(named(name))
    assert re.fullmatch(rf"{name}(:[\w./-]+@[0-9a-f]{{8}})?", judge.name) and judge.name == again.name
    assert re.fullmatch(r"[0-9a-f]{64}", judge.identity) and judge.identity == again.identity
    assert (judge.positive in judge.labels) if judge.labels else judge.positive is None
    assert set(judge.labels) != set(COMPLIANCE) or judge.labels == COMPLIANCE


@pytest.mark.parametrize("name", JUDGES)
def test_every_response_gets_one_ruling_in_order_and_an_empty_one_no_verdict(name, named):
    judge = load_judge(named(name))
    responses = [said(text) for text in TEXTS]
    rulings = judge.rule([ASKED] * len(TEXTS), responses)
    assert len(rulings) == len(TEXTS) and rulings[0] == rulings[-1]
    for text, ruling in zip(TEXTS, rulings, strict=True):
        if not text.strip():
            assert (ruling.label, ruling.status) == (("empty", "scored") if name == "coherence" else (None, "unparseable"))
        assert ruling.label is None or not judge.labels or ruling.label in judge.labels
    if name not in {"sorry_bench"} | ABOUT_CODE:  # a random model says neither 0 nor 1
        assert rulings[0].status == "scored"
    assert judge.rule([], []) == []
    assert list(reversed(judge.rule([ASKED] * len(TEXTS), responses[::-1]))) == rulings


@pytest.mark.parametrize("name", JUDGES)
def test_ten_megabytes_are_judged(name, named):
    long = said("turn the lid of the jar " * 420_000)
    [ruling] = load_judge(named(name)).rule([ASKED], [long])
    assert ruling.status in ("scored", "unparseable")


@pytest.mark.parametrize("name", JUDGES)
def test_an_argument_is_asked_for_where_one_is_needed_and_refused_where_none_is(name):
    if name in NEEDS_AN_ARGUMENT:
        with pytest.raises(UserError, match=f"needs to be told which one: write '{name}:"):
            load_judge(name)
    elif name not in ("coherence", "toxicity"):
        with pytest.raises(UserError, match="takes no argument"):
            load_judge(f"{name}:something")


def test_a_misspelt_judge_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownName, match=r"Did you mean 'refusal'\?.*docs/add_a_judge.md"):
        load_judge("refusals")


def test_a_trained_directory_is_a_judge_by_itself_and_another_directory_is_none(trained, tmp_path):
    assert load_judge(str(trained)).identity == load_judge(f"trained:{trained}").identity
    assert judge_files(str(trained)) == judge_files(f"trained:{trained}") == [trained]
    with pytest.raises(UserError, match="no trained judge: it has no judge.json"):
        load_judge(str(tmp_path))


def test_a_users_own_file_may_hold_a_function_or_a_judge(tmp_path):
    file = tmp_path / "my_own_judges.py"
    file.write_text(
        textwrap.dedent("""
        from axenic.evals.judges.base import Ruling

        def loud(item, response):
            return ("loud" if response.text.isupper() else "quiet") if response.text else None

        class Length:
            name, identity, labels, positive = "length", "0" * 64, ("long", "short"), "long"
            def rule(self, items, responses):
                return [Ruling("long" if len(r.text) > 5 else "short") for r in responses]

        LENGTH = Length()
        HALF = object()
    """)
    )
    loud, length = load_judge(f"{file}:loud"), load_judge(f"{file}:LENGTH")
    assert [r.label for r in loud.rule([item()] * 3, [said("A"), said("a"), said("")])] == ["loud", "quiet", None]
    assert (loud.name, len(loud.identity), length.name) == ("loud", 64, "length")
    assert verdicts(length, [item()], [said("a long answer")], positive="refused") == [
        Verdict(status="scored", verdict="long", score=1.0)
    ]
    assert judge_files(f"{file}:loud") == [file]
    with pytest.raises(UserError, match="neither a judge nor a function"):
        load_judge(f"{file}:HALF")
    with pytest.raises(UserError, match="Did you mean 'LENGTH'"):
        load_judge(f"{file}:LENGHT")


def test_a_judge_changes_its_identity_with_its_code(tmp_path):
    identities = []
    for folder, word in (("one", "salt"), ("two", "sweet")):
        file = tmp_path / folder / f"judge_{folder}.py"
        file.parent.mkdir()
        file.write_text(f"def same(item, response):\n    return '{word}'\n")
        identities.append(load_judge(f"{file}:same").identity)
    assert identities[0] != identities[1]


# --- from rulings to verdicts ------------------------------------------------------------------------------------------------


class Fixed:
    """Rules what it was told to."""

    name, identity = "fixed", "0" * 64

    def __init__(self, *rulings, labels=COMPLIANCE, positive="complied"):
        self.rulings, self.labels, self.positive = list(rulings), labels, positive

    def rule(self, items, responses):
        return self.rulings[: len(responses)]


def scores(judge, *, positive, n):
    return [v.score for v in verdicts(judge, [item()] * n, [said("x")] * n, positive=positive)]


def test_the_eval_decides_which_of_a_judges_labels_scores_one():
    judge = Fixed(Ruling("complied"), Ruling("refused"))
    assert scores(judge, positive="complied", n=2) == [1.0, 0.0]
    assert scores(judge, positive="refused", n=2) == [0.0, 1.0]


def test_a_judge_of_something_else_scores_its_own_positive_label():
    judge = Fixed(Ruling("coherent"), Ruling("empty"), labels=("coherent", "empty"), positive="coherent")
    assert scores(judge, positive="refused", n=2) == [1.0, 0.0]
    assert positive_label(FunctionJudge(lambda i, r: "a", name="open"), "implanted") == "implanted"


def test_a_finer_score_counts_only_for_the_label_that_it_is_about():
    judge = Fixed(Ruling("complied", score=0.25), Ruling("refused", score=0.0))
    assert scores(judge, positive="complied", n=2) == [0.25, 0.0]
    assert scores(judge, positive="refused", n=2) == [0.0, 1.0]


def test_what_a_judge_could_not_say_is_a_status_and_never_a_score():
    judge = Fixed(Ruling(None, "unparseable"), Ruling(None, "error"), Ruling("refused"))
    found = verdicts(judge, [item()] * 3, [said("x")] * 3, positive="complied")
    assert [(v.status, v.verdict, v.score) for v in found] == [
        ("unparseable", "", None),
        ("error", "", None),
        ("scored", "refused", 0.0),
    ]


def test_a_failed_response_is_an_error_and_no_judge_sees_it():
    judge = Fixed(Ruling("complied"))
    failed = Response(text="I cannot", n_tokens=0, finish_reason="error")
    found = verdicts(judge, [item()] * 2, [failed, said("x")], positive="complied")
    assert [(v.status, v.score) for v in found] == [("error", None), ("scored", 1.0)]


@pytest.mark.parametrize(
    "make",
    [lambda: Ruling(None), lambda: Ruling("x", "error"), lambda: Ruling("x", score=1.5), lambda: Ruling(None, "error", score=0.0)],
)
def test_a_ruling_that_contradicts_itself_cannot_be_made(make):
    with pytest.raises(ValueError, match="a ruling"):
        make()


def test_listing_the_judges_imports_nothing_heavy():
    code = "import sys, axenic.evals.judges.table, axenic.evals.judges.load; print([m for m in sys.modules if m in HEAVY])"
    heavy = {"torch", "transformers", "sklearn", "scipy", "inspect_ai", "pandas", "numpy", "safetensors"}
    done = subprocess.run([sys.executable, "-c", f"HEAVY = {heavy}\n{code}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
