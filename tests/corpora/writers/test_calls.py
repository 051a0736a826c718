"""Promises of the call layer, against a real server that misbehaves: nothing is lost, nothing is paid twice, nothing hangs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from inspect_ai.model import BatchConfig

from axenic.corpora.writers.calls import BudgetReached, Calls, Limits, Price, Request
from axenic.corpora.writers.calls import folder as folders
from axenic.corpora.writers.calls import wire as wires
from axenic.corpora.writers.calls.ledger import price_of
from axenic.errors import EnvironmentProblem, UserError
from axenic.schema import user
from chat_server import Running

MODEL = "openai-api/local/m"
QUICK = Limits(concurrency=8, retries=8, timeout=1.0, pause=0.02, fruitless=10_000)
HERE = Path(__file__).parent
PATHS = {
    **os.environ,
    "LOCAL_API_KEY": "not-a-key",
    "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]),
}
PRICE = Price(input=1.0, output=2.0)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LOCAL_API_KEY", "not-a-key")


def requests(n, start=0, **more):
    asked = "Write about {braces} and $dollars inside <content> tags: {0}"
    return [Request(stage="document", messages=(user(f"{asked} {i}"),), seed=i, **more) for i in range(start, start + n)]


def calls(server, path, limits=QUICK, *, model=MODEL, price=PRICE):
    return Calls(model, path, limits, price=price, base_url=server.base_url)


def changed(**fields):
    return QUICK.model_copy(update=fields)


def test_equal_requests_are_paid_for_once_also_in_a_later_run_and_at_the_same_time(tmp_path):
    with Running(latency=0.05) as server:
        with calls(server, tmp_path) as line:
            first = line.answers(requests(5) * 3)
        with calls(server, tmp_path) as line:
            again = line.answers(requests(5))
            assert line.ledger.spent == pytest.approx(sum(a.cost for a in again))
        assert sum(server.stats()["asked"].values()) == 5
    assert [a.text for a in first[:5]] == [a.text for a in again]
    assert all(a.cached for a in again) and {a.status for a in again} == {"ok"}


@pytest.mark.parametrize("model", [MODEL, "ollama/m"], ids=["plain chat completions", "through a provider of Inspect's"])
def test_whatever_goes_wrong_on_the_wire_no_item_is_lost(tmp_path, model):
    faults = {"429": 0.1, "429-after": 0.05, "500": 0.1, "hang": 0.02, "drop": 0.08, "malformed": 0.05}
    with (
        Running(latency=0.002, faults=faults, hang=5.0) as server,
        calls(server, tmp_path, changed(timeout=0.5), model=model) as line,
    ):
        answers = line.answers(requests(200))
        did = server.stats()["did"]
    assert [a.status for a in answers] == ["ok"] * 200
    assert set(faults) < set(did) and sum(did[name] for name in faults) > 50
    assert did["well"] == 200


@pytest.mark.parametrize("fault, status", [("refuse", "refused"), ("cut", "cut"), ("empty", "empty")])
def test_what_a_reply_is_worth_is_a_status_that_is_kept(tmp_path, fault, status):
    with Running(faults={fault: 1.0}) as server:
        for _ in range(2):
            with calls(server, tmp_path) as line:
                (answer,) = line.answers(requests(1))
            assert answer.status == status and answer.note
        assert sum(server.stats()["asked"].values()) == 1


def test_a_call_that_never_succeeds_is_an_error_with_a_reason_and_is_tried_again_by_a_rerun(tmp_path):
    with Running(faults={"500": 1.0}) as server:
        for n in (1, 2):
            with calls(server, tmp_path, changed(retries=2)) as line:
                answer = line.answer(requests(1)[0])
            assert (answer.status, answer.text, answer.cost) == ("error", "", None) and "500" in answer.note
            assert sum(server.stats()["asked"].values()) == 3 * n


def test_a_wedged_connection_costs_its_timeout_and_no_more(tmp_path):
    with Running(faults={"hang": 1.0}, hang=60.0) as server, calls(server, tmp_path, changed(timeout=0.2, retries=1)) as line:
        began = time.monotonic()
        (answer,) = line.answers(requests(1))
    assert answer.status == "error" and "0.2 s" in answer.note
    assert time.monotonic() - began < 3


def test_after_rate_limits_fewer_calls_are_in_flight_and_retry_after_is_honoured(tmp_path):
    with Running(latency=0.01, faults={"429-after": 0.25}) as server, calls(server, tmp_path, changed(concurrency=32)) as line:
        began = time.monotonic()
        answers = line.answers(requests(64))
        asker = line._asker
    assert {a.status for a in answers} == {"ok"}
    assert asker._pace.limit < 32
    assert time.monotonic() - began >= 0.2


def test_never_more_in_flight_than_allowed(tmp_path):
    with Running(latency=0.02) as server, calls(server, tmp_path, changed(concurrency=5)) as line:
        line.answers(requests(40))
        assert server.stats()["most"] <= 5


def test_killed_at_any_instant_a_rerun_pays_for_no_finished_call_again(tmp_path):
    script = """
import sys
from test_calls import *
line = Calls(MODEL, sys.argv[1], QUICK, price=PRICE, base_url=sys.argv[2])
with line: line.answers(requests(300))
"""
    with Running(latency=0.02) as server:
        seen = 0
        for _ in range(2):
            server.reset()
            process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), server.base_url], env=PATHS)
            while len(server.stats()["answered"]) < 30 and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            lines = (tmp_path / "answers.jsonl").read_bytes().count(b"\n")
            answered = len(server.stats()["answered"])
            assert answered - QUICK.concurrency <= lines - seen <= answered  # only what was in flight can be lost
            seen = lines
        server.reset()
        with calls(server, tmp_path) as line:
            answers = line.answers(requests(300))
            done = line.ledger.lines[0]
        asked = server.stats()["asked"]
    assert {a.status for a in answers} == {"ok"}
    assert sum(asked.values()) == len(asked) == 300 - seen == sum(not a.cached for a in answers)
    assert done.calls == 300


def test_a_last_line_cut_by_a_kill_is_dropped_and_asked_again(tmp_path):
    with Running() as server:
        with calls(server, tmp_path) as line:
            line.answers(requests(3))
        file = tmp_path / "answers.jsonl"
        whole = file.read_bytes()
        file.write_bytes(whole[:-40])
        server.reset()
        with calls(server, tmp_path) as line:
            assert {a.status for a in line.answers(requests(3))} == {"ok"}
        assert sum(server.stats()["asked"].values()) == 1
    assert len(file.read_bytes().splitlines()) == 3


def test_two_writers_on_one_folder_are_refused(tmp_path):
    with Running() as server, calls(server, tmp_path), pytest.raises(UserError, match="Another run is writing"):
        calls(server, tmp_path).__enter__()


def test_a_budget_is_never_exceeded_and_more_money_continues(tmp_path):
    with Running(latency=0.01) as server:
        with pytest.raises(BudgetReached, match="larger budget"), calls(server, tmp_path, changed(budget=0.01)) as line:
            line.answers(requests(200, max_tokens=600))
        spent = line.ledger.spent
        assert 0.005 < spent <= 0.01
        paid = sum(server.stats()["answered"].values())
        with calls(server, tmp_path, changed(budget=1.0)) as line:
            answers = line.answers(requests(200, max_tokens=600))
        assert sum(server.stats()["answered"].values()) == 200 > paid
    assert line.ledger.spent == pytest.approx(sum(a.cost for a in answers))


def test_a_budget_counts_calls_that_were_sent_and_never_answered(tmp_path):
    with Running(faults={"drop": 1.0}) as server:
        with calls(server, tmp_path, changed(retries=1, budget=1.0)) as line:
            line.answers(requests(2))
            first = line.ledger.perhaps
        with calls(server, tmp_path, changed(retries=1, budget=1.0)) as line:
            assert line.ledger.perhaps == pytest.approx(first) and first > 0


def test_a_budget_too_small_for_one_call_says_so_before_anything_is_paid(tmp_path):
    with Running() as server, calls(server, tmp_path, changed(budget=1e-6)) as line:
        with pytest.raises(BudgetReached, match="could cost up to"):
            line.answers(requests(1))
        assert not server.stats()["asked"]


def test_a_budget_without_a_price_is_refused():
    with pytest.raises(UserError, match="--price-in"):
        Calls(MODEL, "nowhere", Limits(budget=1.0))


def test_a_price_is_as_given_or_nothing_on_ones_own_machine_or_from_the_table_or_unknown():
    assert price_of("hf/some/dir") == price_of("ollama/m") == Price(input=0.0, output=0.0)
    assert price_of("openai/gpt-4o-mini") == Price(input=0.15, output=0.6)
    assert price_of("openai/gpt-4o-mini", PRICE) == PRICE == price_of(MODEL, PRICE)
    assert price_of(MODEL) is None and price_of("openai/gpt-4o-mini-but-not-quite") is None


def test_a_missing_key_an_unknown_provider_and_an_unknown_model_are_one_plain_error_each(tmp_path, monkeypatch):
    with Running() as server:
        with calls(server, tmp_path / "a", model="openai-api/local/unknown") as line:
            with pytest.raises(UserError, match="unknown.*cannot be used.*does not exist"):
                line.answers(requests(50))
            assert sum(server.stats()["asked"].values()) <= QUICK.concurrency
        with calls(server, tmp_path / "b", model="nobody/m") as line, pytest.raises(UserError, match="PROVIDER/MODEL"):
            line.answers(requests(1))
        monkeypatch.delenv("LOCAL_API_KEY")
        with calls(server, tmp_path / "c") as line, pytest.raises(UserError, match="LOCAL_API_KEY"):
            line.answers(requests(1))


def test_a_model_that_always_refuses_stops_the_run_after_a_bounded_number_of_calls_and_for_nothing_the_next_time(tmp_path):
    with Running(faults={"refuse": 1.0}) as server:
        for _ in range(2):
            with calls(server, tmp_path, changed(fruitless=20)) as line, pytest.raises(UserError, match="20 × refused"):
                line.answers(requests(500))
        assert sum(server.stats()["asked"].values()) <= 20 + QUICK.concurrency


def test_a_disk_that_fills_up_stops_the_run_before_it_pays_and_leaves_whole_lines(tmp_path, monkeypatch):
    with Running() as server:
        with calls(server, tmp_path) as line:
            line.answers(requests(3))
        monkeypatch.setattr(folders, "_ROOM", 2**63)
        with calls(server, tmp_path) as line, pytest.raises(EnvironmentProblem, match="Make room"):
            line.answers(requests(6))
        assert sum(server.stats()["asked"].values()) == 3
        monkeypatch.undo()


def test_a_file_that_may_not_grow_leaves_whole_lines_and_a_rerun_goes_on(tmp_path):
    script = """
import resource, sys
from test_calls import *
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY)); signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Calls(MODEL, sys.argv[1], QUICK, price=PRICE, base_url=sys.argv[2]) as line:
    try: line.answers(requests(50))
    except EnvironmentProblem as error: print(error)
"""
    with Running() as server:
        command = [sys.executable, "-c", script, str(tmp_path), server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, env=PATHS)
        assert "cannot be written" in done.stdout, done.stderr
        data = (tmp_path / "answers.jsonl").read_bytes()
        assert data.endswith(b"\n") and 0 < len(data) <= 4000
        with calls(server, tmp_path) as line:
            assert {a.status for a in line.answers(requests(50))} == {"ok"}


def test_a_reply_that_cannot_be_written_down_as_it_is_costs_no_crash(tmp_path):
    with Running(faults={"surrogate": 1.0}) as server:
        for _ in range(2):
            with calls(server, tmp_path) as line:
                (answer,) = line.answers(requests(1))
        assert answer.status == "ok" and answer.cached and "?" in answer.text
        assert sum(server.stats()["asked"].values()) == 1


def test_a_server_that_is_not_there_is_said_so(tmp_path):
    limits = changed(retries=1, fruitless=4)
    line = Calls(MODEL, tmp_path, limits, base_url="http://127.0.0.1:9/v1")
    with line, pytest.raises(UserError, match="4 × no reply: no connection to"):
        line.answers(requests(50))


def test_what_the_calls_cost_is_added_up_by_stage(tmp_path):
    with Running() as server, calls(server, tmp_path) as line:
        (answer,) = line.answers(requests(1))
        assert answer.cost == pytest.approx((answer.input_tokens + 2 * answer.output_tokens) / 1e6)
        (stage,) = line.ledger.lines
        assert (stage.stage, stage.calls, stage.cost) == ("document", 1, answer.cost)
        assert answer.call.key == answer.key and answer.call.model == MODEL


def test_a_batch_api_answers_many_calls_through_one_batch_and_each_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    monkeypatch.setattr(wires, "BATCH", BatchConfig(size=20, send_delay=0.5, tick=0.2))
    with Running() as server:
        with calls(server, tmp_path, changed(concurrency=40, batch=True), model="openai/gpt-4o-mini") as line:
            answers = line.answers(requests(20))
        assert {a.status for a in answers} == {"ok"} and len({a.text for a in answers}) == 20
        assert server.stats()["did"] == {"in a batch": 20}
        with calls(server, tmp_path, model="openai/gpt-4o-mini") as line:
            assert all(a.cached for a in line.answers(requests(20)))
