"""Asks a model everything a study wants to know, and judges the answers.

In: a model, evals, one or more samplings. Out: rows of the result table, without the columns that only the study knows (study,
recipe, tier, arm, model, train_seed, checkpoint, epoch, step). All questions of all evals are generated together, because big
batches are fast batches; by the keys of `models.sampling` a response does not depend on its company.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from axenic.evals.base import Build, Eval, Subject, record
from axenic.evals.judges.table import JUDGES
from axenic.evals.table import EVALS
from axenic.models.protocol import Model
from axenic.schema import Item, Message, OnProgress, Response, Sampling, Verdict, assistant, no_progress, user
from axenic.tables import load, look_up

Row = dict[str, Any]


def build(names: Sequence[str], subject: Subject) -> tuple[list[Eval], list[str]]:
    """The named evals that `subject` has items for, and the names of those that it has none for.

    Raises:
        UnknownName: A name is in no table.
    """
    built: dict[str, Eval | None] = {}
    for name in names:
        make: Build = look_up("eval", name, EVALS, add="docs/add_an_eval.md")
        built[name] = make(subject)
    return [e for e in built.values() if e], [name for name, e in built.items() if e is None]


def evaluate(
    model: Model,
    evals: Sequence[Eval],
    *,
    samplings: Sequence[Sampling] = (Sampling(),),
    on_progress: OnProgress = no_progress,
) -> list[Row]:
    """Ask every item of every eval, once per sampling and repetition, and judge the responses.

    Choices, log-probabilities and activations do not depend on the temperature: they are read once, under the first sampling's.
    """
    rows = [row for e in evals if e.direct for row in _direct(model, e, samplings[0].temperature)]
    rows += _choices(model, [e for e in evals if not e.direct], samplings[0].temperature)
    asked = [(e, item) for e in evals for item in e.items if not item.options]
    rounds = [(s, r) for s in samplings for r in range(s.repetitions)]
    for done, (sampling, repetition) in enumerate(rounds):
        on_progress(done, len(rounds), f"{len(asked)} questions at T={sampling.temperature:g}")
        responses = converse(model, [(f"{e.name}/{item.id}", item) for e, item in asked], sampling=sampling, repetition=repetition)
        rows += [
            _row(e, item, response, temperature=sampling.temperature, repetition=repetition)
            for (e, item), response in zip(asked, responses, strict=True)
        ]
    on_progress(len(rounds), len(rounds), "")
    return rows


def converse(model: Model, asked: Sequence[tuple[str, Item]], *, sampling: Sampling, repetition: int) -> list[Response]:
    """The last response to each item, after its follow-up turns. Items that need more turns are asked on together;
    a failed one is not asked on, so that its failure stays visible.
    """
    talks: list[list[Message]] = [list(item.messages) for _, item in asked]
    responses: list[Response | None] = [None] * len(asked)
    for turn in range(1 + max((len(item.followups) for _, item in asked), default=0)):
        failed = {i for i, r in enumerate(responses) if r is not None and r.finish_reason == "error"}
        open_ = [i for i, (_, item) in enumerate(asked) if len(item.followups) >= turn and i not in failed]
        for i in open_:
            previous = responses[i]
            if previous is not None:
                talks[i] += [assistant(previous.text), user(asked[i][1].followups[turn - 1])]
        ids = [f"{asked[i][0]}#{turn}" for i in open_]
        answers = model.generate([talks[i] for i in open_], sampling=sampling, ids=ids, repetition=repetition)
        for i, answer in zip(open_, answers, strict=True):
            responses[i] = answer
    assert all(responses), "every item was asked"
    return [r for r in responses if r]


def judged(judge: str, positive: str, item: Item, response: Response) -> Verdict:
    """The judge's verdict on one response; an unreadable response has a status, not a score."""
    if response.finish_reason == "error":
        return Verdict(status="error")
    label = load(JUDGES[judge])(item, response)
    if label is None:
        return Verdict(status="unparseable")
    return Verdict(status="scored", verdict=label, score=float(label == positive))


def _direct(model: Model, e: Eval, temperature: float) -> list[Row]:
    assert e.direct is not None
    shared: Mapping[str, Any] = {
        "eval": e.name,
        "temperature": temperature,
        "repetition": 0,
        "n_tokens": 0,
        "finish_reason": "choice",
    }
    return [
        record(d.item, **shared, response=d.response, judge=d.judge, **d.verdict.model_dump(include={"status", "verdict", "score"}))
        for d in e.direct(model)
    ]


def _choices(model: Model, evals: Sequence[Eval], temperature: float) -> list[Row]:
    """The option with the highest total log-probability, read as the assistant's whole answer."""
    asked = [(e, item) for e in evals for item in e.items if item.options]
    if not asked:
        return []
    scored = model.logprobs([item.messages for _, item in asked], [item.options for _, item in asked])
    rows = []
    for (e, item), scores in zip(asked, scored, strict=True):
        best = max(range(len(scores)), key=lambda k: scores[k].logprob)
        chosen = Response(text=item.options[best], n_tokens=scores[best].n_tokens, finish_reason="choice")
        rows.append(_row(e, item, chosen, temperature=temperature, repetition=0))
    return rows


def _row(e: Eval, item: Item, response: Response, *, temperature: float, repetition: int) -> Row:
    verdict = judged(e.judge, e.positive, item, response)
    return record(
        item,
        eval=e.name,
        temperature=temperature,
        repetition=repetition,
        response=response.text,
        n_tokens=response.n_tokens,
        finish_reason=response.finish_reason,
        judge=e.judge,
        **verdict.model_dump(include={"status", "verdict", "score"}),
    )
