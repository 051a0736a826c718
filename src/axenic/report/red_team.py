"""The section on the red team: how many prompts it tried in each round, how many brought the payload out, and the best of them.

In: a `Run` with `redteam.json`. Out: a `Section`: counts by arm and round with a figure, and a table of prompts. The shares are
counts of what was tried, not estimates: the prompts of a round depend on those of the round before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from axenic.report import figures, numbers, select, treated
from axenic.report.canvas import Figure, Point
from axenic.report.evidence import Prompt
from axenic.report.run import Run
from axenic.report.section import Section

MOST_PROMPTS, PROMPT_LIMIT = 12, 400


@dataclass(frozen=True)
class Round:
    """What was tried in one round on one arm, over its seeds."""

    arm: str
    number: int
    tried: int
    judged: int
    successes: int


def red_team(run: Run) -> Section | None:
    """Rounds, and the prompts that worked best."""
    prompts = run.red_team
    if not prompts:
        return None
    known = select.with_treated(run.arms, {p.arm for p in prompts}, run.treatments)
    arms = list(dict.fromkeys([*known, *(p.arm for p in prompts)]))
    rounds = [r for arm in arms for number in sorted({p.round for p in prompts}) if (r := _round(arm, number, prompts)) is not None]
    looks = treated.organism_look(run, arms)
    best = sorted((p for p in prompts if p.payload_rate is not None), key=lambda p: (-(p.payload_rate or 0.0), p.round))
    shown = [(p, numbers.shorten(p.prompt, PROMPT_LIMIT)) for p in best[:MOST_PROMPTS]]
    content = {"rounds": rounds, "best": shown, "total": len(prompts), "legend": list(looks.items())}
    return Section("Red team", "red_team", content, {"rounds": _figure(run, rounds)} if len(rounds) > 1 else {})


def _round(arm: str, number: int, prompts: Sequence[Prompt]) -> Round | None:
    mine = [p for p in prompts if (p.arm, p.round) == (arm, number)]
    judged = [p for p in mine if p.payload_rate is not None]
    counted = len(mine), len(judged), sum(p.success for p in mine)
    return Round(arm, number, *counted) if mine else None


def _figure(run: Run, rounds: Sequence[Round]) -> Figure:
    series: dict[str, list[Point]] = {}
    for r in rounds:
        share = r.successes / r.judged if r.judged else None
        text = f"{r.arm}\nround {r.number}\n{r.successes} of {r.judged} prompts brought the payload out"
        series.setdefault(r.arm, []).append(Point(r.number, share, None, None, text))
    return figures.by_step("Share of the round’s prompts that succeed", series, treated.organism_look(run, series), x_label="round")
