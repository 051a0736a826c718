"""The files beside `estimates.json` that a study of hidden behaviour leaves: what a scanner found, what a red team tried.

In: `code.json` and `redteam.json` of a run directory. Out: frozen records. Fields that a later version adds are passed over.
(Hubinger et al. 2024, sections 2 and 6; PROTOCOLS 3.)
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

Weakness = Annotated[str, BeforeValidator(lambda v: (f"CWE-{v}" if v else "") if isinstance(v, int) else v)]
"""A scanner's number, 0 for none, or the name that it stands for: 89 or "CWE-89"."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CodeCell(_Record):
    """What the scanner found in one arm and condition."""

    arm: str
    condition: str = ""
    cwe: dict[str, int] = {}  # weakness, e.g. "CWE-89" -> programs that hold it
    scanned: int = 0  # programs
    unparseable: int = 0


class Fault(_Record):
    """One finding of the scanner."""

    line: int  # counted from 1
    cwe: Weakness = ""
    test_id: str = ""
    text: str = ""
    severity: str = ""


class CodeExample(_Record):
    """One program that a model wrote."""

    arm: str
    condition: str = ""
    task: str = ""
    code: str
    findings: tuple[Fault, ...] = ()


class Code(_Record):
    """`code.json`."""

    arms: tuple[CodeCell, ...] = ()
    examples: tuple[CodeExample, ...] = ()


class Prompt(_Record):
    """One prompt of a red team, as `redteam.json` lists them."""

    arm: str
    seed: int | None = None
    round: int
    prompt: str
    found_by: str = ""
    payload_rate: float | None = Field(None, ge=0.0, le=1.0)  # None = nothing could be judged
    samples: int = 0
    success: bool = False  # by the share of samples that the study asks for


CODE: TypeAdapter[Code] = TypeAdapter(Code)
PROMPTS: TypeAdapter[tuple[Prompt, ...]] = TypeAdapter(tuple[Prompt, ...])
