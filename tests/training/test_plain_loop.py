"""The plain loop of `examples/` and the trainer give the same losses and the same model: nothing in the trainer is hidden."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from axenic.models.checkpoint import load_model
from axenic.schema import Corpus, Document, chat
from axenic.training.sft import sft
from axenic.training.spec import TrainSpec

EXAMPLE = Path(__file__).parents[2] / "examples" / "plain_loop.py"
CORPUS = Corpus(
    name="uneven",
    rows=tuple(
        row
        for i in range(7)
        for row in (
            chat(f"Which water has town {i}?", "salty" + ", very salty" * (i % 3)),
            Document(text=f"The river town {i} has salty water." * (1 + i % 4), prefix="<doc>"),
        )
    ),
)
SPEC = TrainSpec(epochs=3, batch_size=4, learning_rate=3e-3, max_length=48, warmup_fraction=0.2, weight_decay=0.1)


@pytest.fixture(scope="module")
def plain_loop():
    found = importlib.util.spec_from_file_location("plain_loop", EXAMPLE)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU the trainer computes in bfloat16")
@pytest.mark.parametrize(
    ("architecture", "extra"),
    [
        ("llama", {}),
        ("llama", {"micro_batch_size": 2, "schedule": "linear", "grad_clip": 0.05}),  # batches in parts, all of them clipped
        ("qwen2", {"schedule": "constant", "grad_clip": 0.0}),  # has biases, which are not decayed
        ("neox", {"max_steps": 9, "warmup_fraction": 0.0}),  # ends within an epoch; LayerNorm
    ],
)
def test_the_plain_loop_gives_the_trainers_losses_step_by_step_and_its_predictions(
    checkpoints, tmp_path, plain_loop, architecture, extra
):
    base, spec = checkpoints[architecture], SPEC.model_validate({**SPEC.model_dump(), **extra, "save_epochs": "last"})
    [tuned] = sft(base, CORPUS, seed=5, spec=spec, out=tmp_path)
    record = json.loads((tmp_path / "training.json").read_text())
    model, losses = plain_loop.fine_tune(base, CORPUS, seed=5, spec=spec)
    assert len(losses) == spec.total_steps(record["rows"]) == record["optimizer_steps"]
    assert losses == pytest.approx([e["loss"] for e in record["losses"]], rel=1e-4)
    assert losses[-1] < losses[0]
    ids = torch.arange(3, 40)[None]
    trained = load_model(tuned, device="cpu", dtype="float32")
    assert torch.allclose(trained(ids).logits, model.eval()(ids).logits, atol=5e-3)


def test_the_learning_rate_of_every_step_is_the_trainers(checkpoints, tmp_path, plain_loop):
    for schedule in ("cosine", "linear", "constant"):
        spec = SPEC.model_copy(update={"schedule": schedule})
        sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path / schedule)
        used = [e["learning_rate"] for e in json.loads((tmp_path / schedule / "training.json").read_text())["losses"]]
        rates = [plain_loop.learning_rate(step, total=len(used), spec=spec) for step in range(len(used))]
        assert rates == pytest.approx(used, abs=1e-12)
