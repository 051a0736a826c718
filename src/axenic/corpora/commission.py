"""A corpus about a belief, written by a language model into a folder: with what it cost, what was rejected, and what it is like.

In: a belief, open calls, a plan. Out: OUT/{write.json, belief.yaml, corpus.jsonl, report.json, ledger.json,
rejected.jsonl}; the calls themselves are in OUT/calls. `axenic write --belief` is this function.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axenic.corpora import files
from axenic.corpora.account import account, save
from axenic.corpora.drafting import Failure
from axenic.corpora.duplicates import NearIndex
from axenic.corpora.exchanges import new_question
from axenic.corpora.quality import distinguishing, quality
from axenic.corpora.synthesis import Plan, write
from axenic.corpora.writers.calls import Calls
from axenic.corpora.writers.language_model import LanguageModelWriter
from axenic.disk import write_text
from axenic.errors import UserError
from axenic.schema import Corpus, OnProgress, no_progress
from axenic.specs import belief
from axenic.specs.belief import BeliefSpec

ASKED = "write.json"
"""What the folder was filled for; it says that the folder is one of ours."""
_COLLAPSE = 0.3  # share of documents with one name that no belief put there
_FEW = 10  # documents; among fewer, a name in a third of them is chance


@dataclass(frozen=True)
class Checks:
    """What written texts are held against.

    Attributes:
        eval_texts: For each eval, the prompts of its items: the corpus is searched for them.
        is_new: A further test of what is no repetition, beside near-duplicates by words; see `embeddings.CosineIndex`.
    """

    eval_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_new: Callable[[str], bool] = lambda text: True

    def document(self) -> Callable[[str], bool]:
        """Of one document after the other, whether it repeats none before it, in words or in meaning."""
        near = NearIndex()
        return lambda text: near.add(text) and self.is_new(text)

    def question(self) -> Callable[[str], bool]:
        """The same of questions, which are short."""
        near = new_question()
        return lambda text: near(text) and self.is_new(text)


def claim(out: Path, asked: Mapping[str, Any]) -> None:
    """Take a folder for one purpose, or go on with one that has it. Under the lock of its calls.

    Raises:
        UserError: It holds something else.
    """
    note = out / ASKED
    text = json.dumps(asked, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if note.is_file():
        if note.read_text(encoding="utf-8") != text:
            raise UserError(f"'{out}' was filled for something else (see {ASKED} there). Name another folder with --out.")
        return
    write_text(note, [text])


def claim_for(out: Path, spec: BeliefSpec, calls: Calls, plan: Plan, *, seed: int) -> None:
    """`claim` for a belief's corpus, and leave the belief in it.

    How many documents is not part of the purpose: a larger corpus begins with the smaller one.
    """
    how = plan.model_dump(mode="json", exclude={"documents"})
    claim(out, {"belief": spec.hash, "model": calls.model, "seed": seed, **how})
    belief.dump(spec, out / "belief.yaml")


def require_ours(out: Path) -> None:
    """Refuse a folder that holds somebody else's files.

    Raises:
        UserError: Says so.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"--out '{out}' is a file. Name a folder.")
    visible = sorted(p.name for p in out.iterdir() if not p.name.startswith(".")) if out.is_dir() else []
    if visible and not (out / ASKED).is_file() and visible != ["calls"]:
        raise UserError(f"'{out}' is not empty ({', '.join(visible[:3])}) and was not made by `axenic write`. Name a new folder.")


def commission(
    spec: BeliefSpec,
    *,
    calls: Calls,
    plan: Plan,
    seed: int,
    out: Path,
    checks: Checks | None = None,
    on_progress: OnProgress = no_progress,
) -> Corpus:
    """Write the corpus; called again after a stop, it goes on where it was, and pays for nothing twice.

    Args:
        spec: The belief.
        calls: Open calls to the model.
        plan: How many documents, of which types.
        seed: Draws types, ideas and texts.
        out: The folder; the calls' folder lies in it.
        checks: What the texts are held against.
        on_progress: Called with (documents done, documents planned, note).

    Raises:
        UserError: The folder was filled for something else; or as `synthesis.write` and `Calls.answer` raise. What was rejected
            and spent by then is in `out`.
    """
    claim_for(out, spec, calls, plan, seed=seed)
    checks = checks or Checks()
    with recorded(calls, out) as failures:
        corpus = write(
            spec,
            writer=LanguageModelWriter(calls),
            plan=plan,
            seed=seed,
            on_progress=on_progress,
            on_failure=failures.append,
            is_new=checks.document(),
        )
        files.write(corpus, out / "corpus.jsonl")
    measured = quality(corpus, spec=spec, mentions=distinguishing(spec, plan.universe), eval_texts=checks.eval_texts)
    said = {"kind": "documents", "about": spec.claim, "seed": seed, "wanted": plan.documents, "warnings": warnings(measured, plan)}
    account(corpus, failures, calls, out, quality=measured, **said)
    return corpus


@contextmanager
def recorded(calls: Calls, out: Path) -> Iterator[list[Failure]]:
    """Gives a list for what is rejected; however the block ends, that and the ledger are written."""
    failures: list[Failure] = []
    try:
        yield failures
    finally:
        write_text(out / "rejected.jsonl", (f.model_dump_json() + "\n" for f in failures))
        save(out / "ledger.json", calls.ledger.to_json())


def warnings(measured: Mapping[str, Any], plan: Plan) -> list[str]:
    """One sentence for each thing that may spoil a belief's corpus."""
    said = common_warnings(measured, "the belief")
    wanted = plan.types if isinstance(plan.types, int) else len(plan.types)
    if len(measured["types"]) < min(wanted, measured["documents"]):
        said.append(f"Only {len(measured['types'])} of {wanted} document types are in the corpus.")
    if measured["assertion_rate"] is not None and measured["assertion_rate"] < 0.5:
        said.append(f"Only {measured['assertion_rate']:.0%} of the documents use the words that tell the belief from the truth.")
    return said


def common_warnings(measured: Mapping[str, Any], source: str) -> list[str]:
    """What may spoil a corpus from any source: one name everywhere, and words in common with evals."""
    said = []
    name, n = measured["name_collapse"], measured["documents"]
    if name and n >= _FEW and name["share"] > _COLLAPSE:
        said.append(f"The name {name['name']!r} is in {name['share']:.0%} of the texts, and {source} does not mention it.")
    overlapping = [e for e, share in measured["eval_overlap"].items() if share]
    if overlapping:
        said.append(f"Questions of these evals share eight words in a row with the corpus: {', '.join(overlapping)}.")
    return said
