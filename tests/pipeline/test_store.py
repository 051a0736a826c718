import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from example_steps import Text, big, chain, link, logged, meddle, nothing, write

import axenic
from axenic import disk
from axenic.disk import atomic_write, lock, unlock
from axenic.errors import EnvironmentProblem, UserError
from axenic.pipeline.fingerprint import fingerprint, hash_file
from axenic.pipeline.local import execute
from axenic.pipeline.step import Step
from axenic.pipeline.store import Store


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "a flipped byte": lambda home: flip(home / "sub" / "more.bin"),
    "a flipped byte, with the old time stamp": lambda home: (
        stamp := (home / "out.txt").stat().st_mtime_ns,
        flip(home / "out.txt"),
        os.utime(home / "out.txt", ns=(stamp, stamp)),
    ),
    "a missing file": lambda home: (home / "out.txt").unlink(),
    "a truncated file": lambda home: os.truncate(home / "out.txt", 1),
    "a truncated record": lambda home: os.truncate(home / "artifact.json", 100),
    "an empty record": lambda home: os.truncate(home / "artifact.json", 0),
    "a missing record": lambda home: (home / "artifact.json").unlink(),
    "an altered record": lambda home: (home / "artifact.json").write_text(
        (home / "artifact.json").read_text().replace('"seed": null', '"seed": 1')
    ),
    "a record that is something else": lambda home: (home / "artifact.json").write_text("[1]"),
    "an added file": lambda home: (home / "sub" / "adapter.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_artifact_is_never_served_but_set_aside_and_rebuilt(store: Store, damage):
    step = Step(write, Text(), label="the corpus")
    home = execute([step], store)[fingerprint(step)].path
    good = (home / "out.txt").read_text()
    damage(home)
    assert store.find(fingerprint(step)) is None
    events = []
    again = execute([step], store, on_event=events.append)[fingerprint(step)]
    assert (again.path / "out.txt").read_text() == good
    assert [event.kind for event in events] == ["planned", "rebuilt", "started", "progress", "done"]
    assert events[1].note
    assert len(logged()) == 2
    assert store.sizes["corrupt"] > 0
    assert store.find(fingerprint(step)) is not None


def test_an_artifact_copied_under_another_fingerprint_is_not_served(store: Store):
    one, other = Step(write, Text(text="one")), Step(write, Text(text="other"))
    home = execute([one], store)[fingerprint(one)].path
    home.rename(home.with_name(fingerprint(other)))
    assert store.find(fingerprint(other)) is None


def test_the_record_says_where_an_artifact_came_from(store: Store, tmp_path: Path):
    (tmp_path / "belief.yaml").write_text("belief")
    base = Step(write, Text(text="base"), label="base model")
    step = Step(write, Text(text="tuned"), inputs={"base": base}, files={"belief": tmp_path / "belief.yaml"}, seed=3, label="tuned")
    artifact = execute([step], store)[fingerprint(step)]
    record = json.loads((artifact.path / "artifact.json").read_text())
    assert record["lineage"] == [{"name": "base", "fingerprint": fingerprint(base), "label": "base model"}]
    assert record["function"] == "example_steps:write"
    assert (record["version"], record["seed"], record["spec"]["text"]) == (1, 3, "tuned")
    assert record["axenic"] == axenic.__version__
    assert record["packages"]["pydantic"]
    assert record["sources"]["belief"]["sha256"] == hash_file(tmp_path / "belief.yaml")
    assert set(record["files"]) == {"out.txt", "sub/more.bin"}
    assert record["files"]["sub/more.bin"]["size"] == 1000
    assert record["seconds"] > 0
    assert record["command"] == sys.argv
    root = Path(axenic.__file__).parents[2]
    if (root / ".git").exists():
        head = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True)
        if head.returncode == 0:
            assert record["commit"] == head.stdout.strip()
            assert record["dirty"] in (True, False)


def test_the_default_store_follows_axenic_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("AXENIC_HOME", str(tmp_path))
    assert Store().root == tmp_path / "store"
    monkeypatch.delenv("AXENIC_HOME")
    assert Store().root == Path("~/.cache/axenic/store").expanduser()


def test_a_step_that_leaves_nothing_or_a_link_is_a_bug_that_says_so(store: Store):
    with pytest.raises(ValueError, match="left no file"):
        execute([Step(nothing)], store)
    with pytest.raises(ValueError, match="left the link latest"):
        execute([Step(link)], store)


def test_a_file_that_changes_while_it_is_read_does_not_make_an_artifact(store: Store, tmp_path: Path):
    (tmp_path / "data.txt").write_text("before")
    with pytest.raises(UserError, match="changed while"):
        execute([Step(meddle, files={"data": tmp_path / "data.txt"})], store)
    assert store.list() == []


def test_work_finished_but_not_yet_moved_is_published_without_running_again(store: Store):
    step = Step(write, Text())
    home = execute([step], store)[fingerprint(step)].path
    home.rename(store.partial / home.name)  # as if killed between the last two instructions
    execute([step], store)
    assert len(logged()) == 1
    assert store.find(fingerprint(step)) is not None
    assert not (store.partial / home.name).exists()


def test_gc_keeps_what_the_kept_was_made_from_and_removes_the_rest(store: Store):
    kept, dropped = chain(3), Step(write, Text(text="dropped"))
    execute([kept, dropped], store)
    (store.partial / "abandoned").mkdir(parents=True)
    would_go = store.gc([fingerprint(kept)], dry_run=True)
    assert {one.kind for one in would_go} == {"artifact", "partial"}
    assert len(store.list()) == 4
    assert store.gc([fingerprint(kept)], older_than_days=1) == []
    assert store.gc([fingerprint(kept)]) == would_go
    assert {artifact.label for artifact in store.list()} == {"write"}
    assert len(store.list()) == 3
    assert not (store.partial / "abandoned").exists()
    execute([kept], store)
    assert len(logged()) == 4
    store.gc([])
    assert store.list() == []


def test_gc_leaves_alone_what_somebody_is_building_and_stores_in_use(store: Store):
    (store.partial / "busy").mkdir(parents=True)
    handle = lock(store.root / "locks" / "busy")
    assert handle is not None
    assert store.gc([]) == []
    unlock(handle)
    with store.in_use(), pytest.raises(UserError, match="A run is using the store"):
        store.gc([])
    assert len(store.gc([])) == 1


def test_a_finished_target_does_not_need_what_it_was_made_from(store: Store):
    target = chain(4)
    execute([target], store)
    for artifact in store.list():
        if artifact.fingerprint != fingerprint(target):
            store._remove(artifact.path)
    execute([target], store)
    assert len(logged()) == 4


def test_a_forked_child_does_not_keep_the_lock_of_its_parent(store: Store, until):
    handle = lock(store.root / "locks" / "x")
    assert handle is not None
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    disk._held.discard(handle)
    os.close(handle)  # as the operating system does when the parent is killed
    again: list[int] = []
    try:
        until(lambda: again.extend(filter(None, [lock(store.root / "locks" / "x", wait=False)])) or again)
        unlock(again[0])
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_atomic_write_replaces_and_leaves_no_litter(tmp_path: Path):
    atomic_write(tmp_path / "a.json", b"one")
    atomic_write(tmp_path / "a.json", b"two")
    assert (tmp_path / "a.json").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_store_whose_root_is_a_file_is_a_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="there is a file"):
        execute([Step(write, Text())], Store(tmp_path / "file" / "store"))


UNPRIVILEGED = """
    import sys
    if os.getuid() == 0:
        os.setuid(65534)
    from axenic.errors import EnvironmentProblem
    try:
        execute([Step(write, Text())], store)
    except EnvironmentProblem as problem:
        print(problem)
        sys.exit(1)
"""


def test_an_unwritable_store_is_a_clear_error(store: Store, spawn, tmp_path: Path):
    store.root.mkdir()
    store.root.chmod(0o555)
    modes = {folder: folder.stat().st_mode for folder in [tmp_path, *tmp_path.parents[:2]]}
    for folder, mode in modes.items():
        folder.chmod(mode | 0o111)  # the other user must be able to get there
    process = spawn(UNPRIVILEGED)
    out, err = process.communicate(timeout=60)
    for folder, mode in {**modes, store.root: 0o755}.items():
        folder.chmod(mode)
    assert process.returncode == 1, err
    assert "No permission for" in out
    assert "set AXENIC_HOME" in out


LIMITED = """
    import resource, sys
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    from axenic.errors import EnvironmentProblem
    try:
        execute([Step(write, Text()), Step(big, Text())], store, workers=int(os.environ["WORKERS"]))
    except EnvironmentProblem as problem:
        print(problem)
        sys.exit(1)
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_file_that_may_not_grow_is_a_clear_error_and_finished_steps_stay(store: Store, spawn, workers, monkeypatch):
    monkeypatch.setenv("WORKERS", workers)
    process = spawn(LIMITED)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "ulimit -f" in out
    assert store.find(fingerprint(Step(write, Text()))) is not None


@pytest.fixture
def tiny_disk(tmp_path: Path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_a_clear_error_and_a_rerun_continues(store: Store, tiny_disk: Path, workers: int):
    small = Store(tiny_disk / "store")
    first = Step(write, Text())
    with pytest.raises(EnvironmentProblem, match="The disk is full.*axenic artifacts gc"):
        execute([Step(big, Text(), inputs={"first": first})], small, workers=workers)
    assert small.find(fingerprint(first)) is not None
    subprocess.run(["mount", "-o", "remount,size=16m", str(tiny_disk)], check=True)
    execute([Step(big, Text(), inputs={"first": first})], small, workers=workers)
    assert logged() == ["write x"]


def test_on_a_full_disk_nothing_else_is_started(store: Store, tiny_disk: Path):
    with pytest.raises(EnvironmentProblem, match="The disk is full"):
        execute([Step(big, Text()), Step(write, Text())], Store(tiny_disk / "store"))
    assert logged() == []


def test_limits_of_this_process_are_untouched():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
