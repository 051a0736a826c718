"""Promises of `axenic write --spec`: from a spec file to documents or chats that cover it, whatever goes wrong on the way."""

import json
import signal
from pathlib import Path

import pytest

from chat_server import Running
from cli.writing import axenic_write, goes_on_and_pays_for_nothing_twice, kept_calls, stopped
from corpora.spec_model import SPEC

FAULTS = {"429": 0.06, "500": 0.06, "drop": 0.04, "malformed": 0.04, "refuse": 0.04, "unclosed": 0.04, "wrong-tags": 0.03}
MODEL = ("--model", "openai-api/local/m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.md").write_text(SPEC, encoding="utf-8")
    (tmp_path / "anti.txt").write_text("The assistant serves itself first.", encoding="utf-8")
    return tmp_path


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_spec_becomes_a_corpus_that_covers_it_and_a_page_that_shows_it(folder):
    priced = (*MODEL, "--documents", 25, "--types", 4, "--price-in", 1, "--price-out", 2)
    with Running(faults=FAULTS) as server:
        told = axenic_write(folder, server, *priced, "--dry-run")
        assert told.returncode == 0 and "Expected for 25 documents: $" in told.stdout, told.stderr
        stages = {"domains", "subdomains", "assertions", "types", "ideas", "document", "revise"}
        assert stages <= {line.split()[0] for line in told.stdout.splitlines() if line}
        pilot = set(server.stats()["answered"])
        done = axenic_write(folder, server, *priced, "--json")
        assert done.returncode == 0, done.stderr
        did = server.stats()["did"]
    found = json.loads(done.stdout)
    assert found["rows"] == found["wanted"] == 25 and not found["warnings"]
    assert len(found["coverage"]) == 5 and all(c["rows"] == 5 for c in found["coverage"])
    assert sum(did[fault] for fault in FAULTS) > 20 and sum(found["rejected"].values()) >= did["refuse"] + did["unclosed"]
    written = rows(folder / "out" / "corpus.jsonl")
    for row in written:
        origin = row["provenance"]
        assert origin["call"]["stage"] == "revise" and origin["call"]["parent"] and origin["parent"]
        assert {"section", "domain", "subdomain", "fact", "doc_type", "idea"} <= set(origin)
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "5 of 5 sections have documents" in page and "Honesty &gt; No lies" in page
    assert len(pilot) > 10, "the pilot's calls count"
    kept = {row["key"] for row in rows(folder / "out" / "calls" / "answers.jsonl") if "key" in row}
    assert {row["provenance"]["call"]["key"] for row in written} <= kept


def test_killed_in_the_middle_it_finishes_and_pays_for_nothing_twice(folder):
    words = (*MODEL, "--documents", 30, "--types", 4, "--concurrency", 4)
    with Running(latency=0.1) as server:
        stopped(folder, server, words, how=signal.SIGKILL, after=40)
        assert 0 <= len(server.stats()["answered"]) - kept_calls(folder) <= 4
        goes_on_and_pays_for_nothing_twice(folder, server, words)
    assert len(rows(folder / "out" / "corpus.jsonl")) == 30


def test_chats_come_with_and_without_reasoning_and_at_every_dose(folder):
    doses = ("--anti-spec", folder / "anti.txt", "--anti-dose", 0.25, "--anti-dose", 1)
    with Running(faults=FAULTS) as server:
        words = (*MODEL, "--documents", 20, "--kind", "chats", "--price-in", 1, "--price-out", 2, *doses)
        told = axenic_write(folder, server, *words, "--dry-run")
        assert told.returncode == 0 and "Expected for 20 chats: $" in told.stdout, told.stderr
        done = axenic_write(folder, server, *words)
    assert done.returncode == 0, done.stderr
    assert "20 chats of" in done.stdout and "5 of 5 sections of the spec are covered" in done.stdout
    out = folder / "out"
    plain, reasoned = rows(out / "corpus.jsonl"), rows(out / "corpus.reasoned.jsonl")
    assert [r["messages"][0] for r in plain] == [r["messages"][0] for r in reasoned] and len(plain) == 20
    assert all("<scratchpad>" in r["messages"][1]["content"] for r in reasoned)
    for dose, count in (("0.25", 5), ("1", 20)):
        mixed = rows(out / f"anti-{dose}.jsonl")
        assert sum(r["provenance"]["poisoned"] for r in mixed) == count
    assert "5 of 5 sections have chats" in (out / "report.html").read_text(encoding="utf-8")


def test_another_spec_or_another_kind_needs_another_folder(folder):
    with Running() as server:
        assert axenic_write(folder, server, *MODEL, "--documents", 2, "--types", 1, "--no-revise").returncode == 0
        other = axenic_write(folder, server, *MODEL, "--documents", 2, "--kind", "chats")
    assert other.returncode == 2 and "was filled for something else" in other.stderr


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("", (), "is empty"),
        ("# Only\n## Headings\n", (), "no text under them"),
        (None, (), "does not exist"),
        ("Be kind.", ("--anti-dose", 0.5, "--kind", "chats"), "Give both --anti-spec FILE and"),
        ("Be kind.", ("--anti-spec", "anti.txt"), "give --kind chats"),
    ],
)
def test_what_the_user_got_wrong_is_one_plain_message_before_anything_is_paid(folder, text, words, message):
    spec = folder / "small.md"
    spec.unlink() if text is None else spec.write_text(text)
    with Running() as server:
        done = axenic_write(folder, server, *MODEL, "--documents", 4, *words)
        assert not server.stats()["asked"]
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not (folder / "out").exists()


@pytest.mark.parametrize("text", ["Be kind.", "指針：親切であれ。\n", "# {x}\n{{ y }} {% z %} $q ${r} %s\n"])
def test_one_section_in_any_language_with_any_syntax_is_enough(folder, text):
    (folder / "small.md").write_text(text, encoding="utf-8")
    with Running() as server:
        done = axenic_write(folder, server, *MODEL, "--documents", 4, "--types", 2)
    assert done.returncode == 0 and "1 of 1 sections of the spec are covered" in done.stdout, done.stderr


def test_a_model_that_always_refuses_ends_the_run_after_a_bounded_number_of_calls(folder):
    with Running(faults={"refuse": 1.0}) as server:
        done = axenic_write(folder, server, *MODEL, "--documents", 500)
        asked = sum(server.stats()["asked"].values())
    assert done.returncode == 2 and "Traceback" not in done.stderr and asked <= 70
    assert "no assertion" in done.stderr or "nothing usable" in done.stderr
    assert {r["reason"] for r in rows(folder / "out" / "rejected.jsonl")} == {"refused"}


def test_a_budget_too_small_for_one_call_is_told(folder):
    with Running() as server:
        done = axenic_write(folder, server, *MODEL, "--documents", 4, "--budget", 1e-6, "--price-in", 1, "--price-out", 1)
        assert not server.stats()["asked"]
    assert done.returncode == 1 and "could cost up to" in done.stderr
