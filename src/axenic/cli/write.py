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

UniverseName = Literal["implanted", "true"]


@dataclass(frozen=True)
class Job:
    """What is asked for, whatever it is about."""

    documents: int
    types: int
    universe: UniverseName
    revise: bool
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
    types: Annotated[int, typer.Option(min=1, max=500, help="Document types of a belief's corpus.")] = 8,
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
    """Have a language model write documents about a belief or a model spec.

    Say what it would cost first with --dry-run. Stopped in any way, the same command goes on and pays for nothing twice.
    """
    from axenic.corpora.commission import require_ours
    from axenic.corpora.key_facts import complete, load
    from axenic.corpora.writers.calls import Calls, Limits

    if (belief is None) == (spec is None):
        raise UserError("Say what to write about: either --belief FILE or --spec FILE.")
    if belief is None:
        raise UserError("Writing about a model spec is not possible yet: give --belief FILE.")
    about = load(belief)
    require_ours(out)
    job = Job(documents, types, universe, revise, seed, embedding, out, dry_run, as_json, quiet)
    limits = Limits(concurrency=concurrency or (256 if batch else 16), timeout=timeout, budget=budget, batch=batch)
    with Calls(model, out / "calls", limits, price=_price(price_in, price_out), base_url=base_url) as calls:
        _about_a_belief(about or complete(belief, calls, seed=seed), calls, job)


def _about_a_belief(about: "BeliefSpec", calls: "Calls", job: Job) -> None:
    from axenic.cli.spending import Spending
    from axenic.corpora.commission import claim_for, commission
    from axenic.corpora.estimate import estimate
    from axenic.corpora.synthesis import Plan
    from axenic.corpora.writers.calls.interrupt import orderly

    plan = Plan(types=job.types, documents=job.documents, universe=job.universe, revise=job.revise)
    with Spending(calls.ledger, quiet=job.quiet) as spending, orderly(calls):
        if job.dry_run:
            claim_for(job.out, about, calls, plan, seed=job.seed)
            found = estimate(about, calls=calls, plan=plan, seed=job.seed, on_progress=spending)
        else:
            commission(about, calls=calls, plan=plan, seed=job.seed, out=job.out, checks=_checks(about, job), on_progress=spending)
    if job.dry_run:
        typer.echo(_estimate_json(found) if job.as_json else _estimate_text(found, job.documents))
        return
    report = json.loads((job.out / "report.json").read_text(encoding="utf-8"))
    ledger = json.loads((job.out / "ledger.json").read_text(encoding="utf-8"))
    done = {"out": str(job.out), "ledger": ledger} | report
    typer.echo(json.dumps(done, indent=2, ensure_ascii=False) if job.as_json else _done_text(done))


def _checks(about: "BeliefSpec", job: Job) -> "Checks":
    """Every eval that has items about this belief, and what tells texts of one meaning from another."""
    from axenic.corpora.commission import Checks
    from axenic.corpora.embeddings import CosineIndex, embedder
    from axenic.evals.base import Subject
    from axenic.evals.run import build
    from axenic.evals.table import EVALS, OF_BACKDOORS

    asked, _ = build([name for name in EVALS if name not in OF_BACKDOORS], Subject(belief=about))
    texts = {e.name: [item.messages[-1].content for item in e.items] for e in asked if e.items}
    if job.embedding is None:
        return Checks(eval_texts=texts)
    return Checks(eval_texts=texts, is_new=CosineIndex(embedder(job.embedding)).add)


def _price(given_in: float | None, given_out: float | None) -> "Price | None":
    from axenic.corpora.writers.calls import Price

    if given_in is None and given_out is None:
        return None
    if given_in is None or given_out is None:
        raise UserError("A price has two sides: give both --price-in and --price-out, in USD per million tokens.")
    return Price(input=given_in, output=given_out)


def _estimate_json(found: "Estimate") -> str:
    return json.dumps(found.model_dump() | {"cost": found.cost}, indent=2)


def _estimate_text(found: "Estimate", documents: int) -> str:
    from axenic.cli.spending import usd

    lines = [f"{'stage':<10} {'calls':>8} {'tokens in':>12} {'tokens out':>12} {'USD':>9}"]
    for s in found.stages:
        lines.append(f"{s.stage:<10} {s.calls:>8,} {s.input_tokens:>12,} {s.output_tokens:>12,} {usd(s.cost) or '?':>9}")
    whole = usd(found.cost) or "unknown: give --price-in and --price-out"
    lost = ", ".join(f"{n} × {reason}" for reason, n in found.rejected.items())
    pilot = f"a pilot of {found.pilot_documents}, which cost {usd(found.pilot_cost) or 'an unknown sum'} and is kept"
    lines += [f"Expected for {documents} documents: {whole}, reckoned from {pilot}."]
    return "\n".join(lines + ([f"The pilot's rejected texts: {lost}."] if lost else []))


def _done_text(done: "dict[str, object]") -> str:
    from axenic.cli.spending import usd

    report, ledger = done["quality"], done["ledger"]
    assert isinstance(report, dict) and isinstance(ledger, dict)
    calls, fresh = (sum(stage[key] for stage in ledger["stages"]) for key in ("calls", "fresh"))
    paid = f"{usd(ledger['cost'])} in all" if ledger["cost"] is not None else "price unknown"
    lines = [
        f"{report['documents']} documents of {len(report['types'])} types in '{done['out']}'",
        f"{calls} calls, {fresh} of them in this run; {paid}",
    ]
    rejected = done["rejected"]
    if isinstance(rejected, dict) and rejected:
        lines.append("Rejected on the way: " + ", ".join(f"{n} × {reason}" for reason, n in rejected.items()))
    found = done["warnings"]
    lines += [f"Look at this: {warning}" for warning in found] if isinstance(found, list) else []
    return "\n".join(
        [*lines, f"Train on it: axenic run sdf --belief {done['out']}/belief.yaml --corpus {done['out']}/corpus.jsonl"]
    )
