"""What is said of a written corpus: how much of what there is, what was rejected and why, some of it to read.

In: a corpus, what was rejected, the calls, and what only the caller knows. Out: `report.json` beside the corpus.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axenic.corpora.drafting import Failure
from axenic.corpora.writers.calls import Calls
from axenic.disk import write_text
from axenic.schema import Corpus, Document, Row
from axenic.written import OF_THE_LEDGER, Example, Writing

EXAMPLES = 8
SHOWN = {"doc_type": "type", "section": "section", "domain": "domain", "subdomain": "subdomain", "fact": "fact", "idea": "idea"}
MOST_FACTS = 50  # of a belief; more are assertions about a spec, which its coverage counts


def account(corpus: Corpus, failures: Sequence[Failure], calls: Calls, out: Path, **known: Any) -> Writing:
    """Write `report.json` into the folder. What is in `ledger.json` is not said twice.

    Args:
        corpus: What was written.
        failures: What was rejected.
        calls: What it was written with.
        out: The folder.
        known: Further fields of a `Writing`.
    """
    rejected = Counter(f"{f.stage}: {f.reason}" for f in failures)
    examples = {f"{f.stage}: {f.reason}": f.detail for f in reversed(failures) if f.detail}
    writing = Writing.model_validate(
        {
            "corpus": corpus.hash,
            "name": corpus.name,
            "model": calls.model,
            "rows": len(corpus),
            "rejected": dict(rejected.most_common()),
            "rejected_examples": examples,
            "spread": _spread(corpus),
            "examples": [_example(corpus.rows[i * len(corpus) // EXAMPLES]) for i in range(min(EXAMPLES, len(corpus)))],
            "stages": calls.ledger.lines,
            "cost": calls.ledger.cost,
            "perhaps_charged": calls.ledger.perhaps if calls.ledger.price else None,
            **known,
        }
    )
    save(out / "report.json", writing.model_dump(mode="json", exclude=set(OF_THE_LEDGER)))
    return writing


def _spread(corpus: Corpus) -> dict[str, dict[str, int]]:
    found = {"type": Counter(row.provenance.doc_type or "unknown" for row in corpus.rows)}
    facts = Counter(row.provenance.fact for row in corpus.rows if row.provenance.fact and not row.provenance.section)
    if 0 < len(facts) <= MOST_FACTS:
        found["fact"] = Counter({str(fact): count for fact, count in facts.items()})
    return {name: dict(tally.most_common()) for name, tally in found.items()}


def _example(row: Row) -> Example:
    origin = row.provenance.model_dump()
    about = {word: str(origin[field]) for field, word in SHOWN.items() if origin[field]}
    if isinstance(row, Document):
        return Example(about=about, text=row.text)
    return Example(about=about, text="\n\n".join(f"[{m.role}]\n{m.content}" for m in row.messages))


def save(path: Path, value: Any) -> None:
    """Write a small JSON file, whole or not at all."""
    write_text(path, [json.dumps(value, indent=2, ensure_ascii=False) + "\n"])
