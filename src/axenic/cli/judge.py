"""`axenic judge`: train a judge on labelled answers, and measure how far a judge agrees with people.

In: a file of answers that people labelled, with its columns named by flags. Out: a judge's directory; kappa, agreement, confusion
and the judge's bias, overall and per model and category, as text or JSON.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from axenic.cli import options
from axenic.errors import UserError

if TYPE_CHECKING:
    from axenic.evals.judges.classifier.train import Trained
    from axenic.findings import Agreement

app = typer.Typer(help="Train and validate judges on answers that people labelled.", no_args_is_help=True)

Answers = Annotated[Path, typer.Argument(metavar="LABELLED", help="CSV, JSONL or Parquet with one labelled answer per row.")]
Response = Annotated[str, typer.Option(help="The column that holds the answers.", metavar="COL")]
Label = Annotated[str, typer.Option(help="The column that holds people's labels.", metavar="COL")]
Prompt = Annotated[str, typer.Option(help="The column that holds what was asked.", metavar="COL")]
Positive = Annotated[
    list[str], typer.Option(help="A label that is positive, of compliance or of refusal; all others are negative.", metavar="VALUE")
]
Verdict = Annotated[
    str, typer.Option(help="What the judge says of a positive answer; default: read off the labels' names.", metavar="LABEL")
]


@app.command()
def train(
    labelled: Answers,
    *,
    response: Response,
    label: Label,
    positive: Positive,
    out: Annotated[Path, typer.Option(help="Where the judge is written; 'trained:DIR' is then its name.", metavar="DIR")],
    prompt: Prompt = "",
    group: Annotated[str, typer.Option(help="A column, e.g. the model: each of its values is held out.", metavar="COL")] = "",
    positive_verdict: Verdict = "",
    as_json: options.Json = False,
) -> None:
    """Train a judge on labelled answers: TF-IDF, signs of refusal and logistic regression; no language model."""
    from axenic.evals.judges.classifier import labelled as files
    from axenic.evals.judges.classifier.labels import meaning
    from axenic.evals.judges.classifier.train import train as fit

    _require_free(out)
    data = files.read(labelled, files.Columns(response=response, label=label, prompt=prompt, model=group))
    trained = fit(data, meaning(data.labels, positive, verdict=positive_verdict), groups=data.models)
    trained.save(out)
    typer.echo(json.dumps(_trained_json(trained, out), indent=2) if as_json else _trained_text(trained, out))


@app.command()
def validate(
    judge: Annotated[str, typer.Argument(metavar="JUDGE_OR_DIR", help="A name of `axenic list judges`, or a trained directory.")],
    labelled: Answers,
    *,
    response: Response,
    label: Label,
    positive: Positive,
    prompt: Prompt = "",
    model: Annotated[str, typer.Option(help="A column: report the judge's bias for each model.", metavar="COL")] = "",
    category: Annotated[str, typer.Option(help="A column: report the judge's bias for each category.", metavar="COL")] = "",
    positive_verdict: Verdict = "",
    as_json: options.Json = False,
) -> None:
    """Compare a judge with people: kappa, agreement, confusion, and its bias by model and by category."""
    from axenic.evals.judges.classifier import labelled as files
    from axenic.evals.judges.classifier.validate import validate as compare
    from axenic.evals.judges.load import load_judge

    columns = files.Columns(response=response, label=label, prompt=prompt, model=model, category=category)
    found = compare(load_judge(judge), files.read(labelled, columns), positive=positive, verdict=positive_verdict)
    if not as_json:
        typer.echo(_validated_text(found.judge, found.overall, found.by_model, found.by_category, found.read_as))
        return
    whole = _numbers(found.overall) | {"judge": found.judge, "read_as": found.read_as, "statuses": found.statuses}
    parts = {"by_model": [_numbers(a, "model") for a in found.by_model], "by_category": [_numbers(a) for a in found.by_category]}
    typer.echo(json.dumps(whole | parts, indent=2, ensure_ascii=False))


def _require_free(out: Path) -> None:
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "judge.json").is_file()):
        raise UserError(f"--out '{out}' exists and is no judge's directory. Name a new or empty folder.")


def _numbers(found: "Agreement", group: str = "category") -> dict[str, Any]:
    """An agreement as JSON; the group's name under `group` where there is one."""
    keys = (
        "kappa",
        "kappa_low",
        "kappa_high",
        "agreement",
        "agreement_low",
        "agreement_high",
        "confusion",
        "n",
        "prevalence",
        "bias",
    )
    numbers = {key: getattr(found, key) for key in (*keys, "bias_low", "bias_high", "level", "note")}
    name = found.arm if group == "model" else found.category
    return ({group: name} if name is not None else {}) | numbers


def _trained_json(trained: "Trained", out: Path) -> dict[str, Any]:
    meaning = trained.meaning
    return {
        "out": str(out),
        "labels": {meaning.positive: list(meaning.positive_values), meaning.negative: list(meaning.negative_values)},
        "counts": trained.counts,
        "skipped": trained.skipped,
        "held_out": trained.held_out,
        **_numbers(trained.overall),
        "by_group": [_numbers(a.model_copy(update={"category": a.arm})) for a in trained.by_group],
    }


def _trained_text(trained: "Trained", out: Path) -> str:
    meaning = trained.meaning
    lines = [f"{value}: {n} answers, read as '{meaning.of(value)}'" for value, n in trained.counts.items()]
    lines += [f"{trained.skipped} empty answers were left out"] if trained.skipped else []
    lines += [f"On held-out answers ({trained.held_out}): {_line(trained.overall)}"]
    lines += [f"  {found.arm}: {_line(found)}" for found in trained.by_group]
    return "\n".join(
        [*lines, f"Wrote '{out}'. Use it as judge 'trained:{out}'; `axenic judge validate {out} FILE ...` measures it."]
    )


def _validated_text(
    judge: str, overall: "Agreement", models: "tuple[Agreement, ...]", categories: "tuple[Agreement, ...]", read_as: str
) -> str:
    lines = [f"{judge} against people: {_line(overall)}", f"({read_as})"]
    lines += [f"  judge|people {cell}: {n}" for cell, n in overall.confusion.items()]
    lines += [f"  model {found.arm}: {_line(found)}" for found in models]
    lines += [f"  category {found.category}: {_line(found)}" for found in categories]
    return "\n".join(lines + ([f"Note: {overall.note}"] if overall.note else []))


def _line(found: "Agreement") -> str:
    kappa = _interval(found.kappa, found.kappa_low, found.kappa_high)
    bias = _interval(found.bias, found.bias_low, found.bias_high, sign="+")
    agreement = _interval(found.agreement, found.agreement_low, found.agreement_high)
    return f"kappa {kappa}, agreement {agreement}, bias {bias}, n = {found.n}"


def _interval(value: float | None, low: float | None, high: float | None, *, sign: str = "") -> str:
    if value is None:
        return "not estimable"
    return f"{value:{sign}.3f}" + ("" if low is None or high is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]")
