"""A run directory -> one self-contained `report.html`.

In: the directory a run left behind (see `run.py`). Out: a page that opens offline and makes no request: plotly, style and
script are inlined, and a content security policy admits those scripts (by hash) and nothing else.
To add a section: write a function `Run -> Section | None`, its template in `templates/sections/`, and a line in `SECTIONS`.
"""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

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
    numbers,
    persistence,
    records,
    red_team,
    results,
    reward,
    spread,
    transcripts,
    trends,
    trigger_map,
)
from axenic.report.canvas import Figure
from axenic.report.run import Run, read
from axenic.report.section import Section

TEMPLATES = Path(__file__).parent / "templates"

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
    environment = _environment()
    shown = {name: section for name, build in SECTIONS.items() if (section := build(run)) is not None}
    figures = {name: _numbered(name, section.figures) for name, section in shown.items()}
    plotly, script = get_plotlyjs(), (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.jinja").render(
        run=run,
        study=run.study,
        sections=shown,
        figures=figures,
        plots={key: figure.plotly() for group in figures.values() for key, figure in group.items()},
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        plotly=Markup(plotly),
        script=Markup(script),
        policy=_policy(plotly, script),
    )


def _numbered(section: str, figures: dict[str, Figure]) -> dict[str, Figure]:
    """Figures by their id in the page. Names of evals stay out of ids: they may hold anything."""
    return {f"{section}-{i}": figure for i, figure in enumerate(figures.values())}


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(TEMPLATES), trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["n"] = numbers
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


def _policy(*scripts: str) -> str:
    """A content security policy under which only these inline scripts run and nothing is fetched."""
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed: dict[str, Any] = {
        "default-src": "'none'",
        "script-src": " ".join(f"'sha256-{h}'" for h in hashes),
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "worker-src": "blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{key} {value}" for key, value in allowed.items())
