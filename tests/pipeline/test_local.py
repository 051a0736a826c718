import os
import time
from pathlib import Path

import pytest
from example_steps import Text, chain, environment, fail, fail_awkwardly, logged, start_a_child_and_hang, suicide, write

from axenic.errors import EnvironmentProblem, UserError
from axenic.pipeline.fingerprint import fingerprint
from axenic.pipeline.local import execute, plan
from axenic.pipeline.step import Cost, Step
from axenic.pipeline.store import Store

both = pytest.mark.parametrize("workers", [1, 2], ids=["in process", "in a pool"])


def diamond(tmp_path: Path) -> Step:
    (tmp_path / "data.txt").write_text("data")
    base = Step(write, Text(text="base"), seed=1, files={"data": tmp_path / "data.txt"})
    arms = tuple(Step(write, Text(text=name), inputs={"base": base}, seed=2, label=name) for name in ("left", "right"))
    return Step(write, Text(text="top"), inputs={"arms": arms, "base": base}, label="top")


def test_the_pool_gives_what_the_process_gives(store: Store, tmp_path: Path):
    top = diamond(tmp_path)
    here = execute([top], store)
    there = execute([top], Store(tmp_path / "other"), workers=2)
    assert here.keys() == there.keys()
    for name in here:
        assert here[name].record.files == there[name].record.files
        assert here[name].lineage == there[name].lineage
        assert here[name].record.command == there[name].record.command


def test_building_a_graph_runs_and_writes_nothing(store: Store, tmp_path: Path):
    plan([diamond(tmp_path)], store)
    assert logged() == []
    assert not store.root.exists()


@both
def test_equal_steps_run_once(store: Store, workers: int):
    twins = [Step(write, Text(), label=name) for name in ("a", "b")]
    execute([Step(write, Text(text="top"), inputs={"twins": twins}), *twins], store, workers=workers)
    assert sorted(logged()) == ["write top", "write x"]


@both
def test_a_rerun_of_60_finished_steps_touches_only_the_target(store: Store, workers: int, monkeypatch):
    target = chain(60)
    execute([target], store)
    looked_at = []
    find = Store.find
    monkeypatch.setattr(Store, "find", lambda self, name: (looked_at.append(name), find(self, name))[1])
    events = []
    started = time.perf_counter()
    result = execute([target], store, workers=workers, on_event=events.append)
    assert time.perf_counter() - started < 3
    assert looked_at == [fingerprint(target)]
    assert list(result) == [fingerprint(target)]
    assert [event.kind for event in events] == ["cached"]
    assert len(logged()) == 60


@both
def test_a_failing_step_does_not_lose_its_siblings(store: Store, workers: int):
    bad = Step(fail, Text(text="user"), label="bad")
    needs_bad = Step(write, Text(text="never"), inputs={"bad": bad})
    good = [Step(write, Text(text=f"good {i}")) for i in range(3)]
    events = []
    with pytest.raises(UserError, match="the belief file has no statement; add one"):
        execute([needs_bad, *good], store, workers=workers, on_event=events.append)
    assert all(store.find(fingerprint(one)) for one in good)
    assert "write never" not in logged()
    failed = [event for event in events if event.kind == "failed"]
    assert [(event.label, event.note) for event in failed] == [("bad", "the belief file has no statement; add one")]


@both
def test_a_bug_in_a_step_keeps_its_type_and_its_traceback(store: Store, workers: int):
    with pytest.raises(KeyError) as caught:
        execute([Step(fail, Text(text="missing"), label="the culprit")], store, workers=workers)
    notes = "\n".join(caught.value.__notes__)
    assert "the culprit" in notes
    if workers > 1:
        assert "raise KeyError(spec.text)" in notes


def test_an_exception_that_cannot_be_pickled_is_reported_all_the_same(store: Store):
    with pytest.raises(RuntimeError, match="Awkward: cannot travel"):
        execute([Step(fail_awkwardly, Text())], store, workers=2)


@both
def test_a_step_that_calls_exit_is_an_error_not_a_silent_end(store: Store, workers: int):
    with pytest.raises(RuntimeError, match="tried to end the process with exit code 3"):
        execute([Step(fail, Text(text="exit"))], store, workers=workers)


def test_a_killed_worker_is_named_and_the_other_steps_finish(store: Store):
    good = [Step(write, Text(text=str(i))) for i in range(4)]
    with pytest.raises(EnvironmentProblem, match="'the hungry one' was killed.*out of memory"):
        execute([Step(suicide, label="the hungry one"), *good], store, workers=2)
    assert all(store.find(fingerprint(one)) for one in good)


def test_workers_are_warm_and_share_the_cores(store: Store, monkeypatch: pytest.MonkeyPatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    steps = [Step(environment, Text(text=str(i), wait=0.05)) for i in range(8)]
    result = execute(steps, store, workers=2)
    seen = [(artifact.path / "env.txt").read_text().split() for artifact in result.values()]
    assert {threads for threads, _ in seen} == {str(max(1, len(os.sched_getaffinity(0)) // 2))}
    pids = {pid for _, pid in seen}
    assert len(pids) <= 2
    assert str(os.getpid()) not in pids
    assert not any(Path("/proc", pid).exists() for pid in pids)


@both
def test_events_tell_the_whole_story(store: Store, workers: int, tmp_path: Path):
    events = []
    execute([diamond(tmp_path)], store, workers=workers, on_event=events.append)
    kinds = [event.kind for event in events]
    assert kinds[:4] == ["planned"] * 4
    assert kinds.count("started") == kinds.count("done") == kinds.count("progress") == 4
    assert events[-1].label == "top"
    assert [event.done for event in events if event.kind == "done"] == [1, 2, 3, 4]
    assert {event.total for event in events if event.kind == "done"} == {4}
    assert all(event.seconds > 0 for event in events if event.kind == "done")


def test_an_error_in_the_callback_stops_the_workers(store: Store):
    def broken(event) -> None:
        if event.kind == "started":
            raise BrokenPipeError("nobody is listening")

    started = time.perf_counter()
    with pytest.raises(BrokenPipeError):
        execute([Step(start_a_child_and_hang)], store, workers=2, on_event=broken)
    assert time.perf_counter() - started < 20


def test_the_plan_says_what_would_run_in_order_and_how_long_it_took_before(store: Store, tmp_path: Path):
    top = diamond(tmp_path)
    base = top.inputs["base"]
    assert isinstance(base, Step)
    execute([base], store)
    planned = plan([top], store)
    assert [one.label for one in planned] == ["write", "left", "right", "top"]
    assert [one.cached for one in planned] == [True, False, False, False]
    assert all(one.needed for one in planned)
    took = store.list()[0].record.seconds
    alike = plan([Step(write, Text(text="other"), label="write")], store)
    assert [one.cost.seconds for one in (planned[0], *alike)] == [took, took]
    execute([top], store)
    assert [(one.cached, one.needed) for one in plan([top], store)] == [(False, False)] * 3 + [(True, True)]


def test_the_plan_uses_the_expected_cost_where_there_is_no_history(store: Store):
    (only,) = plan([Step(write, Text(), cost=Cost(seconds=7, tokens=100))], store)
    assert only.cost == Cost(seconds=7, tokens=100)


def test_a_changed_file_is_a_new_artifact_and_nothing_stale_is_served(store: Store, tmp_path: Path):
    top = diamond(tmp_path)
    before = execute([top], store)[fingerprint(top)]
    (tmp_path / "data.txt").write_text("atad")
    after = execute([top], store)[fingerprint(top)]
    assert "atad" in (after.path / "out.txt").read_text()
    assert "atad" not in (before.path / "out.txt").read_text()


def test_zero_workers_is_a_clear_error(store: Store):
    with pytest.raises(UserError, match="at least 1"):
        execute([], store, workers=0)
