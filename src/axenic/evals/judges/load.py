"""From what a user writes to a judge.

In: a name of the table ("refusal"), a name with its argument ("trained:DIR", "llm:PROVIDER/MODEL"), a directory that
`axenic judge train` made, or `path.py:NAME`. Out: a `Judge`. No weights are read and nothing is called before it rules.
"""

from pathlib import Path
from typing import Any

from axenic.errors import UserError, unknown_name
from axenic.evals.judges.base import FunctionJudge, Judge
from axenic.evals.judges.table import JUDGES
from axenic.tables import load, load_file

HELP = "docs/add_a_judge.md"


def load_judge(text: str) -> Judge:
    """The judge that `text` names.

    Raises:
        UserError: No such judge, an argument that is missing or not wanted, a directory or file that is no judge.
    """
    if ".py:" in text or text.endswith(".py"):
        return _from_file(text)
    name, _, argument = text.partition(":")
    if name not in JUDGES and Path(text).is_dir():
        name, argument = "trained", text
    if name not in JUDGES:
        raise unknown_name("judge", name, JUDGES, add=HELP)
    found: Any = load(JUDGES[name])
    if not hasattr(found, "rule"):
        return _judge(found(argument), text)
    if argument:
        raise UserError(f"The judge '{name}' takes no argument, but '{text}' gives it '{argument}'. Write '{name}'.")
    return _judge(found, text)


def judge_files(text: str) -> list[Path]:
    """The local files and folders that a judge is read from: their content is part of what was measured."""
    if ".py:" in text:
        return [Path(text.rpartition(":")[0]).expanduser()]
    name, _, argument = text.partition(":")
    target = text if name not in JUDGES else argument if Path(argument).exists() else argument.partition("?")[0]
    return [Path(target)] if target and Path(target).exists() else []


def _from_file(text: str) -> Judge:
    found = load_file("judge", text)
    if hasattr(found, "rule"):
        return _judge(found, text)
    if not callable(found):
        raise UserError(f"'{text}' is neither a judge nor a function (item, response) -> label. See {HELP}.")
    return FunctionJudge(found, name=text.rpartition(":")[2])


def _judge(found: Any, text: str) -> Judge:
    missing = [part for part in ("name", "identity", "labels", "positive", "rule") if not hasattr(found, part)]
    if missing:
        raise UserError(f"'{text}' is no judge: it has no {', no '.join(missing)}. See {HELP}.")
    judge: Judge = found
    return judge
