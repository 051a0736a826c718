"""Supervised fine-tuning: documents by next-token loss, chats by loss on the assistant's turns alone.

In: a base checkpoint, a corpus, a seed, a `TrainSpec`. Out: a checkpoint per epoch (full weights, or LoRA adapters:
Hu et al. 2021, over 4-bit weights: Dettmers et al. 2023). On TRL and PEFT.
"""

from pathlib import Path

from transformers import set_seed

from axenic.models.checkpoint import load_encoder
from axenic.models.quantisation import require_bitsandbytes
from axenic.schema import Checkpoint, Corpus, OnProgress, no_progress
from axenic.training.adapters import trainable
from axenic.training.data import tokenise
from axenic.training.fit import fit
from axenic.training.spec import TrainSpec


def sft(
    base: Checkpoint, corpus: Corpus, *, seed: int, spec: TrainSpec, out: Path, on_progress: OnProgress = no_progress
) -> list[Checkpoint]:
    """Fine-tune a checkpoint on a corpus.

    Args:
        base: Where to start. With `spec.lora`, an adapter is trained further; without, it is merged and all weights are trained.
        corpus: Documents and chats.
        seed: Decides the order of the rows, the initial adapter and dropout.
        spec: How to train.
        out: Directory for `epoch-N/` and `training.json`. An unfinished run in it is continued.
        on_progress: Called after each optimiser step.

    Returns:
        One checkpoint per epoch, or the last, as `spec.save_epochs` says.

    Raises:
        UserError: Empty corpus, nothing that carries loss, loss became NaN, `out` holds another run, base cannot be loaded.
        EnvironmentProblem: `spec.load_4bit` or `adamw_8bit` is asked for and bitsandbytes does not work here.
    """
    if spec.optimizer == "adamw_8bit":
        require_bitsandbytes("optimizer adamw_8bit")
    encoder = load_encoder(base)
    data = tokenise(corpus, encoder, max_length=spec.max_length)
    set_seed(seed)
    return fit(trainable(base, spec), encoder, data, seed=seed, spec=spec, out=out, on_progress=on_progress)
