"""Checkpoint <-> disk: finding, checking, loading and saving models.

In: a directory or hub id, optionally with an adapter. Out: a `schema.Checkpoint`, or the loaded model and its encoder.
Weights load from safetensors only, remote code is never run, and what is wrong is said in one sentence.
"""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from axenic.errors import UserError
from axenic.models import template as templates
from axenic.models.quantisation import exact_on_cpu, four_bit
from axenic.models.quiet import quiet
from axenic.models.template import Encoder
from axenic.schema import Checkpoint

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")
_LOADING = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)


def load_checkpoint(path_or_id: str | Path, *, adapter: str | Path | None = None) -> Checkpoint:
    """Describe a model on disk or on the hub, after checking that it can be loaded.

    Args:
        path_or_id: A model directory, a hub id, or an adapter directory whose adapter_config.json names its base.
        adapter: A PEFT adapter directory that was trained on the model.

    Raises:
        UserError: Missing directory, no config, no safetensors weights, adapter without its base, no end token.
    """
    if adapter is not None:
        _require_adapter(Path(adapter))
        base = load_checkpoint(path_or_id)
        if base.base is not None:
            raise UserError(f"{path_or_id} is itself an adapter. Give the model under it, and one adapter.")
        own = templates.load(Path(adapter))
        return Checkpoint(path=str(adapter), template=own or base.template, base=base.path)
    path = Path(path_or_id)
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        return load_checkpoint(_recorded_base(path), adapter=path)
    if path.is_dir():
        _require_model(path)
    elif not _is_hub_id(str(path_or_id)):
        raise UserError(f"There is no model directory {str(path_or_id)!r}. Give a directory or a hub id such as 'org/name'.")
    own = templates.load(path) if path.is_dir() else None
    return Checkpoint(path=str(path_or_id), template=own or templates.from_tokenizer(load_tokenizer(str(path_or_id))))


def load_encoder(checkpoint: Checkpoint) -> Encoder:
    """The encoder that the checkpoint's template asks for."""
    return Encoder(load_tokenizer(checkpoint.base or checkpoint.path), checkpoint.template)


def load_model(checkpoint: Checkpoint, *, device: str = "auto", dtype: Dtype = "auto", load_4bit: bool = False) -> Any:
    """The weights under a checkpoint (for an adapter: its base, without the adapter) on a device.

    Args:
        checkpoint: What to load.
        device: "auto" (the first GPU, else the CPU) or a torch device name.
        dtype: "auto" is float32 on a CPU and the stored type on a GPU.
        load_4bit: Quantise the weights while loading: for training adapters over them, and for models too large otherwise.

    Raises:
        UserError: The weights cannot be loaded.
        EnvironmentProblem: `load_4bit` without a working bitsandbytes.
    """
    where = resolve_device(device)
    stored: Any = "auto" if where.type != "cpu" else torch.float32
    path = checkpoint.base or checkpoint.path
    extra = {"quantization_config": four_bit(where), "device_map": {"": where}} if load_4bit else {}
    try:
        with quiet():
            model = AutoModelForCausalLM.from_pretrained(
                path,
                dtype=stored if dtype == "auto" else getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                **extra,
            )
    except _LOADING as error:
        raise UserError(f"Cannot load the model {path!r}: {error}") from error
    exact_on_cpu(model)
    return model if load_4bit else model.to(where)


def attach_adapter(model: Any, checkpoint: Checkpoint, *, trainable: bool = False) -> Any:
    """The model with the checkpoint's adapter on it.

    Raises:
        UserError: The adapter cannot be loaded, e.g. because it was trained on another model.
    """
    assert checkpoint.base is not None
    try:
        with quiet():
            return PeftModel.from_pretrained(model, checkpoint.path, is_trainable=trainable, use_safetensors=True)
    except _LOADING as error:
        raise UserError(
            f"Cannot put the adapter {checkpoint.path!r} on {checkpoint.base!r}: {error} Was it trained on another model?"
        ) from error


def merged(checkpoint: Checkpoint, *, device: str = "auto", dtype: Dtype = "auto") -> Any:
    """The model of a checkpoint as one set of weights. An adapter trained over 4-bit weights is merged into unquantised ones.

    Raises:
        UserError: It cannot be loaded, or the adapter's base is itself stored in 4 or 8 bits.
    """
    model = load_model(checkpoint, device=device, dtype=dtype)
    if checkpoint.base is None:
        return model
    if getattr(model, "is_quantized", False):
        raise UserError(
            f"{checkpoint.base!r} is stored quantised, and merging an adapter into quantised weights would round it away. "
            "Give the unquantised model that it was made from, and load it with load_4bit where memory is short."
        )
    return attach_adapter(model, checkpoint).merge_and_unload()


def assembled(checkpoint: Checkpoint, *, device: str = "auto", dtype: Dtype = "auto", load_4bit: bool = False) -> Any:
    """The model of a checkpoint, ready to answer: merged in full precision, or, with `load_4bit`, as it was trained: the base in
    4 bits and the adapter beside it.
    """
    if not load_4bit:
        return merged(checkpoint, device=device, dtype=dtype)
    model = load_model(checkpoint, device=device, dtype=dtype, load_4bit=True)
    return model if checkpoint.base is None else attach_adapter(model, checkpoint)


def require_vocabulary(model: Any, encoder: Encoder) -> None:
    """Refuse a tokenizer that can produce ids for which the model has no embedding.

    Raises:
        UserError: Naming both sizes.
    """
    rows, needed = model.get_input_embeddings().weight.shape[0], len(encoder.tokenizer)
    if needed > rows:
        raise UserError(
            f"The tokenizer has {needed} tokens but the model has embeddings for {rows}: they do not belong together. "
            "Put the model's own tokenizer into its directory."
        )


def save(model: Any, encoder: Encoder, directory: Path) -> None:
    """Write an ordinary Hugging Face directory (or adapter directory) that owns its template."""
    if not isinstance(model, PeftModel):
        # a hub model's own generation config may be one that transformers refuses to save again
        model.generation_config = GenerationConfig(
            eos_token_id=list(encoder.stop_ids), pad_token_id=encoder.pad_id, bos_token_id=encoder.bos_id
        )
    # RL and DPO lay a frozen copy beside an adapter; it is not part of what was learnt
    only: dict[str, Any] = {"selected_adapters": ["default"]} if isinstance(model, PeftModel) else {}
    with quiet():
        model.save_pretrained(directory, **only)
        encoder.tokenizer.save_pretrained(directory)
    templates.save(encoder.template, directory)


def resolve_device(device: str = "auto") -> torch.device:
    """A torch device from its name; "auto" is the first GPU, else the CPU."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def load_tokenizer(path_or_id: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a directory or hub id, as it was saved.

    Raises:
        UserError: There is none, or it cannot be loaded.
    """
    path = Path(path_or_id)
    # without these, AutoTokenizer makes an empty tokenizer for some architectures and says nothing
    if path.is_dir() and not any((path / name).is_file() for name in _TOKENIZER_FILES):
        raise UserError(
            f"{path} has no tokenizer ({', '.join(_TOKENIZER_FILES)}). Put the model's tokenizer files beside its weights."
        )
    # AutoTokenizer replaces a generic tokenizer by the architecture's usual one, with other pre-tokenisation and extra tokens
    generic = _tokenizer_class(path) in ("TokenizersBackend", "PreTrainedTokenizerFast")
    loader = PreTrainedTokenizerFast if generic else AutoTokenizer
    try:
        with quiet():
            return loader.from_pretrained(path_or_id, trust_remote_code=False)
    except Exception as error:  # tokenizers raises bare Exception for a broken tokenizer.json
        raise UserError(
            f"Cannot load a tokenizer from {path_or_id!r} ({error}). A hub id needs a network connection or a filled cache."
        ) from error


def _tokenizer_class(path: Path) -> str | None:
    file = path / "tokenizer_config.json"
    try:
        found: str | None = json.loads(file.read_text(encoding="utf-8")).get("tokenizer_class") if file.is_file() else None
    except json.JSONDecodeError as error:
        raise UserError(f"{file} is not valid JSON: {error}") from error
    return found


def _require_model(path: Path) -> None:
    if not (path / "config.json").is_file():
        raise UserError(
            f"{path} has no config.json, so it is not a Hugging Face model directory. Give the directory that holds it."
        )
    if not any(path.glob("*.safetensors")):
        pickled = next((f.name for pattern in ("*.bin", "*.pt", "*.pth") for f in path.glob(pattern)), None)
        found = f" It has {pickled}, which is pickled and could run code: convert it to safetensors." if pickled else ""
        raise UserError(f"{path} has no weights (*.safetensors).{found}")


def _require_adapter(path: Path) -> None:
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (path / name).is_file():
            raise UserError(f"{path} has no {name}, so it is not a PEFT adapter directory with safetensors weights.")


def _recorded_base(path: Path) -> str:
    try:
        base = json.loads((path / "adapter_config.json").read_text(encoding="utf-8")).get("base_model_name_or_path")
    except json.JSONDecodeError as error:
        raise UserError(f"{path / 'adapter_config.json'} is not valid JSON: {error}") from error
    if not base or not (Path(base).is_dir() or _is_hub_id(base)):
        raise UserError(f"{path} is an adapter, and the model it was trained on ({base!r}) is not there. Give that model as well.")
    return str(base)


def _is_hub_id(name: str) -> bool:
    return name.count("/") <= 1 and not name.startswith((".", "/", "~")) and "\\" not in name
