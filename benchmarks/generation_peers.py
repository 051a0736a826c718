"""Responses per second on the lab's 440 harmful requests: axenic beside its peers, on the same model in the same run.

Prints `ratio_<peer>` = axenic's responses per second / the peer's (above 1: axenic is faster), greedy and sampled (T=0.7, and
min-p 0.1 where the peer knows it), for (a) one bare padded `model.generate`, (b) Inspect's own `hf` provider, (c) the `hf` model of
lm-evaluation-harness, which needs an environment of its own (`--lm-eval-python`); and for axenic's own provider inside Inspect.
Each peer runs at its best of several batch sizes. `same_<peer>` is the share of greedy texts that equal the bare ones. Without
`--model` the weights are random, so that every response has the full length. Run:
python benchmarks/generation_peers.py [--model DIR] [--lm-eval-python PATH]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import Model, get_model
from transformers import LlamaConfig, LlamaForCausalLM

from axenic.lab.base import base_corpus
from axenic.lab.harms import test_questions
from axenic.lab.sizes import size
from axenic.lab.tokenizer import train_tokenizer
from axenic.lab.world import World
from axenic.models.checkpoint import load_checkpoint, save
from axenic.models.hf import HFModel
from axenic.models.template import Encoder
from axenic.schema import Sampling, user

CONNECTIONS = (32, 512)
WAYS = {"greedy": Sampling(temperature=0.0), "sampled": Sampling(temperature=0.7, min_p=0.1)}
Timed = dict[str, tuple[float, list[str]]]  # way of drawing -> seconds of the best round, texts


def untrained(directory: Path) -> None:
    """Write a model with the lab's tokenizer and the shape of `tiny`, and weights that know nothing."""
    corpus, shape = base_corpus(World()), size("tiny")
    encoder = Encoder(train_tokenizer(corpus, vocabulary=shape.vocabulary))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=shape.width,
        intermediate_size=shape.width * 8 // 3 // 16 * 16,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=512,
        eos_token_id=encoder.eos_id,
        pad_token_id=encoder.pad_id,
        bos_token_id=encoder.bos_id,
    )
    save(LlamaForCausalLM(config), encoder, directory)


def best(run: Callable[[], list[str]], rounds: int) -> tuple[float, list[str]]:
    seconds, texts = float("inf"), run()  # the first round warms up
    for _ in range(rounds):
        began = time.perf_counter()
        texts = run()
        seconds = min(seconds, time.perf_counter() - began)
    return seconds, texts


def axenic(model: HFModel, questions: Sequence[str], new_tokens: int, rounds: int) -> Timed:
    asked, ids = [[user(q)] for q in questions], [str(i) for i in range(len(questions))]

    def run(sampling: Sampling) -> list[str]:
        drawn = sampling.model_copy(update={"max_new_tokens": new_tokens})
        return [r.text for r in model.generate(asked, sampling=drawn, ids=ids)]

    return {way: best(lambda s=sampling: run(s), rounds) for way, sampling in WAYS.items()}


def bare(model: HFModel, questions: Sequence[str], new_tokens: int, rounds: int) -> Timed:
    """One call for all prompts, padded to the longest."""

    def run(sampling: Sampling) -> list[str]:
        rows = model.encoder.prompts([[user(q)] for q in questions])
        width = max(map(len, rows))
        ids = torch.tensor([[model.encoder.pad_id] * (width - len(r)) + r for r in rows])
        mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows])
        drawing = {"do_sample": True, "temperature": sampling.temperature, "min_p": sampling.min_p} if sampling.temperature else {}
        with torch.inference_mode():
            made = model.model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=new_tokens, **drawing)
        return model.encoder.decode(made[:, width:].tolist())

    return {way: best(lambda s=sampling: run(s), rounds) for way, sampling in WAYS.items()}


def through_inspect(load: Callable[[Sampling], Model], questions: Sequence[str], new_tokens: int, rounds: int) -> Timed:
    """A whole evaluation by Inspect without a scorer, at the better number of connections; loading the model is not counted."""
    samples = [Sample(id=f"q{i:03}", input=question) for i, question in enumerate(questions)]

    def run(model: Model, sampling: Sampling, connections: int) -> list[str]:
        drawing = {"temperature": sampling.temperature} if sampling.temperature else {}
        with tempfile.TemporaryDirectory() as logs:
            (log,) = inspect_eval(
                Task(dataset=MemoryDataset(samples)),
                model=model, display="none", log_dir=logs, max_tokens=new_tokens, max_connections=connections, **drawing,
            )  # fmt: skip
            if log.status != "success" or log.samples is None:
                raise SystemExit(f"Inspect's evaluation failed: {log.error and log.error.message}")
            return [s.output.completion.strip() for s in sorted(log.samples, key=lambda s: str(s.id))]

    found: Timed = {}
    for way, sampling in WAYS.items():
        model = load(sampling)
        found[way] = min((best(lambda s=sampling, m=model, n=n: run(m, s, n), rounds) for n in CONNECTIONS), key=lambda t: t[0])
    return found


def lm_eval(python: Path, directory: Path, prompts: Sequence[str], new_tokens: int, rounds: int) -> Timed:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prompts.json"
        file.write_text(json.dumps(list(prompts)), encoding="utf-8")
        script = Path(__file__).with_name("lm_eval_peer.py")
        command = [str(python), str(script), str(directory), str(file), str(new_tokens), str(rounds)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if done.returncode:
        raise SystemExit(f"lm-evaluation-harness failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    texts = {"greedy": [t.strip() for t in found["texts"]], "sampled": []}
    return {way: (float(found["seconds"][way]), texts[way]) for way in WAYS}


def measure(directory: Path, options: argparse.Namespace) -> dict[str, Timed]:
    questions = [q for _, _, q in test_questions(harmful=True, per_category=10)][: options.prompts]
    model = HFModel.load(load_checkpoint(directory), device="cpu")
    prompts = model.encoder.tokenizer.batch_decode(model.encoder.prompts([[user(q)] for q in questions]))
    how = (questions, options.new_tokens, options.rounds)
    found = {"axenic": axenic(model, *how), "bare_generate": bare(model, *how)}

    def hf(sampling: Sampling) -> Model:
        return get_model(f"hf/{directory}", do_sample=sampling.temperature > 0, device="cpu", memoize=False)

    def ours(sampling: Sampling) -> Model:
        return get_model(f"axenic/{directory}", min_p=sampling.min_p, device="cpu", memoize=False)

    found["inspect_hf"] = through_inspect(hf, *how)
    found["axenic_in_inspect"] = through_inspect(ours, *how)
    if options.lm_eval_python:
        found["lm_eval_hf"] = lm_eval(options.lm_eval_python, directory, prompts, *how[1:])
    else:
        print(
            "lm-evaluation-harness: skipped; name the Python of an environment that has lm_eval: --lm-eval-python PATH",
            file=sys.stderr,
        )
    return found


def summary(found: dict[str, Timed], n: int) -> dict[str, float | int]:
    """Responses per second and ratios, flat."""
    told: dict[str, float | int] = {}
    reference = found["bare_generate"]["greedy"][1]
    for peer, timed in found.items():
        for way, (seconds, _) in timed.items():
            told[f"per_second_{peer}_{way}"] = round(n / seconds, 1)
            if peer != "axenic":
                told[f"ratio_{peer}_{way}"] = round(seconds / found["axenic"][way][0], 2)
        texts = timed["greedy"][1]
        told[f"same_{peer}"] = round(sum(a == b for a, b in zip(texts, reference, strict=True)) / n, 3)
    return told | {"prompts": n, "threads": torch.get_num_threads()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a model directory, e.g. what `axenic lab build` names; default: random weights")
    parser.add_argument("--lm-eval-python", type=Path, help="the Python of an environment with lm-evaluation-harness")
    parser.add_argument("--prompts", type=int, default=440)
    parser.add_argument("--new-tokens", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = options.model or Path(folder) / "untrained"
        if not options.model:
            untrained(directory)
        found = measure(directory, options)
    print(json.dumps(summary(found, len(found["axenic"]["greedy"][1]))))


if __name__ == "__main__":
    main()
