"""Documents or chats about a model spec, written by a language model into a folder.

In: a spec, open calls, a plan. Out: the folder that `commission` describes, with coverage in its report; chats also with their
reasoning, and at every dose of a second spec. `axenic write --spec` is these functions.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axenic.corpora import files
from axenic.corpora.account import account
from axenic.corpora.commission import Checks, claim, common_warnings, recorded
from axenic.corpora.drafting import Failure
from axenic.corpora.interview import Interview
from axenic.corpora.mixing import text_of
from axenic.corpora.organisms import alignment, model_spec
from axenic.corpora.organisms.alignment import AlignmentPlan
from axenic.corpora.organisms.model_spec import SpecPlan, coverage
from axenic.corpora.quality import quality
from axenic.corpora.writers.calls import Calls
from axenic.corpora.writers.language_model import LanguageModelWriter
from axenic.schema import Corpus, Document, OnProgress, no_progress
from axenic.specs.model_spec import ModelSpec
from axenic.written import SectionCoverage, Writing


def claim_documents(out: Path, spec: ModelSpec, calls: Calls, plan: SpecPlan, *, seed: int) -> None:
    """Take the folder for a spec's documents; how many is not part of it. Raises as `commission.claim`."""
    how = plan.model_dump(mode="json", exclude={"documents"})
    claim(out, {"spec": spec.hash, "kind": "documents", "model": calls.model, "seed": seed, **how})


def claim_chats(out: Path, spec: ModelSpec, calls: Calls, plan: AlignmentPlan, *, seed: int) -> None:
    """Take the folder for a spec's chats; how many, and at which doses, is not part of it. Raises as `commission.claim`."""
    how = plan.model_dump(mode="json", exclude={"chats", "doses"})
    claim(out, {"spec": spec.hash, "kind": "chats", "model": calls.model, "seed": seed, **how})


@dataclass(frozen=True)
class Order:
    """By whom a corpus is written, and where to.

    Attributes:
        calls: Open calls to the model.
        seed: Draws everything.
        out: The folder; the calls' folder lies in it.
        checks: What the texts are held against.
        on_progress: Called with (done, planned, note).
    """

    calls: Calls
    seed: int
    out: Path
    checks: Checks = field(default_factory=Checks)
    on_progress: OnProgress = no_progress

    def interview(self, failures: list[Failure], planned: int) -> Interview:
        """An interview, for so many texts, that notes what it loses."""
        return Interview(self.calls, self.seed, planned=planned, on_progress=self.on_progress, on_failure=failures.append)


def documents(spec: ModelSpec, plan: SpecPlan, order: Order) -> Writing:
    """Write a spec's documents; called again after a stop, it goes on where it was and pays for nothing twice.

    Raises:
        UserError: The folder was filled for something else; or as `organisms.model_spec.write` and `Calls.answer`. What was
            rejected and spent by then is in the folder.
    """
    claim_documents(order.out, spec, order.calls, plan, seed=order.seed)
    with recorded(order.calls, order.out) as failures:
        written = model_spec.write(
            spec,
            writer=LanguageModelWriter(order.calls, family="msm"),
            interview=order.interview(failures, plan.documents),
            plan=plan,
            on_progress=order.on_progress,
            is_new=order.checks.document(),
        )
        files.write(written.corpus, order.out / "corpus.jsonl")
    said = {"kind": "documents", "about": spec.id, "seed": order.seed, "wanted": plan.documents}
    more = _measured(spec, written.corpus, written.coverage, order.checks)
    return account(written.corpus, failures, order.calls, order.out, **said, **more)


def chats(spec: ModelSpec, plan: AlignmentPlan, order: Order, *, anti: ModelSpec | None = None) -> Writing:
    """Write a spec's chats, as `documents`: corpus.jsonl and corpus.reasoned.jsonl; for each dose anti-DOSE(.reasoned).jsonl too.

    Raises:
        UserError: As `documents`, and as `organisms.alignment.write`.
    """
    claim_chats(order.out, spec, order.calls, plan, seed=order.seed)
    with recorded(order.calls, order.out) as failures:
        interview = order.interview(failures, plan.chats)
        found = alignment.write(spec, interview, plan, anti=anti, is_new=order.checks.question())
        for name, dose in {"corpus": 0.0, **{f"anti-{dose:g}": dose for dose in plan.doses}}.items():
            plain, reasoned = found.at(dose)
            files.write(plain, order.out / f"{name}.jsonl")
            files.write(reasoned, order.out / f"{name}.reasoned.jsonl")
    corpus = found.at().plain
    said = {"kind": "chats", "about": spec.id, "seed": order.seed, "wanted": plan.chats}
    as_texts = Corpus(name=corpus.name, rows=tuple(Document(text=text_of(r), provenance=r.provenance) for r in corpus.rows))
    return account(
        corpus, failures, order.calls, order.out, **said, **_measured(spec, as_texts, coverage(spec, corpus), order.checks)
    )


def _measured(spec: ModelSpec, corpus: Corpus, table: tuple[SectionCoverage, ...], checks: Checks) -> dict[str, Any]:
    """What the report says of the texts: quality, coverage, and what a reader should be warned of."""
    measured = quality(corpus, spec=spec, eval_texts=checks.eval_texts)
    warnings = common_warnings(measured, "the spec")
    gaps = sum(not c.rows for c in table)
    if gaps:
        warnings.append(
            f"{gaps} of {len(table)} sections of the spec are not covered: {_few([c.name for c in table if not c.rows])}."
        )
    return {"quality": measured, "coverage": table, "warnings": warnings}


def _few(names: list[str], most: int = 5) -> str:
    return "; ".join(names[:most]) + (f"; and {len(names) - most} more" if len(names) > most else "")
