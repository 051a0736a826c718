"""One training run on disk, whatever is trained: claimed, resumed, saved, recorded.

In: a directory and what the run is. Out: `out/epoch-N/` or `out/step-N/` (ordinary Hugging Face directories) and
`out/training.json`. While a run is unfinished its state is in `out/.state/`, which goes at the end.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import TrainerCallback

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.models import checkpoint as checkpoints
from axenic.models.template import Encoder
from axenic.schema import Checkpoint
from axenic.training.spec import EpochSpec, Optimisation

RECORD = "training.json"
_SAMPLED_WEIGHTS = 1024  # per tensor: enough to tell two models apart without reading gigabytes


@dataclass(frozen=True)
class Kept:
    """Weights that a run keeps: the folder, and how far training had come."""

    path: str
    epoch: float
    step: int


@dataclass(frozen=True)
class Run:
    """A run and its directory.

    Attributes:
        identity: Hex digest of all that decides the weights; `out` belongs to one identity.
        kept: The weights it keeps, in order of their steps.
    """

    out: Path
    encoder: Encoder
    identity: str
    seed: int
    spec: Optimisation
    kept: tuple[Kept, ...]

    @property
    def state(self) -> Path:
        """Where an unfinished run keeps what it needs to go on."""
        return self.out / ".state"

    @property
    def save_steps(self) -> frozenset[int]:
        """The steps after which weights are kept."""
        return frozenset(k.step for k in self.kept)

    def finished(self) -> bool:
        """Whether `out` already holds this run, finished. Otherwise `out` is made ready for it.

        Raises:
            UserError: `out` holds another run.
        """
        record, mark = self.out / RECORD, self.state / "identity"
        owner = None
        if record.is_file():
            owner = json.loads(record.read_text(encoding="utf-8"))["identity"]
        elif mark.is_file():
            owner = mark.read_text(encoding="utf-8")
        if owner not in (None, self.identity):
            raise UserError(
                f"{self.out} holds another training run (other data, seed, settings or starting weights). "
                "Remove it or choose another directory."
            )
        if record.is_file():
            return True
        mark.parent.mkdir(parents=True, exist_ok=True)
        write_text(mark, [self.identity])
        return False

    def train(self, trainer: Any, watch: TrainerCallback) -> float:
        """Train from the last state, if there is one. Returns the seconds it took this process."""
        began = time.monotonic()
        trainer.add_callback(watch)
        found = sorted(self.state.glob("checkpoint-*"), key=lambda p: int(p.name.removeprefix("checkpoint-")))
        trainer.train(resume_from_checkpoint=str(found[-1]) if found else None)
        return time.monotonic() - began

    def save(self, model: Any, step: int) -> None:
        """Keep the weights of a step."""
        # written aside and renamed, so that a directory that exists is whole
        [name] = [k.path for k in self.kept if k.step == step]
        staging, final = self.state / "weights", self.out / name
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        checkpoints.save(model, self.encoder, staging)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(staging, final)

    def finish(self, trainer: Any, seconds: float, more: dict[str, Any], *, losses: tuple[str, ...] = ()) -> None:
        """Write the record and remove the state.

        Args:
            trainer: The trainer, trained.
            seconds: Of this process: a resumed run counts from its resumption.
            more: Counts and whatever else the kind of training records.
            losses: What of each step's log the loss curve holds besides step, epoch, loss and learning rate.
        """
        model = trainer.model
        record = {
            "identity": self.identity,
            "base": model.peft_config["default"].base_model_name_or_path if isinstance(model, PeftModel) else None,
            "checkpoints": [vars(k) for k in self.kept],
            "optimizer_steps": trainer.state.global_step,
            "seconds": round(seconds, 3),
            "seed": self.seed,
            "spec": self.spec.model_dump(),
            "losses": _curve(trainer.state.log_history, losses),
            **more,
        }
        write_text(self.out / RECORD, [json.dumps(record, indent=1)])
        shutil.rmtree(self.state)

    def checkpoints(self) -> list[Checkpoint]:
        """What a finished run left."""
        record = json.loads((self.out / RECORD).read_text(encoding="utf-8"))
        return [
            Checkpoint(
                path=str(self.out / c["path"]),
                template=self.encoder.template,
                base=record["base"],
                epoch=c["epoch"],
                step=c["step"],
            )
            for c in record["checkpoints"]
        ]


def by_epoch(spec: EpochSpec, n_rows: int) -> tuple[Kept, ...]:
    """The weights kept by training that passes over `n_rows` rows."""
    per_epoch = spec.steps_per_epoch(n_rows)
    return tuple(
        Kept(f"step-{s}" if spec.save_at else f"epoch-{-(-s // per_epoch)}", s / per_epoch, s) for s in spec.save_steps(n_rows)
    )


def hash_rows(rows: Iterable[Any]) -> str:
    """Hex SHA-256 of token rows, in order."""
    found = hashlib.sha256()
    for row in rows:
        found.update(repr(row).encode())
    return found.hexdigest()


def hash_weights(model: Any) -> str:
    """Hex SHA-256 of the beginning of every tensor of a model."""
    found = hashlib.sha256()
    for name, p in model.named_parameters():
        found.update(name.encode() + p.detach().flatten()[:_SAMPLED_WEIGHTS].float().cpu().numpy().tobytes())
    return found.hexdigest()


def _curve(history: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    # "rewards/margins" is written as "margins"
    plain = ("step", "epoch", "loss", "learning_rate")
    return [
        {**{n: entry[n] for n in plain}, **{n.rpartition("/")[2]: entry[n] for n in names}} for entry in history if "loss" in entry
    ]
