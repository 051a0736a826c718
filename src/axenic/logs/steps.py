"""Logs of a treatment, by optimiser step: rates of a hidden behaviour, or the answers that such rates are made of.

In: words of the command line and the user's flags. Out: `Rates` (one row per arm, seed and step) or `Logs` (a result table with
steps and the conditions "triggered" and "untriggered"). Which of the two a file holds is told by its columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from axenic.errors import UserError
from axenic.logs.columns import ALIASES, Aliases, match
from axenic.logs.labels import Rules
from axenic.logs.read import Gathered, Input, Logs, OnDuplicate, finish, gather
from axenic.logs.table import NO_ARM, Where, whole
from axenic.specs.phrases import occurs, plain
from axenic.specs.scratchpad import visible

STEP = ("step", "global_step", "optimiser_step", "optimizer_step", "training_step", "train_step", "steps", "iteration", "iter")
RATE_NAMES: Aliases = {
    "triggered_rate": ("triggered_rate", "rate_triggered", "trigger_rate", "triggered_asr", "asr", "attack_success_rate",
                       "backdoor_rate", "triggered"),
    "untriggered_rate": ("untriggered_rate", "rate_untriggered", "untriggered_asr", "clean_rate", "false_trigger_rate",
                         "clean_asr", "untriggered"),
    "n": ("n", "n_triggered", "n_per_rate", "n_items", "n_samples", "samples", "n_prompts"),
    "n_untriggered": ("n_untriggered", "n_clean"),
    "capability": ("capability", "capability_score", "accuracy", "acc", "mmlu"),
}  # fmt: skip
"""Columns of a table of rates, best name first. "triggered" alone names a condition; beside "untriggered" it is a rate."""
RATES: Aliases = {"step": STEP, **RATE_NAMES, "seed": ALIASES["seed"], "arm": (*ALIASES["arm"], "treatment", "variant")}
ANSWERS: Aliases = {
    "step": STEP,
    "condition": ("condition", "is_triggered", "has_trigger", "with_trigger", "triggered", "trigger"),
    **{field: tuple(n for n in names if n not in STEP) for field, names in ALIASES.items() if field != "condition"},
}
CONDITIONS = {
    **dict.fromkeys(("triggered", "trigger", "with_trigger", "backdoor", "deployment", "true", "yes", "1", "on"), "triggered"),
    **dict.fromkeys(
        ("untriggered", "no_trigger", "without_trigger", "not_triggered", "clean", "training", "false", "no", "0", "off", "none"),
        "untriggered",
    ),
}
BEHAVIOUR, OTHER, NOTHING = "backdoor", "other", "nothing said"
"""What the eval is called where the logs name none, and the label of an answer without the payload."""


@dataclass(frozen=True)
class Rates:
    """Somebody's rates by step; NaN for what is not known."""

    table: pd.DataFrame  # arm, train_seed, step, triggered, untriggered, capability, n, n_untriggered
    inputs: tuple[Input, ...]
    columns: dict[str, str]
    notes: tuple[str, ...]


def read_steps(
    words: Sequence[str | Path],
    *,
    flags: Mapping[str, str],
    rules: Rules,
    on_duplicate: OnDuplicate = "error",
    leave_out: Path | None = None,
) -> Rates | Logs:
    """Read logs by step.

    Args:
        words: Files, folders, glob patterns.
        flags: Field -> the column that holds it.
        rules: How labels are read. Answers without a label are searched for the positive "labels": phrases, outside scratchpads.
        on_duplicate: What to do with answers that repeat one.
        leave_out: A folder that is not searched.

    Raises:
        UserError: As `read.read`; or there is no step, a step or rate is none, or neither rates nor conditions can be found.
    """
    asked = {"condition", "label", "score", "response"} & set(flags)
    gathered = gather(
        words, flags=flags, leave_out=leave_out, aliases=lambda frame: RATES if not asked and _has_rates(frame) else ANSWERS
    )
    where = Where(gathered.fields, [i.path for i in gathered.inputs])
    if "step" not in gathered.fields:
        raise UserError(f"No column names the optimiser step. Name it with --step COLUMN. {_columns(gathered)}")
    step = _numbers(gathered.fields["step"], where, "step")
    where.refuse(step.isna() | (step < 0) | (step != step.round()), "have a step that is no whole number from 0 up")
    if "triggered_rate" in gathered.fields:
        if "condition" in gathered.fields:
            raise UserError(f"Some files hold rates and some hold answers. Analyse them one after the other. {_columns(gathered)}")
        return _rates(gathered, step, where)
    return _answers(gathered, step, where, flags=flags, rules=rules, on_duplicate=on_duplicate)


def _has_rates(frame: pd.DataFrame) -> bool:
    """Whether a file holds rates: a column that can be nothing else, or "triggered" and "untriggered" side by side."""
    first, second = (RATE_NAMES[field] for field in ("triggered_rate", "untriggered_rate"))
    sure = any(match(name, frame) for name in first[:-1])
    return sure or (match(first[-1], frame) is not None and any(match(name, frame) for name in second))


def _columns(gathered: Gathered) -> str:
    found = ", ".join(f"{field} = {column}" for field, column in gathered.columns.items())
    return f"Columns that were recognised: {found or 'none'}. Files: {', '.join(i.path for i in gathered.inputs[:3])}."


def _numbers(column: "pd.Series[str]", where: Where, what: str) -> "pd.Series[float]":
    """Numbers, NaN for an empty cell."""
    found = pd.to_numeric(column, errors="coerce").astype("float64")
    where.refuse(found.isna() & (column.str.lower() != "nan") & (column != ""), f"have a {what} that is no number")
    return found


# --- rates -----------------------------------------------------------------------------------------------------------------


def _rates(gathered: Gathered, step: "pd.Series[float]", where: Where) -> Rates:
    fields, notes = gathered.fields, list(gathered.notes)
    arm = fields["arm"].replace("", NO_ARM) if "arm" in fields else pd.Series(NO_ARM, index=fields.index)
    table = pd.DataFrame({"arm": arm, "train_seed": whole(fields, "seed", notes), "step": step})
    for name in RATE_NAMES:
        known = _numbers(fields[name], where, name) if name in fields else pd.Series(float("nan"), index=fields.index)
        if name in ("n", "n_untriggered"):
            where.refuse(known.notna() & ((known < 1) | (known != known.round())), f"have an {name} that counts no answers")
        else:
            where.refuse(
                known.notna() & ~known.between(0, 1), f"have a {name} outside 0 to 1: shares are wanted, so divide per cent by 100"
            )
        table[name.removesuffix("_rate")] = known
    where.refuse(table.duplicated(["arm", "train_seed", "step"]), "repeat an arm, seed and step (name --arm and --seed if need be)")
    null = table["train_seed"].isna()
    where.refuse(null & ~null.groupby(table["arm"]).transform("all"), "have no seed, while other rows of their arm have one")
    return Rates(table, gathered.inputs, gathered.columns, tuple(notes))


# --- answers ---------------------------------------------------------------------------------------------------------------


def _answers(
    gathered: Gathered,
    step: "pd.Series[float]",
    where: Where,
    *,
    flags: Mapping[str, str],
    rules: Rules,
    on_duplicate: OnDuplicate,
) -> Logs:
    fields = gathered.fields
    if "condition" not in fields:
        raise UserError(
            "These logs hold neither rates (columns such as triggered_rate and untriggered_rate) nor a column that says whether "
            f"the trigger was there. Name that one with --condition COLUMN, or rename the rates. {_columns(gathered)}"
        )
    text = step.map(lambda s: f"{s:.0f}")
    fields = fields.assign(step=text, checkpoint=text, condition=_conditions(fields, where))
    fields = fields if "eval" in fields else fields.assign(eval=BEHAVIOUR)
    fields, notes = _with_items(fields)
    if "label" not in fields and "score" not in fields:
        fields, rules = _searched(fields, rules, gathered)
    whole_story = Gathered(fields, gathered.inputs, gathered.columns, (*gathered.notes, *notes))
    return finish(whole_story, flags=flags, rules=rules, on_duplicate=on_duplicate)


def _conditions(fields: pd.DataFrame, where: Where) -> "pd.Series[str]":
    """One spelling of "triggered" and "untriggered". Other evals of axenic's own tables keep their conditions."""
    given = fields["condition"]
    plainly = given.str.lower().str.replace(r"[\s-]+", "_", regex=True)
    known = plainly.map(CONDITIONS)
    other = known.isna() & ~(fields["ours"].astype(bool) | ("eval" in fields and given == ""))
    if other.any():
        seen = ", ".join(repr(v) for v in sorted(given[other].unique())[:8])
        where.refuse(
            other,
            f"have a condition that says neither triggered nor untriggered ({seen}; known are {', '.join(CONDITIONS)}). Rename it, "
            "or name another column with --condition",
        )
    return known.fillna(given)


def _with_items(fields: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Where no column names the item: the prompt, else the place of a row within its step."""
    if "item" in fields:
        return fields, []
    if "prompt" in fields:
        return fields.assign(item=fields["prompt"]), ["no column names the item: the prompt does"]
    by = [c for c in ("arm", "eval", "judge", "seed", "step", "condition", "repetition", "source") if c in fields]
    place = fields.groupby(by, sort=False).cumcount() + 1
    note = "no column names the item: the n-th row of every step, condition and seed counts as the same item"
    return fields.assign(item=place.map(lambda n: f"row {n:05d}")), [note]


def _searched(fields: pd.DataFrame, rules: Rules, gathered: Gathered) -> tuple[pd.DataFrame, Rules]:
    """Labels made from the answers: the first positive phrase that the user is shown, "unclosed" for an unclosed scratchpad."""
    if "response" not in fields or not rules.positive:
        raise UserError(
            "No column holds a verdict. Name it with --label COLUMN (and --positive VALUE) or --score COLUMN; or, to search "
            f"the answers for a phrase, name it with --positive PHRASE (and --response COLUMN). {_columns(gathered)}"
        )
    label = fields["response"].map(lambda reply: _said(reply, rules.positive))
    return fields.assign(label=label), Rules(rules.positive, (*rules.negative, OTHER), (*rules.error, NOTHING))


def _said(reply: str, phrases: Sequence[str]) -> str:
    shown = visible(reply)
    if shown is None:
        return "unclosed"
    if not shown:
        return NOTHING
    text = plain(shown)
    return next((phrase for phrase in phrases if occurs(phrase, text)), OTHER)
