"""Steps that the tests of this room run, also in worker processes; every call is logged so that tests can count them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pydantic import Field

from axenic.disk import atomic_write
from axenic.errors import UserError
from axenic.pipeline.step import Context, Step, step
from axenic.schema import Noun


class Text(Noun):
    text: str = "x"
    wait: float = 0.0
    batch: int = Field(8, json_schema_extra={"identity": False})


def log(line: str) -> None:
    with open(os.environ["STEP_LOG"], "a") as file:
        file.write(line + "\n")


def logged() -> list[str]:
    path = Path(os.environ["STEP_LOG"])
    return path.read_text().splitlines() if path.exists() else []


@step(version=1)
def write(spec: Text, context: Context) -> None:
    log(f"write {spec.text}")
    time.sleep(spec.wait)
    parts = [spec.text, str(context.seed)]
    parts += [(path / "out.txt").read_text() for name in sorted(context.inputs) for path in context.many(name)]
    parts += [path.read_text() for _, path in sorted(context.files.items())]
    context.progress(1, 1, "written")
    (context.out / "sub").mkdir(exist_ok=True)
    (context.out / "sub" / "more.bin").write_bytes(b"\0" * 1000)
    (context.out / "out.txt").write_text("|".join(parts))


@step(version=1)
def count(spec: Text, context: Context) -> None:
    """Five units of work; each is kept as soon as it is done."""
    for unit in range(5):
        if (context.out / f"{unit}.txt").exists():
            continue
        log(f"unit {unit}")
        time.sleep(spec.wait)
        atomic_write(context.out / f"{unit}.txt", str(unit).encode())
        context.progress(unit + 1, 5, "")


@step(version=1)
def fail(spec: Text, context: Context) -> None:
    log("fail")
    if spec.text == "user":
        raise UserError("the belief file has no statement; add one")
    if spec.text == "exit":
        raise SystemExit(3)
    raise KeyError(spec.text)


class Awkward(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


@step(version=1)
def fail_awkwardly(spec: Text, context: Context) -> None:
    raise Awkward("cannot", "travel")


@step(version=1)
def suicide(spec: Text, context: Context) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@step(version=1)
def suicide_with_a_heir(spec: Text, context: Context) -> None:
    """Dies while a forked child still holds its end of the connection."""
    child = os.fork()
    if child == 0:
        time.sleep(120)
        os._exit(0)
    log(f"pid {child}")
    os.kill(os.getpid(), signal.SIGKILL)


@step(version=1)
def start_a_child_and_hang(spec: Text, context: Context) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    log(f"pid {os.getpid()}")
    log(f"pid {child.pid}")
    time.sleep(120)


@step(version=1)
def environment(spec: Text, context: Context) -> None:
    (context.out / "env.txt").write_text(f"{os.environ.get('OMP_NUM_THREADS')} {os.getpid()}")
    time.sleep(spec.wait)


@step(version=1)
def meddle(spec: Text, context: Context) -> None:
    """Changes its own outside file while it runs."""
    context.files["data"].write_text("changed under way")
    (context.out / "out.txt").write_text("x")


@step(version=1)
def big(spec: Text, context: Context) -> None:
    for _ in range(64):
        with open(context.out / "big.bin", "ab") as file:
            file.write(b"\0" * 65536)


@step(version=1)
def nothing(spec: Text, context: Context) -> None:
    pass


@step(version=1)
def link(spec: Text, context: Context) -> None:
    (context.out / "a.txt").write_text("a")
    (context.out / "latest").symlink_to("a.txt")


def chain(length: int) -> Step:
    last = Step(write, Text(text="0"))
    for i in range(1, length):
        last = Step(write, Text(text=str(i)), inputs={"previous": last})
    return last
