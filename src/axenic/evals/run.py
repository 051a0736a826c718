"""Asks a model everything a study wants to know, and judges the answers.

In: a model, evals, one or more samplings. Out: rows of the result table, without the columns that only the study knows (study,
recipe, tier, arm, model, train_seed, checkpoint, epoch, step). All questions of all evals are generated together, because big
batches are fast batches; by the keys of `models.sampling` a response does not depend on its company.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from axenic.errors import UserError, unknown_name
from axenic.evals.base import Build, Eval, Subject, record
from axenic.evals.judges.base import Judge, verdicts
from axenic.evals.judges.load import load_judge
from axenic.evals.table import EVALS
from axenic.models.protocol import Model
from axenic.schema import Item, Message, OnProgress, Response, Sampling, Verdict, assistant, no_progress, user
from axenic.tables import look_up

Row = dict[str, Any]


class Answer(NamedTuple):
    """One response, where it came from, before anybody judged it."""

    eval: Eval
    item: Item
    response: Response
    temperature: float
    repetition: int


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
    judges: Mapping[str, Sequence[str]] = MappingProxyType({}),
    on_progress: OnProgress = no_progress,
) -> list[Row]:
    """Ask every item of every eval, once per sampling and repetition, and judge the responses.

    Choices, log-probabilities and activations do not depend on the temperature: they are read once, under the first sampling's.

    Args:
        model: Who is asked.
        evals: What is asked.
        samplings: How answers are drawn.
        judges: Further judges of an eval's responses, by the eval's name ("*" = every eval that is answered in words); each adds a
            row per response. Names as in `judges.load`.
        on_progress: Told after each round.

    Raises:
        UserError: A judge cannot be loaded, or `judges` names an eval that is not asked. Nothing has been generated then.
    """
    panels = {e.name: _panel(e, judges) for e in evals}
    _require_known(judges, evals)
    for judge in {judge.name: judge for panel in panels.values() for judge in panel}.values():
        judge.rule([], [])  # what it needs (weights, a key) is missed now, not after hours of generating
    rows = [row for e in evals if e.direct for row in _direct(model, e, samplings[0].temperature)]
    rows += _choices(model, [e for e in evals if not e.direct], samplings[0].temperature)
    asked = [(e, item) for e in evals for item in e.items if not item.options]
    rounds = [(s, r) for s in samplings for r in range(s.repetitions)]
    answers: list[Answer] = []
    for done, (sampling, repetition) in enumerate(rounds):
        on_progress(done, len(rounds), f"{len(asked)} questions at T={sampling.temperature:g}")
        responses = converse(model, [(f"{e.name}/{item.id}", item) for e, item in asked], sampling=sampling, repetition=repetition)
        answers += [Answer(e, item, r, sampling.temperature, repetition) for (e, item), r in zip(asked, responses, strict=True)]
    on_progress(len(rounds), len(rounds), "")
    return rows + _judged(answers, panels)


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


def _panel(e: Eval, judges: Mapping[str, Sequence[str]]) -> list[Judge]:
    """The eval's own judge and then the further ones, each once."""
    if e.direct:
        return []
    further = [] if all(item.options for item in e.items) else [*judges.get("*", ()), *judges.get(e.name, ())]
    named = [name for name in (e.judge, *further) if name]
    if not named:
        raise UserError(f"Nobody judges the eval '{e.name}': name a judge for it, e.g. 'refusal'. `axenic list judges` shows all.")
    panel: dict[str, Judge] = {}
    for judge in map(load_judge, dict.fromkeys(named)):
        if judge.identity != panel.setdefault(judge.name, judge).identity:
            raise UserError(
                f"Two judges of the eval '{e.name}' are both called '{judge.name}'. The result table could not tell them apart."
            )
    return list(panel.values())


def _require_known(judges: Mapping[str, Sequence[str]], evals: Sequence[Eval]) -> None:
    for name in judges:
        if name != "*" and name not in {e.name for e in evals}:
            raise unknown_name("eval to judge", name, ["*", *(e.name for e in evals)])


def _judged(answers: Sequence[Answer], panels: Mapping[str, Sequence[Judge]]) -> list[Row]:
    """Per answer one row for each judge of its eval. A judge sees all answers of an eval at once: some work in batches."""
    found: dict[tuple[int, str], Verdict] = {}
    for name, panel in panels.items():
        own = [i for i, answer in enumerate(answers) if answer.eval.name == name]
        items, responses = [answers[i].item for i in own], [answers[i].response for i in own]
        for judge in panel if own else ():
            ruled = verdicts(judge, items, responses, positive=answers[own[0]].eval.positive)
            found.update(((i, judge.name), verdict) for i, verdict in zip(own, ruled, strict=True))
    return [_row(a, judge.name, found[i, judge.name]) for i, a in enumerate(answers) for judge in panels[a.eval.name]]


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
    answers = []
    for (e, item), scores in zip(asked, scored, strict=True):
        best = max(range(len(scores)), key=lambda k: scores[k].logprob)
        response = Response(text=item.options[best], n_tokens=scores[best].n_tokens, finish_reason="choice")
        answers.append(Answer(e, item, response, temperature, 0))
    return _judged(answers, {e.name: [load_judge(e.judge)] for e in evals if e.items})


def _row(answer: Answer, judge: str, verdict: Verdict) -> Row:
    return record(
        answer.item,
        eval=answer.eval.name,
        temperature=answer.temperature,
        repetition=answer.repetition,
        response=answer.response.text,
        n_tokens=answer.response.n_tokens,
        finish_reason=answer.response.finish_reason,
        judge=judge,
        **verdict.model_dump(include={"status", "verdict", "score"}),
    )
