"""What is left after a kill at any instant, with real processes and real signals."""

import os
import signal
import time
from pathlib import Path

import pytest
from example_steps import Text, count, logged, suicide_with_a_heir

from axenic.errors import EnvironmentProblem
from axenic.pipeline.fingerprint import fingerprint
from axenic.pipeline.local import execute
from axenic.pipeline.step import Step
from axenic.pipeline.store import Store

RUN = "execute([Step(count, Text(wait=0.4))], store, workers={workers})"
STEP = Step(count, Text(wait=0.4))


def gone(pid: int) -> bool:
    """No such process, or only its entry waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle_of_a_step_a_rerun_resumes_and_leaves_one_good_artifact(store: Store, spawn, until, workers: int):
    process = spawn(RUN.format(workers=workers))
    until(lambda: len(logged()) >= 3)
    process.kill()
    process.wait()
    assert store.find(fingerprint(STEP)) is None
    artifact = execute([STEP], store)[fingerprint(STEP)]
    assert artifact.record.resumed
    assert sorted(artifact.record.files) == [f"{i}.txt" for i in range(5)]
    units = logged()
    assert {"unit 0", "unit 4"} <= set(units)
    assert units.count("unit 0") == units.count("unit 1") == 1  # finished before the kill, so not done again
    assert len(store.list()) == 1
    assert list(store.partial.iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_many_instants_in_a_row_it_still_ends_well(store: Store, spawn, until, workers: int):
    for delay in (0.0, 0.1, 0.2, 0.3, 0.4):
        before = len(logged())
        process = spawn(RUN.format(workers=workers))
        until(lambda before=before: len(logged()) > before or store.find(fingerprint(STEP)))
        time.sleep(delay)
        process.kill()
        process.wait()
    artifact = execute([STEP], store)[fingerprint(STEP)]
    assert sorted(artifact.record.files) == [f"{i}.txt" for i in range(5)]
    assert store.find(fingerprint(STEP)) is not None


def test_two_processes_racing_build_one_artifact_once(store: Store, spawn):
    racers = [spawn("print(*execute([Step(write, Text(wait=0.6))], store))") for _ in range(3)]
    said = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0], said
    assert len({out for out, _ in said}) == 1
    assert logged() == ["write x"]
    assert len(store.list()) == 1


def test_a_waiting_process_says_so_and_takes_over_when_the_builder_is_killed(store: Store, spawn, until):
    builder = spawn("execute([Step(count, Text(wait=0.15))], store)")
    until(lambda: len(logged()) >= 2)
    waiter = spawn("execute([Step(count, Text(wait=0.15))], store, on_event=lambda e: print(e.kind, flush=True))")
    assert [waiter.stdout.readline().strip() for _ in range(2)] == ["planned", "waiting"]
    builder.kill()
    out, err = waiter.communicate(timeout=60)
    assert waiter.returncode == 0, err
    assert out.split()[0] == "started"
    assert logged().count("unit 0") == 1
    assert len(store.list()) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_by_ctrl_c_it_ends_promptly_and_a_rerun_resumes(store: Store, spawn, until, workers: int):
    process = spawn(f"""
        try:
            execute([Step(count, Text(wait=0.4)), Step(write, Text(wait=60.0))], store, workers={workers})
        except KeyboardInterrupt:
            print("interrupted")
    """)
    until(lambda: "unit 2" in logged())
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - started < 10
    assert out == "interrupted\n"
    assert err == ""
    execute([STEP], store)
    assert logged().count("unit 0") == 1


def test_workers_and_what_they_started_die_with_a_killed_parent(store: Store, spawn, until):
    process = spawn("execute([Step(start_a_child_and_hang)], store, workers=2)")
    until(lambda: len(logged()) >= 2)
    pids = [int(line.split()[1]) for line in logged()]
    assert not any(gone(pid) for pid in pids)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: all(gone(pid) for pid in pids))


def test_a_dead_worker_is_noticed_even_if_its_child_lives_and_the_child_goes_too(store: Store, until):
    started = time.monotonic()
    with pytest.raises(EnvironmentProblem, match="was killed"):
        execute([Step(suicide_with_a_heir)], store, workers=2)
    assert time.monotonic() - started < 60  # the child alone would have held the connection for 120 s
    (line,) = logged()
    until(lambda: gone(int(line.split()[1])))


def test_ctrl_c_leaves_no_worker_behind(store: Store, spawn, until):
    process = spawn("execute([Step(start_a_child_and_hang)], store, workers=2)")
    until(lambda: len(logged()) >= 2)
    pids = [int(line.split()[1]) for line in logged()]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    until(lambda: all(gone(pid) for pid in pids))
