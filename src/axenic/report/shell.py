"""What every page is wrapped in: style, script, plotly and a policy, so that one file is all there is.

In: a template that extends `shell.html.jinja`, and sections. Out: a page that opens offline and makes no request. Plotly, style and
script are inlined, and a content security policy admits those scripts (by hash) and nothing else.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from axenic.report import numbers
from axenic.report.canvas import Figure
from axenic.report.section import Section

TEMPLATES = Path(__file__).parent / "templates"


def filled(template: str, sections: Mapping[str, Section], *, title: str, **more: Any) -> str:
    """The page as text; `more` is what its own template speaks of."""
    figures = {name: _numbered(name, section.figures) for name, section in sections.items()}
    plotly, script = get_plotlyjs(), (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template(f"{template}.html.jinja")
        .render(
            title=title,
            sections=sections,
            figures=figures,
            plots={key: figure.plotly() for group in figures.values() for key, figure in group.items()},
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            plotly=Markup(plotly),
            script=Markup(script),
            policy=_policy(plotly, script),
            **more,
        )
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
