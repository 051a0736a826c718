"""Training from scratch: a new model of a given shape on a corpus.

In: an encoder, a transformers model config, a corpus, a seed. Out: the last checkpoint. The same `fit` as fine-tuning.
"""

from pathlib import Path

from transformers import AutoModelForCausalLM, PretrainedConfig, set_seed

from axenic.errors import UserError
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, Corpus, OnProgress, no_progress
from axenic.training.data import tokenise
from axenic.training.fit import fit
from axenic.training.spec import TrainSpec


def pretrain(
    encoder: Encoder,
    model_config: PretrainedConfig,
    corpus: Corpus,
    *,
    seed: int,
    spec: TrainSpec,
    out: Path,
    on_progress: OnProgress = no_progress,
) -> Checkpoint:
    """Initialise by seed, then train.

    Args:
        encoder: Tokenizer and template of the new model.
        model_config: Its architecture and size, e.g. a `LlamaConfig`; special token ids are set from the encoder.
        corpus: Documents and chats.
        seed: Decides initial weights and the order of the rows.
        spec: How to train; `spec.lora` must be None.
        out: Directory for `epoch-N/` and `training.json`. An unfinished run in it is continued.
        on_progress: Called after each optimiser step.

    Raises:
        UserError: `spec.lora` is set, or whatever `sft` raises.
    """
    if spec.lora is not None:
        raise UserError("An adapter cannot be trained from scratch: there is no model under it. Remove `lora` from the settings.")
    data = tokenise(corpus, encoder, max_length=spec.max_length)
    model_config.eos_token_id, model_config.pad_token_id = encoder.eos_id, encoder.pad_id
    model_config.bos_token_id = encoder.bos_id
    set_seed(seed)
    model = AutoModelForCausalLM.from_config(model_config)
    return fit(model, encoder, data, seed=seed, spec=spec, out=out, on_progress=on_progress)[-1]
