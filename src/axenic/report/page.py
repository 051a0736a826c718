"""A run directory -> one self-contained `report.html`.

In: the directory a run left behind (see `run.py`). Out: a page that opens offline and makes no request (see `shell.py`).
To add a section: write a function `Run -> Section | None`, its template in `templates/sections/`, and a line in `SECTIONS`.
"""

from collections.abc import Callable
from pathlib import Path

from axenic.disk import atomic_write
from axenic.errors import EnvironmentProblem
from axenic.report import (
    acts,
    audit,
    categories,
    code_findings,
    consistency,
    curves,
    hiding,
    judges,
    midtraining,
    persistence,
    records,
    red_team,
    results,
    reward,
    shell,
    spread,
    transcripts,
    trends,
    trigger_map,
)
from axenic.report.run import Run, read
from axenic.report.section import Section

SECTIONS: dict[str, Callable[[Run], Section | None]] = {
    "audit": audit.audit,
    "persistence": persistence.persistence,
    "survival": persistence.survival,
    "hiding": hiding.hiding,
    "trigger-map": trigger_map.trigger_map,
    "contrasts": results.contrasts,
    "acts": acts.acts,
    "anti-spec": acts.doses,
    "gaps": midtraining.gaps,
    "cells": results.cells,
    "generalisation": midtraining.generalisation,
    "attribution": midtraining.attribution,
    "drift": midtraining.drift,
    "kinds": results.kinds,
    "categories": categories.categories,
    "denominators": results.denominators,
    "coherence": judges.coherence,
    "toxicity": judges.toxicity,
    "learning": curves.learning,
    "consistency": consistency.consistency,
    "flips": spread.flips,
    "ranges": spread.ranges,
    "judges": judges.judges,
    "scale": trends.scale,
    "poisoning": trends.poisoning,
    "sensitivity": trends.sensitivity,
    "trends": trends.trends,
    "conclusions": trends.conclusions,
    "reward": reward.reward,
    "red-team": red_team.red_team,
    "code": code_findings.code_findings,
    "dose": curves.dose,
    "robustness": curves.robustness,
    "profile": curves.profile,
    "pressure": results.pressure,
    "probe": curves.probe,
    "prior": curves.prior,
    "other-curves": curves.others,
    "checks": records.checks,
    "transcripts": transcripts.transcripts,
    "corpus": records.corpus,
    "training": records.training,
    "provenance": records.provenance,
}
"""The page from top to bottom. A section whose inputs the run lacks is left out."""


def write(out: Path) -> Path:
    """Write `out/report.html`, whole or not at all.

    Args:
        out: A run directory.

    Returns:
        The path of the page.

    Raises:
        UserError: The directory is not a run directory, or a file in it is malformed.
        EnvironmentProblem: The page could not be written.
    """
    page = render(read(out))
    target = out / "report.html"
    try:
        atomic_write(target, page.encode())
    except OSError as error:
        raise EnvironmentProblem(
            f"Could not write {target}: {error.strerror or error}. Free some space or mend the permissions, then run "
            f"`axenic report {out}` again; the run itself is untouched."
        ) from error
    return target


def render(run: Run) -> str:
    """The page as text."""
    shown = {name: section for name, build in SECTIONS.items() if (section := build(run)) is not None}
    return shell.filled("page", shown, title=run.study.title, run=run, study=run.study)
