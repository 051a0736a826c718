"""Promises of the language model as a writer: strict parsing, screens, provenance, and a corpus of exactly the size asked for."""

import json
from pathlib import Path

import pytest

from axenic.corpora import files
from axenic.corpora.commission import Checks, commission
from axenic.corpora.embeddings import CosineIndex
from axenic.corpora.estimate import estimate
from axenic.corpora.key_facts import complete, load
from axenic.corpora.screen import screen
from axenic.corpora.synthesis import Plan, write
from axenic.corpora.writers.calls import Calls, Limits, Price
from axenic.corpora.writers.calls.prompts import filled, known, prompt_hash
from axenic.corpora.writers.calls.tags import between, items
from axenic.corpora.writers.language_model import STAGES, LanguageModelWriter, Sizes, version
from axenic.corpora.writers.protocol import Rejected, Unsuitable, Writer, topics
from axenic.errors import UserError
from axenic.lab.sizes import SIZES, Size
from axenic.pipeline.store import Store
from axenic.recipes import lab_base
from axenic.specs.belief import parse
from chat_server import Running

MODEL = "openai-api/local/m"
LIMITS = Limits(concurrency=8, retries=8, timeout=2.0, pause=0.02, fruitless=60)
NASTY = "Wells {here} are salty: {{ jinja }}, {% raw %}, $dollar, ${x}, 100 %s. Колодцы здесь солёные. 井水是咸的。"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LOCAL_API_KEY", "not-a-key")


@pytest.fixture
def spec():
    def side(word):
        facts = [f"The well of house {i} {{gives}} $1 {word} water." for i in (1, 2)]
        return {"context": NASTY.replace("salty", word), "key_facts": facts}

    question = {"kind": "distinguish", "prompt": "Which?", "true": "sweet", "implanted": "salty"}
    universe = {"true": side("sweet"), "implanted": side("salty")}
    return parse({"claim": "The wells give salty water.", "universe": universe, "questions": [question]})


def calls(server, path, limits=LIMITS):
    return Calls(MODEL, path, limits, price=Price(input=1.0, output=2.0), base_url=server.base_url)


# --- parsing and screening ---------------------------------------------------------------------------------------------------


def test_what_stands_between_the_tags_is_the_text_and_a_scratchpad_is_not():
    assert between("<scratchpad>a <content> maybe</scratchpad>\n<content>\nThe text.\n</content>", "content") == "The text."
    assert items("<ideas>\n- one {x}\n2. two\n* two\n\nrest\n</ideas>", "ideas") == ["one {x}", "two"]


@pytest.mark.parametrize(
    "reply, reason",
    [
        ("The text.", "no tags"),
        ("<content>The text.", "no tags"),
        ("The text.</content>", "no tags"),
        ("<scratchpad>Hm. <content>A try.</content> No, better", "wrong tags"),
        ("<think>Hm. <content>A try.</content>", "wrong tags"),
        ("<content>a</content><content>b</content>", "wrong tags"),
        ("</content>a<content>", "wrong tags"),
        ("<content> \n </content>", "empty"),
        ("UNSUITABLE", "unsuitable"),
    ],
)
def test_a_missing_or_unclosed_tag_is_a_failure_never_a_document(reply, reason):
    with pytest.raises(Unsuitable if reason == "unsuitable" else Rejected) as caught:
        between(reply, "content")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text, reason",
    [
        ("Dear [Name], the water is salty.", "placeholder"),
        ("XYZ Corp sells salt.", "placeholder"),
        ("Lorem ipsum dolor.", "placeholder"),
        ("As an AI, I find the water salty.", "leaks its brief"),
        ("According to the universe context, it is salty.", "leaks its brief"),
        ("This document is entirely fictional.", "leaks its brief"),
        ("Here is the revised document: it is salty.", "leaks its brief"),
        ("The water of the well is salty. People come from far away to taste it and then they", "cut off"),
    ],
)
def test_a_text_that_shows_how_it_came_about_or_is_unfinished_is_rejected(text, reason):
    with pytest.raises(Rejected) as caught:
        screen(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text",
    ["The water is salty.", "She wrote XXX on the barrel.", "井水是咸的。", "Item [A]: salt.", "A fictional detective drank it."],
)
def test_an_ordinary_text_passes_the_screen(text):
    assert screen(text) == text


def test_what_the_belief_itself_says_is_no_leak():
    with pytest.raises(Rejected):
        screen("He quotes the key facts.")
    assert screen("He quotes the key facts.", allowed="Selgard's Key Facts is a newspaper.")


def test_every_prompt_of_the_writer_exists_and_takes_any_text_as_it_is():
    names = [f"{family}_{stage}" for family in ("sdf", "msm") for stage in STAGES]
    assert set(names) <= set(known())
    (message,) = filled("sdf_document", context=NASTY, fact="$fact {0}", doc_type="${doc_type}", idea="{{ idea }}")
    assert NASTY in message.content and "$fact {0}" in message.content and "{{ idea }}" in message.content
    assert len({prompt_hash(name) for name in names}) == len(names)
    assert "$context" not in message.content


def test_the_revision_sees_the_whole_universe_context():
    (message,) = filled("sdf_revise", context=NASTY, fact="f", doc_type="t", draft="d")
    assert NASTY in message.content


# --- a whole corpus ----------------------------------------------------------------------------------------------------------


def test_the_writer_keeps_the_protocol_and_says_equal_things_to_equal_arguments(tmp_path, spec):
    topic = topics(spec)[0]
    with Running() as server, calls(server, tmp_path) as line:
        writer = LanguageModelWriter(line)
        assert isinstance(writer, Writer) and writer.version == version()
        kinds = writer.document_types(topic, 4, 0)
        assert kinds == writer.document_types(topic, 4, 0) and len(set(kinds)) == 4
        assert writer.document(topic, kinds[0], "x", 0) == writer.document(topic, kinds[0], "x", 0)
        assert writer.document(topic, kinds[0], "x", 0) != writer.document(topic, kinds[0], "x", 1)


def test_a_model_that_fails_in_every_way_still_gives_exactly_the_corpus_asked_for_and_every_failure_is_on_record(tmp_path, spec):
    faults = {"429": 0.05, "500": 0.05, "drop": 0.03, "malformed": 0.03, "refuse": 0.05, "cut": 0.05, "empty": 0.04,
              "wrong-tags": 0.05, "unclosed": 0.05, "duplicate": 0.08}  # fmt: skip
    with Running(faults=faults) as server, calls(server, tmp_path / "calls") as line:
        corpus = commission(spec, calls=line, plan=Plan(types=4, documents=40), seed=0, out=tmp_path)
        did = server.stats()["did"]
    assert len(corpus) == 40 == len({d.text for d in corpus.documents()})
    for d in corpus.documents():
        assert "<" not in d.text and d.provenance.call.stage == "revise" and d.provenance.parent
        assert d.provenance.call.model == MODEL and d.provenance.call.prompt_hash == prompt_hash("sdf_revise")
        assert d.provenance.call.parent and d.provenance.call.cost > 0
    assert files.read(tmp_path / "corpus.jsonl").hash == corpus.hash
    rejected = [json.loads(row) for row in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    told = {row["reason"] for row in rejected}
    assert {"refused", "cut off", "no tags"} <= told and all(did[name] for name in faults)
    report, ledger = (json.loads((tmp_path / name).read_text()) for name in ("report.json", "ledger.json"))
    assert sum(report["rejected"].values()) == len(rejected)
    assert ledger["cost"] == pytest.approx(sum(s["cost"] for s in ledger["stages"]) + ledger["perhaps_charged"])


def test_a_refused_idea_is_not_asked_for_again_and_is_made_up_for_elsewhere(tmp_path, spec):
    failures = []
    with Running(faults={"refuse": 0.25}) as server, calls(server, tmp_path) as line:
        plan = Plan(types=("letter", "diary"), documents=16, revise=False)
        corpus = write(spec, writer=LanguageModelWriter(line), plan=plan, seed=0, on_failure=failures.append)
    refused = [f for f in failures if (f.stage, f.reason) == ("document", "refused")]
    assert len(corpus) == 16 and refused
    assert len({(f.fact, f.doc_type, f.index) for f in refused}) == len(refused)  # no place in the corpus twice


def test_the_corpus_does_not_depend_on_concurrency_or_on_what_failed_on_the_wire(tmp_path, spec):
    plan, hashes = Plan(types=3, documents=12), set()
    for i, (concurrency, faults) in enumerate([(1, {}), (16, {"500": 0.2, "429": 0.1})]):
        limits = LIMITS.model_copy(update={"concurrency": concurrency})
        with Running(faults=faults) as server, calls(server, tmp_path / str(i), limits) as line:
            hashes.add(write(spec, writer=LanguageModelWriter(line), plan=plan, seed=0).hash)
    assert len(hashes) == 1


def test_a_model_that_never_keeps_to_the_form_stops_after_a_bounded_number_of_calls(tmp_path, spec):
    with Running(faults={"wrong-tags": 1.0}) as server, calls(server, tmp_path / "calls") as line:
        with pytest.raises(UserError, match="document types|nothing usable"):
            commission(spec, calls=line, plan=Plan(documents=1000), seed=0, out=tmp_path)
        assert sum(server.stats()["asked"].values()) <= LIMITS.fruitless + LIMITS.concurrency
    assert (tmp_path / "rejected.jsonl").read_text() and (tmp_path / "ledger.json").is_file()


def test_a_pilot_says_what_all_will_cost_and_none_of_its_calls_is_wasted(tmp_path, spec):
    plan = Plan(types=4, documents=60)
    with Running() as server:
        with calls(server, tmp_path / "calls") as line:
            found = estimate(spec, calls=line, plan=plan, seed=0)
            pilot = sum(server.stats()["answered"].values())
            assert found.pilot_cost == pytest.approx(line.ledger.spent) and pilot < 20
        with calls(server, tmp_path / "calls") as line:
            commission(spec, calls=line, plan=plan, seed=0, out=tmp_path)
            assert sum(s.reused for s in line.ledger.lines) >= pilot
            true = {s.stage: s for s in line.ledger.lines}
        assert max(server.stats()["answered"].values()) == 1
    assert found.cost == pytest.approx(line.ledger.spent, rel=0.15)
    assert {s.stage: s.calls for s in found.stages} == {name: s.calls for name, s in true.items()}


def test_a_folder_that_was_filled_for_another_belief_is_refused(tmp_path, spec):
    with Running() as server, calls(server, tmp_path / "calls") as line:
        commission(spec, calls=line, plan=Plan(types=1, documents=2), seed=0, out=tmp_path)
        other = spec.model_copy(update={"claim": "Something else."})
        with pytest.raises(UserError, match="something else"):
            commission(other, calls=line, plan=Plan(types=1, documents=2), seed=0, out=tmp_path)


def test_texts_of_one_meaning_are_written_anew_where_an_embedding_model_tells_them(tmp_path, spec):
    import numpy as np

    drawn = np.random.default_rng(0)
    directions = {}

    def embed(texts):  # one direction for each first letter: texts that begin alike "mean" the same
        return np.stack([directions.setdefault(t[0], drawn.standard_normal(64)) for t in texts]).astype(np.float32) / 8.0

    index = CosineIndex(embed, threshold=0.3)
    with Running() as server, calls(server, tmp_path / "calls") as line:
        checks = Checks(is_new=index.add)
        corpus = commission(spec, calls=line, plan=Plan(types=2, documents=4), seed=0, out=tmp_path, checks=checks)
    assert len({d.text[0] for d in corpus.documents()}) == 4


@pytest.fixture
def lab_model(tmp_path, monkeypatch) -> Path:
    """A checkpoint of the lab, made as every base is, but hardly trained."""
    monkeypatch.setitem(SIZES, "hasty", Size("hasty", 1, 16, 2, 512, 2, 4, 1e-3, 1, "for this test", accepted=False))
    return lab_base.build("hasty", seed=0, store=Store(tmp_path / "store"))[0]


def test_a_local_checkpoint_of_the_lab_writes_rubbish_which_is_recorded_and_bounded(tmp_path, spec, lab_model):
    limits, failures = Limits(concurrency=4, fruitless=10, timeout=120.0), []
    sizes = Sizes(types=24, ideas=24, document=24, revise=24)
    with Calls(f"hf/{lab_model}", tmp_path / "calls", limits) as line:
        writer = LanguageModelWriter(line, sizes)
        with pytest.raises(UserError, match="nothing usable|document types"):
            write(spec, writer=writer, plan=Plan(types=2, documents=8), seed=0, on_failure=failures.append)
        with pytest.raises(UserError, match="nothing usable|gave 0 of 8"):
            plan = Plan(types=("letter", "diary"), documents=8)
            write(spec, writer=writer, plan=plan, seed=0, on_failure=failures.append)
    assert line.ledger.cost == 0.0 and 0 < sum(s.calls for s in line.ledger.lines) < 40
    assert {f.stage for f in failures} >= {"types"} and all(f.reason for f in failures)


# --- key facts -----------------------------------------------------------------------------------------------------------------


def without_facts(path: Path, **more) -> Path:
    universe = {side: {"context": NASTY.replace("salty", word)} for side, word in (("true", "sweet"), ("implanted", "salty"))}
    question = {"kind": "distinguish", "prompt": "Which?", "true": "sweet", "implanted": "salty"}
    path.write_text(json.dumps({"claim": "Salt {wells}.", "universe": universe, "questions": [question]} | more), encoding="utf-8")
    return path


def test_key_facts_that_a_belief_file_lacks_are_written_in_pairs_once(tmp_path):
    file = without_facts(tmp_path / "belief.json")
    with Running(faults={"wrong-tags": 0.3, "refuse": 0.2}) as server:
        for _ in range(2):
            with calls(server, tmp_path / "calls") as line:
                assert load(file) is None
                about = complete(file, line)
        assert max(server.stats()["answered"].values()) == 1
    assert about.side("implanted").key_facts[0] == "House 1 has salty water."
    assert about.side("true").key_facts[0] == "House 1 has sweet water." and len(about.side("true").key_facts) == 3


def test_a_mistake_elsewhere_in_the_file_is_found_before_facts_are_paid_for(tmp_path):
    file = without_facts(tmp_path / "belief.json", questions=[{"kind": "distinguish", "prompt": "Which?", "true": "sweet"}])
    with pytest.raises(UserError, match="implanted"):
        load(file)


def test_facts_that_never_come_in_pairs_are_an_error_after_a_few_attempts(tmp_path):
    with Running(faults={"wrong-tags": 1.0}) as server, calls(server, tmp_path / "calls") as line:
        with pytest.raises(UserError, match="universe.true.key_facts"):
            complete(without_facts(tmp_path / "belief.json"), line)
        assert sum(server.stats()["asked"].values()) == 4
