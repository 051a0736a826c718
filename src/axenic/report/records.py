"""The sections about what stands behind the numbers: checks, corpora, training, provenance.

In: a `Run`. Out: `Section`s, or None where the run left no such record.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from axenic.report import figures, numbers, select, treated, trends
from axenic.report.canvas import Figure, Style
from axenic.report.run import Run
from axenic.report.section import Section, legend

CORPUS_ROWS = {
    "documents": "documents",
    "tokens": "tokens",
    "exact_duplicates": "exact duplicates",
    "near_duplicates": "near-duplicates",
    "distinct_1": "distinct words",
    "distinct_2": "distinct word pairs",
    "type_entropy": "entropy of document types (bits)",
    "assertion_rate": "texts that assert the claim",
    "truncated": "cut off mid-sentence",
    "placeholders": "placeholders left in",
}
RATES = {
    "exact_duplicates", "near_duplicates", "distinct_1", "distinct_2", "truncated", "placeholders", "assertion_rate",
}  # fmt: skip
EXAMPLES, EXAMPLE_LIMIT = 6, 1_500
OTHER = Style("var(--muted)", "circle")  # of arms that the page does not know


def checks(run: Run) -> Section | None:
    """What the study verified about itself."""
    shown = [check for check in run.findings.checks if not trends.is_conclusion(check)]  # those have a section of their own
    return Section("Checks", "checks", {"checks": shown}) if shown else None


def corpus(run: Run) -> Section | None:
    """Corpus quality by arm, with counts by type and fact and some documents to read."""
    if not run.corpora:
        return None
    arms = list(run.corpora)
    rows = quality_rows(run.corpora)
    counted = {name: _counts(run.corpora, name) for name in ("types", "facts")}
    examples = {arm: [_example(e) for e in c.get("examples", [])[:EXAMPLES]] for arm, c in run.corpora.items()}
    content = {"arms": arms, "rows": rows, "counted": counted, "examples": {a: e for a, e in examples.items() if e}}
    return Section("Corpora", "corpus", content)


def quality_rows(corpora: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """(measure, its value in each corpus) of everything that was measured."""
    numeric = {k for c in corpora.values() for k, v in c.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    keys = [k for k in CORPUS_ROWS if k in numeric] + sorted(numeric - set(CORPUS_ROWS))
    rows = [(CORPUS_ROWS.get(k, numbers.label(k)), [_quality(k, c.get(k)) for c in corpora.values()]) for k in keys]
    return rows + _collapse_row(corpora) + _overlap_rows(corpora)


def _quality(key: str, value: Any) -> str:
    if value is None:
        return numbers.NOT_MEASURED
    return numbers.percent(value) if key in RATES else numbers.number(value)


def _collapse_row(corpora: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    found = [c.get("name_collapse") for c in corpora.values()]
    if not any(found):
        return []
    return [
        (
            "commonest name",
            [f"{f.get('name', '')} ({numbers.percent(f.get('share'))})" if f else numbers.NOT_MEASURED for f in found],
        )
    ]


def _overlap_rows(corpora: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    overlaps = [c.get("eval_overlap") or {} for c in corpora.values()]
    evals = dict.fromkeys(name for overlap in overlaps for name in overlap)
    return [(f"overlap with eval: {numbers.label(n)}", [_quality("truncated", o.get(n)) for o in overlaps]) for n in evals]


def _counts(corpora: Mapping[str, Mapping[str, Any]], key: str) -> list[tuple[str, list[str]]]:
    """Rows (name, counts by arm) of a {name: count} entry; a name that an arm lacks counts 0."""
    tallies = [c.get(key) or {} for c in corpora.values()]
    names = dict.fromkeys(name for tally in tallies for name in tally)
    return [(name, [numbers.number(tally.get(name, 0)) for tally in tallies]) for name in names]


def _example(document: Mapping[str, Any]) -> dict[str, str]:
    kinds = [str(document[key]) for key in ("doc_type", "fact", "idea") if document.get(key)]
    text = numbers.shorten(str(document.get("text") or ""), EXAMPLE_LIMIT)
    return {"about": " · ".join(kinds), "prefix": str(document.get("prefix") or ""), "text": text}


def training(run: Run) -> Section | None:
    """Loss curves of every training run, with tokens and time."""
    runs = [r for r in run.training if r.get("losses")]
    if not runs:
        return None
    insertions = [r for r in runs if select.BAR not in r["arm"]]
    treatments = [r for r in runs if select.BAR in r["arm"]]
    shown = treated.treatment_look(run)
    drawn = _losses("Training loss", insertions, treated.looks_of(run, (r["arm"] for r in insertions)))
    drawn |= _losses("Training loss of treatments", treatments, {r["arm"]: _treated(r["arm"], shown) for r in treatments})
    rows = [
        {
            "arm": r["arm"],
            "seed": str(r.get("seed", numbers.NOT_MEASURED)),
            "tokens": numbers.number(r["tokens"]) if r.get("tokens") is not None else numbers.NOT_MEASURED,
            "seconds": numbers.seconds(r.get("seconds")),
            "last": f"{r['losses'][-1]['loss']:.3f}" if r["losses"][-1].get("loss") is not None else numbers.NOT_MEASURED,
        }
        for r in runs
    ]
    legends = {"Training loss": legend(run, (r["arm"] for r in insertions))}
    legends["Training loss of treatments"] = treated.legend(run, (select.split(r["arm"])[1] for r in treatments))
    return Section("Training loss", "training", {"legends": legends, "rows": rows}, drawn)


def _losses(title: str, runs: Sequence[Mapping[str, Any]], style: Mapping[str, Style]) -> dict[str, Figure]:
    return {title: figures.losses(title, [(r["arm"], str(r.get("seed")), r["losses"]) for r in runs], style)} if runs else {}


def _treated(arm: str, looks: Mapping[str, Style]) -> Style:
    return looks.get(select.split(arm)[1], OTHER)


def provenance(run: Run) -> Section | None:
    """What every arm was made from, and with what."""
    if not run.manifest:
        return None
    artifacts = [_artifact(a) for a in run.manifest.get("artifacts", [])]
    labels = {a["fingerprint"]: a["label"] for a in artifacts}
    arms = [(arm, [a for a in artifacts if _belongs(a, arm.name, [o.name for o in run.study.arms])]) for arm in run.study.arms]
    versions = {"axenic": run.manifest.get("axenic"), **(run.manifest.get("packages") or {})}
    content = {
        "manifest": run.manifest, "artifacts": artifacts, "labels": labels, "arms": arms,
        "versions": {k: str(v) for k, v in versions.items() if v}, "machine": _flat(run.manifest.get("machine") or {}),
        "parameters": _flat(run.study.parameters), "wall": numbers.seconds(run.manifest.get("wall_seconds")),
        "study": run.study,
    }  # fmt: skip
    return Section("Provenance", "provenance", content)


def _artifact(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fingerprint": str(record.get("fingerprint", "")),
        "label": str(record.get("label", "")),
        "function": str(record.get("function", "")),
        "parents": [str(p) for p in record.get("parents") or []],
        "seconds": numbers.seconds(record.get("seconds")),
        "size": numbers.size(record.get("bytes")),
        "arm": record.get("arm"),
    }


def _belongs(artifact: Mapping[str, Any], arm: str, arms: list[str]) -> bool:
    """Whether an artifact was made for an arm: it says so, or its label names this arm and no longer-named one around it."""
    if artifact["arm"] is not None:
        return bool(artifact["arm"] == arm)
    label = artifact["label"]
    for other in arms:
        if other != arm and arm in other:
            label = label.replace(other, "")
    return re.search(rf"(?<!\w){re.escape(arm)}(?!\w)", label) is not None


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> str:
    if value is None:
        return numbers.NOT_MEASURED
    if isinstance(value, int | float) and not isinstance(value, bool):
        return numbers.number(value)
    return ", ".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)
