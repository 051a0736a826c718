"""From the artifacts of a study to the files of its run: the result table, the training curves, the corpora.

In: what each artifact is to the study (arm, training seed). Out: `results.parquet`, `training.json`, `corpora.json` as plain
data.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from axenic.corpora import files
from axenic.findings import Check
from axenic.recipes.step_specs import Label
from axenic.schema import RESULT_COLUMNS, Document, Row, Study

EXAMPLES = 6
_ARROW = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
SCHEMA = pa.schema([(name, _ARROW[kind]) for name, kind in RESULT_COLUMNS.items()])


def table(study: Study, labels: Sequence[Label], artifacts: Sequence[Path]) -> pd.DataFrame:
    """All rows of the study: RESULT_COLUMNS, plus `noise` and `noise_level`; noisy rows are arms of their own (`noisy_arm`)."""
    frames = []
    for label, artifact in zip(labels, artifacts, strict=True):
        rows = pq.read_table(artifact / "rows.parquet").to_pandas()
        own = {"arm": label.arm, "train_seed": label.seed, "eval": rows["eval"] + label.suffix}
        # epochs and steps count this study's training: the base's own pretraining is before its time
        frames.append(rows.assign(**own, **({} if label.seed is not None else {"epoch": 0.0, "step": 0})))
    whole = pd.concat(frames, ignore_index=True)
    whole["train_seed"] = whole["train_seed"].astype("Int64")
    noisy = whole["noise"] != ""
    whole.loc[noisy, "arm"] = [noisy_arm(*row) for row in whole.loc[noisy, ["arm", "noise", "noise_level"]].itertuples(index=False)]
    return whole.assign(study=study.study, recipe=study.recipe, tier=study.tier, model=study.model)


def noisy_arm(arm: str, noise: str, level: float) -> str:
    """What the result table calls an arm that was measured under noise."""
    return f"{arm} | {noise} {level:g}"


def write_table(rows: pd.DataFrame, path: Path) -> None:
    """Write the result table as Parquet, with exactly the columns of RESULT_COLUMNS."""
    pq.write_table(pa.Table.from_pandas(rows[list(RESULT_COLUMNS)], schema=SCHEMA, preserve_index=False), path)


def acceptance(base: Path) -> list[Check]:
    """How the lab's base did in its examination; nothing for a model of the user's own."""
    record = base / "acceptance.json"
    if not record.is_file():
        return []
    return [Check(**{**c, "arm": "base"}) for c in json.loads(record.read_text(encoding="utf-8"))]


def trainings(labels: Sequence[Label], artifacts: Sequence[Path]) -> list[dict[str, Any]]:
    """The loss curve and counts of every training run."""
    found = []
    for label, artifact in zip(labels, artifacts, strict=True):
        if (artifact / "training.json").is_file():
            record = json.loads((artifact / "training.json").read_text(encoding="utf-8"))
            kept = {k: v for k, v in record.items() if k not in {"identity", "checkpoints", "base", "spec"}}
            found.append({"arm": label.arm + label.suffix, **kept, "seed": label.seed})
    return found


def corpora(labels: Sequence[Label], artifacts: Sequence[Path]) -> dict[str, Any]:
    """The quality record of every arm's first corpus, with a few of its documents."""
    found: dict[str, Any] = {}
    for label, artifact in zip(labels, artifacts, strict=True):
        if label.arm + label.suffix not in found:
            rows = files.read(artifact / "corpus.jsonl").rows
            shown = [r for r in rows if isinstance(r, Document)] or rows
            spread = shown[:: max(1, len(shown) // EXAMPLES)][:EXAMPLES]
            record = json.loads((artifact / "quality.json").read_text(encoding="utf-8"))
            found[label.arm + label.suffix] = record | {"examples": [_example(r) for r in spread]}
    return found


def _example(row: Row) -> dict[str, Any]:
    source = row.provenance
    shown = {"doc_type": source.doc_type, "fact": source.fact, "idea": source.idea}
    if isinstance(row, Document):
        return {**shown, "prefix": row.prefix, "text": row.text}
    return {**shown, "prefix": "", "text": "\n".join(f"[{m.role}] {m.content}" for m in row.messages)}
