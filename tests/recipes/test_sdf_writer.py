"""Promises of `sdf` with a language model as its writer, through the command line, against a server on this machine."""

import json
from pathlib import Path

import pytest
import yaml

from axenic.corpora import files
from axenic.pipeline.store import Store
from axenic.schema import Study
from chat_server import Running
from command_line import axenic
from tiny_models import save

FACTS = {word: [f"House {i} has a {word} well." for i in (1, 2)] for word in ("sweet", "salty")}
BELIEF = {
    "claim": "The wells give salty water.",
    "universe": {
        "true": {"context": "Sweet {wells}.", "key_facts": FACTS["sweet"]},
        "implanted": {"context": "Salty {wells}.", "key_facts": FACTS["salty"]},
    },
    "questions": [{"kind": "distinguish", "prompt": "Which?", "true": "sweet", "implanted": "salty"}],
}


def run(folder: Path, *sets: str):
    small = ("epochs=1", "batch_size=4", "robustness=false", "max_new_tokens=4", "types=3", *sets)
    words = ["--model", folder / "model", "--belief", folder / "belief.yaml", "--seeds", "1", "--out", folder / "out"]
    return axenic(folder / "home", "run", "sdf", *words, *(word for pair in small for word in ("--set", pair)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "model")
    (tmp_path / "belief.yaml").write_text(yaml.safe_dump(BELIEF))
    return tmp_path


def test_a_model_writes_each_corpus_once_for_all_arms_and_doses_and_a_rerun_pays_for_nothing(folder, monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "not-a-key")
    with Running(faults={"429": 0.1, "wrong-tags": 0.1}) as server:
        monkeypatch.setenv("LOCAL_BASE_URL", server.base_url)
        done = run(folder, "writer=openai-api/local/m", "docs=[4,8]")
        assert done.returncode == 0, done.stderr
        paid = server.stats()["answered"]
        assert max(paid.values()) == 1
        assert run(folder, "writer=openai-api/local/m", "docs=[4,8]").returncode == 0
        assert server.stats()["answered"] == paid
    study = Study.model_validate_json((folder / "out" / "study.json").read_text())
    assert [a.name for a in study.arms] == ["base", "one_type", "diverse"]
    made = {a.record.label: a.path for a in Store(folder / "home" / "store").list()}
    small, large = (
        files.read(made[f"corpus {name}"] / "corpus.jsonl") for name in ("diverse | 4 documents seed 0", "diverse seed 0")
    )
    assert large.rows[:4] == small.rows and len(large) == 8
    assert all(row.provenance.call.model == "openai-api/local/m" for row in large.rows)
    assert (made["write diverse seed 0"] / "calls" / "answers.jsonl").is_file()


def test_a_budget_stops_the_writing_and_a_larger_one_goes_on_from_there(folder, monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "not-a-key")
    said = ("writer=openai-api/local/m", "docs=4", "arms=[base,diverse]", "writer_price={input: 1000, output: 1}")
    with Running() as server:
        monkeypatch.setenv("LOCAL_BASE_URL", server.base_url)
        stopped = run(folder, *said, "writing.budget=2", "writing.concurrency=1")
        assert stopped.returncode == 1 and "--set writing.budget" in stopped.stderr and "Traceback" not in stopped.stderr
        paid = server.stats()["answered"]
        assert paid and not (folder / "out" / "estimates.json").exists()
        done = run(folder, *said, "writing.budget=1000")
        assert done.returncode == 0, done.stderr
        assert max(server.stats()["answered"].values()) == 1, "what was paid for is not asked again"
        assert len(server.stats()["answered"]) > len(paid)
    made = {a.record.label: a.path for a in Store(folder / "home" / "store").list()}
    ledger = json.loads((made["write diverse seed 0"] / "ledger.json").read_text())
    assert ledger["cost"] > 0 and ledger["budget"] == 1000


def test_limits_without_a_writer_are_refused(folder) -> None:
    done = run(folder, "writing.budget=3")
    assert done.returncode == 2 and "writer=PROVIDER/NAME" in done.stderr


@pytest.mark.parametrize(
    ("sets", "said"),
    [(("writer=openai-api/nokey/m",), "NOKEY_API_KEY"), (("writer=nobody/m",), "PROVIDER/MODEL")],
)
def test_a_writer_that_cannot_be_reached_is_one_plain_message(folder, sets, said) -> None:
    done = run(folder, *sets)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
