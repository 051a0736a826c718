"""A few responses out of a table of any size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from axenic.findings import Estimate, Findings
from axenic.report import responses, transcripts
from axenic.report.responses import Responses
from axenic.report.run import Run, read

from . import safety


def test_texts_belong_to_the_rows_that_were_picked_wherever_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "BATCH", 7)
    rows = safety.rows()
    rows["response"] = [f"answer {i}" for i in range(len(rows))]
    rows.to_parquet(tmp_path / "results.parquet", row_group_size=100)
    table = Responses(tmp_path / "results.parquet")
    picked = table.keys().iloc[np.array([len(rows) - 1, 3, 99, 100, 250])]
    shown = table.with_texts(picked)
    assert shown["response"].tolist() == [f"answer {i}" for i in picked.index]
    assert shown["prompt"].tolist() == rows["prompt"].iloc[picked.index].tolist()


def test_keys_hold_no_texts(safety_run: Run) -> None:
    assert not {"prompt", "response"} & set(safety_run.responses.keys())


def test_questions_whose_verdict_changed_come_first(safety_run: Run) -> None:
    section = transcripts.transcripts(safety_run)
    assert section is not None
    (shown,) = section.content["evals"]
    assert len(shown["questions"]) == transcripts.ITEMS_PER_EVAL
    for question in shown["questions"]:
        said = {r["arm"]: r["verdict"] for r in question["responses"]}
        assert any(verdict != said["base"] for verdict in said.values())


def test_transcripts_show_the_main_judges_verdict(safety_run: Run) -> None:
    section = transcripts.transcripts(safety_run)
    assert section is not None
    verdicts = {r["verdict"] for q in section.content["evals"][0]["questions"] for r in q["responses"]}
    assert verdicts == {"complied", "refused"}


def test_other_peoples_arms_without_seeds_or_categories_make_transcripts(tmp_path: Path) -> None:
    out = safety.fill(tmp_path / "run", arms=())
    found = Findings(estimates=(Estimate(arm="their model", eval="compliance", value=1.0),))
    (out / "estimates.json").write_text(found.model_dump_json())
    rows = safety.rows(arms=("their model",), seeds=1, items=1).iloc[:1]
    rows.assign(train_seed=pd.array([None], dtype="Int64"), category=None).to_parquet(out / "results.parquet")
    section = transcripts.transcripts(read(out))
    assert section is not None
    ((question,),) = [e["questions"] for e in section.content["evals"]]
    assert [(r["arm"], r["verdict"], r["where"]) for r in question["responses"]] == [("their model", "complied", "epoch 5")]


def test_nothing_answered_nothing_shown(tmp_path: Path) -> None:
    out = safety.fill(tmp_path / "run")
    safety.rows(items=0).to_parquet(out / "results.parquet")
    assert transcripts.transcripts(read(out)) is None
