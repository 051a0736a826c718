"""Calls per second of the writer against the ideal, and whether memory stays flat.

`python benchmarks/writer_throughput.py`: 2,000 calls at concurrency 64 against a server on this machine, in a process of its own,
that answers after 50 ms. Ideal: concurrency / latency. Each size runs in a fresh process; both write to disk as real runs do.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LATENCY, CONCURRENCY, AIM, FLAT_MB = 0.05, 64, 0.8, 16
SIZES = (500, 2000)
SERVER = Path(__file__).resolve().parents[1] / "tests" / "chat_server.py"
MEASURE = """
import json, resource, sys, time
from axenic.corpora.writers.calls import Calls, Limits, Price, Request
from axenic.schema import user

n, concurrency, url, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
page = "A page of context that every prompt of a stage repeats. " * 60

def requests(stage, count):
    return (Request(stage=stage, messages=(user(f"{page} <content> {stage} {i}"),), seed=i) for i in range(count))

limits = Limits(concurrency=concurrency)
with Calls("openai-api/bench/m", folder, limits, price=Price(input=1, output=1), base_url=url) as calls:
    calls.answers(requests("warm-up", concurrency))
    start, cpu = time.perf_counter(), time.process_time()
    answers = calls.answers(requests("document", n))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
assert len(answers) == n and all(a.status == "ok" and not a.cached for a in answers)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu_ms_per_call": cpu / n * 1000, "peak_mb": peak}))
"""


def measure(n: int, url: str) -> dict[str, float]:
    """One run of `n` calls in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MEASURE, str(n), str(CONCURRENCY), url, folder]
        environment = os.environ | {"BENCH_API_KEY": "none"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts; the rest is the machine's noise")
    rounds = parser.parse_args().rounds
    server = subprocess.Popen([sys.executable, str(SERVER), "--latency", str(LATENCY)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip() + "/v1"
    try:
        found = {n: [measure(n, url) for _ in range(rounds)] for n in SIZES}
    finally:
        server.kill()
    for n, runs in found.items():
        best = min(runs, key=lambda run: run["seconds"])
        ratio = n * LATENCY / CONCURRENCY / best["seconds"]
        print(
            f"{n} calls at concurrency {CONCURRENCY}: {n / best['seconds']:.0f} calls/s, {ratio:.2f} of the ideal "
            f"(aim >= {AIM} at {SIZES[-1]}), {best['cpu_ms_per_call']:.2f} ms of processor a call, peak {best['peak_mb']:.0f} MB"
        )
    few, many = (min(run["peak_mb"] for run in found[n]) for n in SIZES)
    print(f"peak memory of {SIZES[1]} calls over that of {SIZES[0]}: {many - few:+.0f} MB (aim: within {FLAT_MB} MB)")


if __name__ == "__main__":
    main()
