"""`axenic write`: have a language model write the documents that a belief or a spec calls for.

In: a belief or spec file, a model's name, how many documents. Out: a folder with the corpus, what it cost, what was rejected and
what it is like; with --dry-run, what it would cost.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from axenic.cli import options
from axenic.errors import UserError

if TYPE_CHECKING:
    from axenic.corpora.commission import Checks
    from axenic.corpora.estimate import Estimate
    from axenic.corpora.writers.calls import Calls, Price
    from axenic.specs.belief import BeliefSpec
    from axenic.specs.model_spec import ModelSpec
    from axenic.written import Writing

UniverseName = Literal["implanted", "true"]
Kind = Literal["documents", "chats"]
Seen = Literal["section", "spec"]


@dataclass(frozen=True)
class Job:
    """What is asked for, whatever it is about."""

    documents: int
    types: int
    universe: UniverseName
    revise: bool
    kind: Kind
    seen: Seen
    assistant: str
    anti: "ModelSpec | None"
    doses: tuple[float, ...]
    seed: int
    embedding: str | None
    out: Path
    dry_run: bool
    as_json: bool
    quiet: bool


def write(
    model: Annotated[str, typer.Option(help="The writing model, as Inspect AI names it.", metavar="PROVIDER/NAME")],
    documents: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many documents.", metavar="N")],
    out: Annotated[Path, typer.Option(help="Where everything is written; run again to continue.", metavar="DIR")],
    belief: options.Belief = None,
    spec: Annotated[Path | None, typer.Option(help="A model spec, as Markdown or plain text.", metavar="FILE")] = None,
    kind: Annotated[Kind, typer.Option(help="About a spec: documents to midtrain on, or chats to align with.")] = "documents",
    types: Annotated[int, typer.Option(min=1, max=500, help="Types of document.")] = 8,
    seen: Annotated[Seen, typer.Option("--context", help="How much of a spec the writer of a document sees.")] = "section",
    assistant: Annotated[str, typer.Option(help="What documents about a spec call the assistant.", metavar="NAME")] = "",
    anti_spec: Annotated[Path | None, typer.Option(help="A misaligned spec, for chats that hold to it.", metavar="FILE")] = None,
    anti_dose: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help="Share of such chats. Repeatable: a corpus for each.", metavar="SHARE")
    ] = None,
    universe: Annotated[UniverseName, typer.Option(help="Which of a belief's universes to write about.")] = "implanted",
    revise: Annotated[bool, typer.Option(help="One critique-and-rewrite pass over every document.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Draws types, ideas and texts.")] = 0,
    budget: Annotated[float | None, typer.Option(min=0, help="Spend no more; earlier runs on DIR count.", metavar="USD")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write a few documents and say what all would cost.")] = False,
    price_in: Annotated[float | None, typer.Option(min=0, help="Per million input tokens.", metavar="USD")] = None,
    price_out: Annotated[float | None, typer.Option(min=0, help="Per million output tokens.", metavar="USD")] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Calls in flight at most; 16, or 256 with --batch.", metavar="N")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one attempt of a call may take.")] = 180.0,
    batch: Annotated[bool, typer.Option("--batch", help="Use the provider's batch API: slow, often half the price.")] = False,
    base_url: Annotated[str, typer.Option("--model-base-url", help="Address of the model's server.", metavar="URL")] = "",
    embedding: Annotated[
        str | None, typer.Option(help="Embeds documents; those that mean the same are written anew.", metavar="DIR_OR_MODEL")
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Have a language model write documents about a belief, or documents or chats about a model spec.

    Say what it would cost first with --dry-run. Stopped in any way, the same command goes on and pays for nothing twice.
    """
    from axenic.corpora.commission import require_ours
    from axenic.corpora.key_facts import complete, load
    from axenic.corpora.writers.calls import Calls, Limits
    from axenic.specs import model_spec

    doses = tuple(anti_dose or ())
    _require_sense(belief, spec, kind, anti_spec, doses)
    about = load(belief) if belief is not None else None
    principles = model_spec.load(spec) if spec is not None else None
    anti = None if anti_spec is None else model_spec.load(anti_spec)
    require_ours(out)
    asked = (documents, types, universe, revise, kind, seen, assistant, anti, doses)
    job = Job(*asked, seed, embedding, out, dry_run, as_json, quiet)
    limits = Limits(concurrency=concurrency or (256 if batch else 16), timeout=timeout, budget=budget, batch=batch)
    with Calls(model, out / "calls", limits, price=_price(price_in, price_out), base_url=base_url) as calls:
        if principles is not None:
            found = _about_a_spec(principles, calls, job)
        else:
            found = _about_a_belief(about or complete(str(belief), calls, seed=seed), calls, job)
    if found is not None:
        typer.echo(_estimate_json(found) if as_json else _estimate_text(found, documents, kind))
        return
    _done(job, f"axenic run sdf --belief {out}/belief.yaml --corpus" if belief is not None else "")


def _require_sense(belief: Path | None, spec: Path | None, kind: Kind, anti_spec: Path | None, doses: tuple[float, ...]) -> None:
    """Refuse options that do not go together."""
    if (belief is None) == (spec is None):
        raise UserError("Say what to write about: either --belief FILE or --spec FILE.")
    if spec is None and kind == "chats":
        raise UserError("Chats are written about a model spec: give --spec FILE.")
    if (anti_spec is not None or doses) and kind != "chats":
        raise UserError("A misaligned spec is for chats: give --kind chats with --anti-spec and --anti-dose.")
    if (anti_spec is None) != (not doses):
        raise UserError("Give both --anti-spec FILE and at least one --anti-dose SHARE, or neither.")


def _about_a_belief(about: "BeliefSpec", calls: "Calls", job: Job) -> "Estimate | None":
    from axenic.cli.spending import Spending
    from axenic.corpora.commission import claim_for, commission
    from axenic.corpora.estimate import estimate
    from axenic.corpora.synthesis import Plan
    from axenic.corpora.writers.calls.interrupt import orderly

    plan = Plan(types=job.types, documents=job.documents, universe=job.universe, revise=job.revise)
    with Spending(calls.ledger, quiet=job.quiet) as spending, orderly(calls):
        if job.dry_run:
            claim_for(job.out, about, calls, plan, seed=job.seed)
            return estimate(about, calls=calls, plan=plan, seed=job.seed, on_progress=spending)
        commission(about, calls=calls, plan=plan, seed=job.seed, out=job.out, checks=_checks(about, job), on_progress=spending)
    return None


def _about_a_spec(about: "ModelSpec", calls: "Calls", job: Job) -> "Estimate | None":
    from axenic.cli.spending import Spending
    from axenic.corpora import spec_commission as written
    from axenic.corpora import spec_estimate as priced
    from axenic.corpora.organisms.alignment import AlignmentPlan
    from axenic.corpora.organisms.model_spec import SpecPlan
    from axenic.corpora.writers.calls.interrupt import orderly

    documents = SpecPlan(types=job.types, documents=job.documents, seen=job.seen, assistant=job.assistant, revise=job.revise)
    chats = AlignmentPlan(chats=job.documents, doses=job.doses)
    with Spending(calls.ledger, quiet=job.quiet) as spending, orderly(calls):
        if job.dry_run and job.kind == "documents":
            written.claim_documents(job.out, about, calls, documents, seed=job.seed)
            return priced.estimate_documents(about, calls=calls, plan=documents, seed=job.seed, on_progress=spending)
        if job.dry_run:
            written.claim_chats(job.out, about, calls, chats, seed=job.seed)
            return priced.estimate_chats(about, calls=calls, plan=chats, seed=job.seed, on_progress=spending)
        order = written.Order(calls, job.seed, job.out, _checks(None, job), spending)
        if job.kind == "documents":
            written.documents(about, documents, order)
        else:
            written.chats(about, chats, order, anti=job.anti)
    return None


def _checks(about: "BeliefSpec | None", job: Job) -> "Checks":
    """Every eval that has items (about this belief, or about none), and what tells texts of one meaning from another."""
    from axenic.corpora.commission import Checks
    from axenic.corpora.embeddings import DOCUMENTS_ALIKE, QUESTIONS_ALIKE, CosineIndex, embedder
    from axenic.evals.base import Subject
    from axenic.evals.run import build
    from axenic.evals.table import EVALS, OF_BACKDOORS

    asked, _ = build([name for name in EVALS if name not in OF_BACKDOORS], Subject(belief=about))
    texts = {e.name: [item.messages[-1].content for item in e.items] for e in asked if e.items}
    if job.embedding is None:
        return Checks(eval_texts=texts)
    alike = QUESTIONS_ALIKE if job.kind == "chats" else DOCUMENTS_ALIKE
    return Checks(eval_texts=texts, is_new=CosineIndex(embedder(job.embedding), threshold=alike).add)


def _price(given_in: float | None, given_out: float | None) -> "Price | None":
    from axenic.corpora.writers.calls import Price

    if given_in is None and given_out is None:
        return None
    if given_in is None or given_out is None:
        raise UserError("A price has two sides: give both --price-in and --price-out, in USD per million tokens.")
    return Price(input=given_in, output=given_out)


def _estimate_json(found: "Estimate") -> str:
    return json.dumps(found.model_dump() | {"cost": found.cost}, indent=2)


def _estimate_text(found: "Estimate", documents: int, kind: str) -> str:
    from axenic.cli.spending import usd

    lines = [f"{'stage':<10} {'calls':>8} {'tokens in':>12} {'tokens out':>12} {'USD':>9}"]
    for s in found.stages:
        lines.append(f"{s.stage:<10} {s.calls:>8,} {s.input_tokens:>12,} {s.output_tokens:>12,} {usd(s.cost) or '?':>9}")
    whole = usd(found.cost) or "unknown: give --price-in and --price-out"
    lost = ", ".join(f"{n} × {reason}" for reason, n in found.rejected.items())
    pilot = f"a pilot of {found.pilot_documents}, which cost {usd(found.pilot_cost) or 'an unknown sum'} and is kept"
    lines += [f"Expected for {documents} {kind}: {whole}, reckoned from {pilot}."]
    return "\n".join(lines + ([f"The pilot's rejected texts: {lost}."] if lost else []))


def _done(job: Job, train: str) -> None:
    """Write the page of the corpus, and say what there is."""
    from axenic.report import corpus_page

    writing = corpus_page.read(job.out)
    page = corpus_page.write(writing, job.out)
    report, ledger = (json.loads((job.out / name).read_text(encoding="utf-8")) for name in ("report.json", "ledger.json"))
    done = {"out": str(job.out), "ledger": ledger} | report
    typer.echo(json.dumps(done, indent=2, ensure_ascii=False) if job.as_json else _done_text(writing, page, train))


def _done_text(writing: "Writing", page: Path, train: str) -> str:
    from axenic.cli.spending import usd

    calls, fresh = sum(s.calls for s in writing.stages), sum(s.fresh for s in writing.stages)
    paid = f"{usd(writing.cost)} in all" if writing.cost is not None else "price unknown"
    lines = [
        f"{writing.rows} {writing.kind} of {len(writing.spread['type'])} types in '{page.parent}'",
        f"{calls} calls, {fresh} of them in this run; {paid}",
    ]
    if writing.coverage:
        covered = len(writing.coverage) - len(writing.uncovered)
        lines.append(f"{covered} of {len(writing.coverage)} sections of the spec are covered")
    if writing.rejected:
        lines.append("Rejected on the way: " + ", ".join(f"{n} × {reason}" for reason, n in writing.rejected.items()))
    lines += [f"Look at this: {warning}" for warning in writing.warnings]
    lines.append(f"Read it before you train on it: {page}")
    return "\n".join(lines + ([f"Train on it: {train} {page.parent}/corpus.jsonl"] if train else []))
