"""Where a study finds its models: the checkpoints that a training step left behind, or a model of the user's own.

In: an artifact directory. Out: `Checkpoint`s. A training step leaves `training.json`, which lists its checkpoints; a step for a
model of the user's own leaves `outside.json`, which says where it is.
"""

import json
from pathlib import Path

from axenic.disk import atomic_write
from axenic.models.checkpoint import load_checkpoint
from axenic.pipeline.step import Context, step
from axenic.recipes.step_specs import OutsideSpec
from axenic.schema import Checkpoint

OUTSIDE = "outside.json"


@step(version=1)
def outside(spec: OutsideSpec, context: Context) -> None:
    """Write down where the user's model is.

    Raises:
        UserError: It cannot be loaded.
    """
    where = {"path": str(context.files["model"]) if "model" in context.files else spec.model}
    if "adapter" in context.files:
        where["adapter"] = str(context.files["adapter"])
    load_checkpoint(where["path"], adapter=where.get("adapter"))
    atomic_write(context.out / OUTSIDE, json.dumps(where).encode())


def checkpoints(artifact: Path) -> list[Checkpoint]:
    """The checkpoints of an artifact, in order of training.

    Raises:
        UserError: A model of the user's own is gone or cannot be loaded.
    """
    if (artifact / OUTSIDE).is_file():
        where = json.loads((artifact / OUTSIDE).read_text(encoding="utf-8"))
        return [load_checkpoint(where["path"], adapter=where.get("adapter"))]
    rows = json.loads((artifact / "training.json").read_text(encoding="utf-8"))["checkpoints"]
    return [load_checkpoint(artifact / r["path"]).model_copy(update={"epoch": r["epoch"], "step": r["step"]}) for r in rows]


def last(artifact: Path) -> Checkpoint:
    """The most trained checkpoint of an artifact."""
    return checkpoints(artifact)[-1]
