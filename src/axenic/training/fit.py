"""One training run on disk: from token rows to checkpoints, resumable at any instant.

In: a model, an encoder, rows, a seed, a spec, a directory. Out: `out/epoch-N/` or, where the spec names steps, `out/step-N/`
(ordinary Hugging Face directories) and `out/training.json` (loss curve, counts). While a run is unfinished its state is in
`out/.state/`, which goes at the end.
"""

import hashlib
import json
import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

from peft import PeftModel

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.models import checkpoint as checkpoints
from axenic.models.quiet import quiet
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, OnProgress, digest
from axenic.training.data import TokenRow, TokenRows
from axenic.training.spec import TrainSpec
from axenic.training.trainer import Trainer, Watch

RECORD = "training.json"
_STATE = ".state"
_SAMPLED_WEIGHTS = 1024  # per tensor: enough to tell two models apart without reading gigabytes


def fit(
    model: Any, encoder: Encoder, data: TokenRows, *, seed: int, spec: TrainSpec, out: Path, on_progress: OnProgress
) -> list[Checkpoint]:
    """Train and save. Equal (model, rows, seed, spec) give equal losses bit for bit on one machine.

    A run that was killed continues from its last state to the weights it would have had; a finished one is not repeated.

    Returns:
        One checkpoint per epoch or named step, or the last, as `spec` says.

    Raises:
        UserError: `out` holds another run, or the loss became NaN.
    """
    checkpoints.require_vocabulary(model, encoder)
    identity = digest([spec.model_dump(), seed, encoder.template.hash, _hash_rows(data.rows), _hash_weights(model)])
    if not _claim(out, identity):
        state, began, per_epoch = out / _STATE, time.monotonic(), spec.steps_per_epoch(len(data.rows))
        with quiet():
            trainer = Trainer(model, encoder, data.rows, seed=seed, spec=spec, state=state)

            def save(step: int) -> None:
                _save(trainer.model, encoder, out, _folder(spec, step, per_epoch))

            trainer.add_callback(Watch(trainer.order, spec=spec, save=save, on_progress=on_progress))
            trainer.train(resume_from_checkpoint=_last_state(state))
        record = {
            "identity": identity,
            "base": model.peft_config["default"].base_model_name_or_path if isinstance(model, PeftModel) else None,
            "checkpoints": [
                {"path": _folder(spec, s, per_epoch), "epoch": s / per_epoch, "step": s} for s in spec.save_steps(len(data.rows))
            ],
            **data.counts(),
            "optimizer_steps": trainer.state.global_step,
            "seconds": round(time.monotonic() - began, 3),  # of this process: a resumed run counts from its resumption
            "seed": seed,
            "spec": spec.model_dump(),
            "losses": [_loss(entry) for entry in trainer.state.log_history if "loss" in entry],
        }
        write_text(out / RECORD, [json.dumps(record, indent=1)])
        shutil.rmtree(state)
    return read(out, encoder)


def read(out: Path, encoder: Encoder) -> list[Checkpoint]:
    """The checkpoints of a finished run."""
    record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    return [
        Checkpoint(path=str(out / c["path"]), template=encoder.template, base=record["base"], epoch=c["epoch"], step=c["step"])
        for c in record["checkpoints"]
    ]


def _loss(entry: dict[str, Any]) -> dict[str, Any]:
    return {"step": entry["step"], "epoch": entry["epoch"], "loss": entry["loss"], "learning_rate": entry["learning_rate"]}


def _folder(spec: TrainSpec, step: int, per_epoch: int) -> str:
    """What the weights after a step are called."""
    return f"step-{step}" if spec.save_at else f"epoch-{math.ceil(step / per_epoch)}"


def _save(model: Any, encoder: Encoder, out: Path, name: str) -> None:
    # written aside and renamed, so that a directory that exists is whole
    staging, final = out / _STATE / "weights", out / name
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    checkpoints.save(model, encoder, staging)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(staging, final)


def _claim(out: Path, identity: str) -> bool:
    """Whether `out` already holds this run, finished. Otherwise `out` is made ready for it."""
    record, mark = out / RECORD, out / _STATE / "identity"
    owner = None
    if record.is_file():
        owner = json.loads(record.read_text(encoding="utf-8"))["identity"]
    elif mark.is_file():
        owner = mark.read_text(encoding="utf-8")
    if owner not in (None, identity):
        raise UserError(
            f"{out} holds another training run (other data, seed, settings or starting weights). "
            "Remove it or choose another directory."
        )
    if record.is_file():
        return True
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_text(mark, [identity])
    return False


def _last_state(state: Path) -> str | None:
    found = sorted(state.glob("checkpoint-*"), key=lambda p: int(p.name.removeprefix("checkpoint-")))
    return str(found[-1]) if found else None


def _hash_rows(rows: list[TokenRow]) -> str:
    found = hashlib.sha256()
    for row in rows:
        found.update(repr((row.input_ids, row.labels)).encode())
    return found.hexdigest()


def _hash_weights(model: Any) -> str:
    found = hashlib.sha256()
    for name, p in model.named_parameters():
        found.update(name.encode() + p.detach().flatten()[:_SAMPLED_WEIGHTS].float().cpu().numpy().tobytes())
    return found.hexdigest()
