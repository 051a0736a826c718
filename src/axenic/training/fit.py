"""Token rows -> checkpoints: one supervised training run, resumable at any instant.

In: a model, an encoder, rows, a seed, a spec, a directory. Out: `out/epoch-N/` or, where the spec names steps, `out/step-N/`
(ordinary Hugging Face directories) and `out/training.json` (loss curve, counts).
"""

from pathlib import Path
from typing import Any

from axenic.models import checkpoint as checkpoints
from axenic.models.quiet import quiet
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, OnProgress, digest
from axenic.training.data import TokenRows
from axenic.training.harness import Watch
from axenic.training.run import Run, by_epoch, hash_rows, hash_weights
from axenic.training.spec import TrainSpec
from axenic.training.trainer import Trainer


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
    rows = hash_rows((r.input_ids, r.labels) for r in data.rows)
    identity = digest([spec.model_dump(), seed, encoder.template.hash, rows, hash_weights(model)])
    run = Run(out, encoder, identity, seed, spec, by_epoch(spec, len(data.rows)))
    if not run.finished():
        with quiet():
            trainer = Trainer(model, encoder, data.rows, seed=seed, spec=spec, state=run.state)
            watch = Watch(
                spec=spec,
                save_steps=run.save_steps,
                save=lambda step: run.save(trainer.model, step),
                on_progress=on_progress,
            )
            seconds = run.train(trainer, watch)
        run.finish(trainer, seconds, data.counts())
    return run.checkpoints()
