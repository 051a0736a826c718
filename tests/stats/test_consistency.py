import numpy as np
import pandas as pd
import pytest

from axenic.findings import Findings
from axenic.stats.consistency import consistency
from axenic.stats.simulate_variance import Logits, answers, rows_of


def study():
    rng = np.random.default_rng(0)
    item, parts = rng.normal(size=30), []
    for arm, seeds in (("base", 1), ("tuned", 3), ("self", 3)):
        for epoch in (1.0, 2.0) if arm != "base" else (0.0,):
            for temperature, repetitions in ((0.0, 1), (0.7, 3)):
                rates = Logits(-0.5, 0.4).rates(rng, seeds, item)
                made = rows_of(answers(rng, rates, repetitions=repetitions), arm=arm, temperature=temperature)
                parts.append(made.assign(epoch=epoch, train_seed=None if arm == "base" else made["train_seed"]))
    lab = pd.concat(parts, ignore_index=True)
    other = lab.assign(judge="patterns", score=np.where(rng.random(len(lab)) < 0.1, 1 - lab["score"], lab["score"]))
    other["verdict"] = np.where(other["score"] > 0, "yes", "no")
    coherent = lab.assign(judge="coherence", score=1.0, verdict="coherent")
    derived = lab[lab["arm"] == "tuned"].assign(arm="tuned | base")
    return pd.concat([lab, other, coherent, derived], ignore_index=True).astype({"train_seed": "Int64"})


def test_a_whole_study_is_taken_apart():
    found = consistency(study(), measures={"e": "complied"})
    assert isinstance(found, Findings)
    for name in ("variance_components", "reliability", "flips", "ranges", "decisions", "agreements"):
        assert getattr(found, name), name
    assert {r.measure for r in found.ranges} == {"complied"}
    assert not any(" | " in v.arm for v in (*found.variance_components, *found.flips, *found.ranges, *found.decisions))
    assert {f.judge for f in found.flips if f.source == "judge"} == {""}
    assert {(d.arm, d.reference) for d in found.decisions} == {("tuned", "base"), ("self", "base")}
    assert Findings.model_validate_json(found.model_dump_json()) == found


def test_no_interval_is_reversed_or_of_zero_width():
    found = consistency(study())
    pairs = [(v.low, v.high) for n in (found.variance_components, found.reliability, found.flips) for v in n]
    pairs += [(v.share_low, v.share_high) for v in found.variance_components] + [(r.sd_low, r.sd_high) for r in found.ranges]
    for low, high in pairs:
        assert (low is None) == (high is None) and (low is None or low < high)


@pytest.mark.parametrize("change", [
    {"train_seed": None}, {"epoch": 0.0}, {"temperature": 0.0}, {"judge": "label"}, {"score": 0.0},
    {"score": None, "status": "error"}, {"item_id": "only"}, {"train_seed": 0},
])  # fmt: skip
def test_foreign_and_degenerate_tables_just_work(make, cells_of, change):
    rng = np.random.default_rng(1)
    rows = make(*(cells_of((rng.random((3, 8)) < 0.5).astype(float).tolist(), arm=a, epoch=0.0) for a in "ab")).assign(**change)
    keys = ["arm", "train_seed", "item_id"]
    rows = rows.drop_duplicates(keys) if {"train_seed", "item_id"} & set(change) else rows
    found = consistency(rows)
    assert found.flips and found.ranges and found.variance_components
    for v in found.variance_components:
        assert v.variance is None or v.variance >= 0


def test_a_table_without_rows_gives_nothing(make):
    assert consistency(make([{}]).iloc[:0]) == Findings()
