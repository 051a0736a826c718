import enum
import hashlib
import math
import os
import re
from pathlib import Path
from typing import Any

import example_steps as examples
import pytest
from example_steps import Text, count, write

from axenic.errors import UserError
from axenic.pipeline.fingerprint import ancestors_first, canonical, fingerprint, hash_file, hash_tree
from axenic.pipeline.step import Cost, Step, step
from axenic.schema import Noun


class Inner(Noun):
    weights: tuple[float, ...] = (1.0,)
    anything: Any = None


class Outer(Noun):
    inner: Inner = Inner()


class Colour(enum.Enum):
    RED = "red"


def test_labels_costs_and_key_order_do_not_affect_identity():
    a, b = Step(write, Text(text="a")), Step(write, Text(text="b"))
    one = Step(write, Text(), inputs={"a": a, "b": b}, label="one", cost=Cost(seconds=9, tokens=9))
    other = Step(write, Text(), inputs={"b": b, "a": a}, label="other")
    assert fingerprint(one) == fingerprint(other)
    assert one == other
    assert len({one, other}) == 1
    assert canonical({"x": 1, "y": 2}) == canonical({"y": 2, "x": 1})


def test_fields_marked_as_no_identity_do_not_affect_identity():
    assert fingerprint(Step(write, Text(batch=8))) == fingerprint(Step(write, Text(batch=64)))


def test_paths_of_files_do_not_affect_identity_but_their_content_does(tmp_path: Path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.txt").write_text("same" if name != "c" else "other")
    prints = [fingerprint(Step(write, Text(), files={"data": tmp_path / name / "data.txt"})) for name in "abc"]
    assert prints[0] == prints[1] != prints[2]


def test_a_changed_file_changes_the_identity_of_a_step_that_is_already_built(tmp_path: Path):
    path = tmp_path / "data.txt"
    path.write_text("before")
    below = Step(write, Text(), files={"data": path})
    above = Step(write, Text(), inputs={"x": below})
    before = fingerprint(above)
    path.write_text("behind")  # same length, maybe the same clock tick
    assert fingerprint(above) != before


def test_spec_seed_input_name_and_function_affect_identity():
    a, b = Step(write, Text(text="a")), Step(write, Text(text="b"))
    steps = [
        Step(write, Text()), Step(write, None), Step(write, Text(text="y")), Step(write, Text(), seed=0),
        Step(write, Text(), seed=1),
        Step(write, Text(), inputs={"a": a}), Step(write, Text(), inputs={"b": a}), Step(write, Text(), inputs={"a": b}),
        Step(write, Text(), inputs={"a": (a,)}), Step(write, Text(), inputs={"a": (a, b)}),
        Step(write, Text(), inputs={"a": (b, a)}),
        Step(count, Text()),
    ]  # fmt: skip
    assert len({fingerprint(one) for one in steps}) == len(steps)


def test_version_affects_identity(monkeypatch: pytest.MonkeyPatch):
    before = fingerprint(Step(write, Text()))
    monkeypatch.setattr(write, "step_version", 2)
    assert fingerprint(Step(write, Text())) != before


def test_two_models_with_equal_fields_are_different_specs():
    class Left(Noun):
        x: int = 1

    class Right(Noun):
        x: int = 1

    assert canonical(Left()) != canonical(Right())


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Path("/data"), "spec.inner.anything is a PosixPath"),
        ({1, 2}, "spec.inner.anything is a set"),
        (print, "spec.inner.anything is a builtin_function_or_method"),
        (object(), "spec.inner.anything is a object"),
        ([0, {"deep": b"x"}], "spec.inner.anything[1].deep is a bytes"),
        ({3: "x"}, "spec.inner.anything has the key 3"),
        (math.nan, "spec.inner.anything is nan"),
        ("\ud800", "spec.inner.anything holds text that is not valid Unicode"),
    ],
)
def test_what_cannot_be_hashed_stably_is_an_error_that_names_the_field(value: object, named: str):
    with pytest.raises(UserError, match=re.escape(named)):
        Step(write, Outer(inner=Inner(anything=value)))


def test_plain_values_are_hashed_by_value():
    assert canonical([None, True, 1, 1.5, "x", Colour.RED, (1, 2)]) == [None, True, 1, 1.5, "x", "red", [1, 2]]


def test_a_function_without_a_stable_import_path_is_refused():
    @step(version=1)
    def local(spec: None, context: object) -> None: ...

    with pytest.raises(UserError, match="cannot be found again by its import path"):
        Step(local)


def test_a_function_without_a_version_is_refused():
    with pytest.raises(UserError, match="Decorate it with @step"):
        Step(examples.logged)  # type: ignore[arg-type]


def test_a_spec_changed_after_the_step_was_built_does_not_reach_the_step():
    words = ["a"]
    built = Step(write, Inner(anything=words))
    words.append("b")
    assert built.spec == Inner(anything=["a"])


def test_a_directory_is_hashed_by_names_and_content_with_links_followed(tmp_path: Path):
    (tmp_path / "blob").write_text("weights")
    for name in ("plain", "linked"):
        (tmp_path / name / "sub").mkdir(parents=True)
    (tmp_path / "plain" / "sub" / "model").write_text("weights")
    (tmp_path / "linked" / "sub" / "model").symlink_to(tmp_path / "blob")
    same = hash_tree(tmp_path / "plain")
    assert same == hash_tree(tmp_path / "linked")
    (tmp_path / "plain" / "sub" / "model").rename(tmp_path / "plain" / "sub" / "renamed")
    assert hash_tree(tmp_path / "plain") != same


def test_a_link_to_a_parent_a_missing_file_and_a_pipe_are_clear_errors(tmp_path: Path):
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="link to one of its own parents"):
        hash_tree(tmp_path / "loop")
    with pytest.raises(UserError, match="There is no file"):
        hash_tree(tmp_path / "missing")
    with pytest.raises(UserError, match="neither a file nor a directory"):
        hash_file(tmp_path / "pipe")


def test_a_file_written_a_moment_ago_is_read_again_as_its_time_stamp_may_hide_a_change(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("axenic.pipeline.fingerprint._SETTLED_NS", 10**12)
    (tmp_path / "weights").write_text("one")
    hash_file(tmp_path / "weights")
    reads = []
    digest = hashlib.file_digest
    monkeypatch.setattr("hashlib.file_digest", lambda *given: (reads.append(1), digest(*given))[1])
    hash_file(tmp_path / "weights")
    assert reads


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "weights"
    path.write_text("one")
    monkeypatch.setattr("axenic.pipeline.fingerprint._SETTLED_NS", -1)
    first = hash_file(path)
    reads = []
    monkeypatch.setattr("hashlib.file_digest", lambda *given: reads.append(given))
    assert hash_file(path) == first
    assert not reads


def test_a_shared_ancestor_is_visited_once_however_many_paths_lead_to_it():
    last = Step(write, Text(text="0"))
    for i in range(1, 40):  # 2^40 paths
        last = Step(write, Text(text=str(i)), inputs={"a": last, "b": last})
    assert len(ancestors_first([last])) == 40


def test_a_chain_of_thousands_of_steps_has_a_fingerprint():
    assert fingerprint(examples.chain(3000))
