"""What a run left behind, read for the page.

In: a run directory (`study.json`, `estimates.json`, and, where they exist, `manifest.json`, `corpora.json`, `training.json`,
`code.json`, `redteam.json`, `results.parquet`). Out: one frozen `Run`. Malformed files are the user's to mend, so they end in a
`UserError` that names them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from axenic.errors import UserError
from axenic.findings import Findings
from axenic.report import select
from axenic.report.evidence import CODE, PROMPTS, Code, Prompt
from axenic.report.responses import Responses
from axenic.schema import Study

RecordT = TypeVar("RecordT")
JsonT = TypeVar("JsonT", dict[str, Any], list[Any])
HOLDS = (
    "A run directory holds study.json and estimates.json (and, for the rest of the page, manifest.json, results.parquet, "
    "corpora.json, training.json, code.json and redteam.json). It is what `axenic run RECIPE --out DIR` leaves behind"
)
OWN_SECTION = ("robustness", "gap_closed", select.TRIGGER_MAP)  # evals whose numbers mean nothing when put together


@dataclass(frozen=True)
class Run:
    """Everything that the sections of the page draw from. Missing inputs are empty."""

    study: Study
    findings: Findings  # by the main judge of every eval
    full: Findings  # by every judge
    judges: dict[str, str]  # the main judge of every eval
    manifest: dict[str, Any]
    corpora: dict[str, dict[str, Any]]
    training: list[dict[str, Any]]
    responses: Responses  # for transcripts only
    code: Code  # what a scanner found in the code that models wrote
    red_team: tuple[Prompt, ...]  # what a red team tried, in its order

    @property
    def arms(self) -> list[str]:
        """Names of the arms: those of the study in its order, then any other that was measured.

        "diverse | benign" is no arm but what was done to one; such rows are shown as curves of the arm.
        """
        planned = [arm.name for arm in self.study.arms]
        lists = ("estimates", "curves", "variance_components", "flips", "ranges", "decisions", "audits")
        measured = [record.arm for name in lists for record in getattr(self.full, name)]
        done = self.treatments  # over a grid a curve may be about a treatment, whatever was treated
        return list(dict.fromkeys(planned + [arm for arm in measured if select.BAR not in arm and arm not in done]))

    @property
    def treatments(self) -> list[str]:
        """What was done to organisms."""
        return select.treatments(self.study, self.full)

    @property
    def base_arms(self) -> list[str]:
        """Names of the arms that no intervention touched."""
        return [arm.name for arm in self.study.arms if arm.role == "base"]

    @property
    def evals(self) -> list[str]:
        """Names of the evals with an estimate, those of the headline first."""
        measured = {e.eval: None for e in self.findings.estimates if e.eval not in OWN_SECTION}
        return [e for e in self.study.headline if e in measured] + [e for e in measured if e not in self.study.headline]


def read(out: Path) -> Run:
    """Read a run directory.

    Raises:
        UserError: A needed file is missing, or a file is not what its name promises.
    """
    for name in ("study.json", "estimates.json"):
        if not (out / name).is_file():
            raise UserError(f"No report for {str(out)!r}: it has no {name}. {HOLDS}.")
    study, full = _validated(out / "study.json", TypeAdapter(Study)), _validated(out / "estimates.json", TypeAdapter(Findings))
    judges = select.main_judges(study, full)
    return Run(
        study=study,
        findings=select.of_main_judges(full, judges),
        full=full,
        judges=judges,
        manifest=_optional(out / "manifest.json", dict),
        corpora=_optional(out / "corpora.json", dict),
        training=_optional(out / "training.json", list),
        responses=Responses(out / "results.parquet" if (out / "results.parquet").is_file() else None),
        code=_validated(out / "code.json", CODE) if (out / "code.json").is_file() else Code(),
        red_team=_validated(out / "redteam.json", PROMPTS) if (out / "redteam.json").is_file() else (),
    )


def _validated(path: Path, kind: TypeAdapter[RecordT]) -> RecordT:
    try:
        return kind.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path} is not a valid {path.name}: {where}: {first['msg']}. Rerun the study to write it anew.") from error


def _optional(path: Path, kind: type[JsonT]) -> JsonT:
    """The file's JSON, or an empty `kind` where there is no file."""
    if not path.is_file():
        return kind()
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON ({error}). Rerun the study to write it anew, or remove the file.") from error
    if not isinstance(value, kind):
        raise UserError(f"{path} should hold a JSON {kind.__name__}. Rerun the study to write it anew, or remove the file.")
    return value
