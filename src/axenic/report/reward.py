"""The section on reward hacking: what the optimiser was paid, beside what a judge that it never saw says.

In: a `Run` whose `training.json` has runs with "rewards" (reward, held-out reward, KL by step) and, where the study drew them,
curves named "quality". Out: a `Section`: per arm the two figures side by side, with the step of the held-out peak marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from axenic.report import canvas, figures, numbers, persistence, treated
from axenic.report.canvas import Figure, Traces
from axenic.report.run import Run
from axenic.report.section import Section

READINGS = {"reward": ("reward in training", "solid"), "held_out": ("reward on held-out prompts", "dot")}
Log = Mapping[str, Any]  # one run of `training.json`


def reward(run: Run) -> Section | None:
    """Reward against held-out quality, by arm."""
    logs = [log for log in run.training if log.get("rewards")]
    if not logs:
        return None
    drawn: treated.Blocks = {}
    for arm in dict.fromkeys(str(log.get("arm")) for log in logs):
        mine = [log for log in logs if str(log.get("arm")) == arm]
        drawn[arm] = {"reward": _paid(arm, mine)} | _judged(run, arm, mine)
    rows = [_row(log) for log in logs]
    content = {"rows": rows, "peaks": any(peak(log) is not None for log in logs), **persistence.placed(drawn)}
    return Section("Reward against quality", "reward", content, persistence.flat(drawn))


def peak(log: Log) -> float | None:
    """The step at which the held-out reward was highest, as the run recorded it."""
    value = log.get("peak")
    value = value.get("step") if isinstance(value, Mapping) else value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _paid(arm: str, logs: Sequence[Log]) -> Figure:
    """A line per seed and reading; a dashed line across at each seed's peak."""
    traces: Traces = []
    for i, log in enumerate(logs):
        for key, (words, dash) in READINGS.items():
            kept = [e for e in log["rewards"] if e.get(key) is not None and e.get("step") is not None]
            hover = [f"{arm}, seed {log.get('seed')}\nstep {e['step']}: {words} {numbers.number(e[key])}{_kl(e)}" for e in kept]
            style = {"color": f"var(--arm-{i % canvas.N_COLOURS + 1})", "width": 1.8, "dash": dash}
            xs, ys = [e["step"] for e in kept], [e[key] for e in kept]
            traces.append(canvas.trace(xs, ys, hover, mode="lines+markers", line=style, marker={"size": 4}))
    layout = canvas.layout_of(height=250)
    layout["xaxis"] = {**canvas.axis(), "title": {"text": "optimiser step"}, "showgrid": False}
    layout["yaxis"] = {**canvas.axis(), "title": {"text": "reward"}}
    layout["shapes"] = _peaks(logs)
    return Figure("Reward: solid in training, dotted held out", f"{arm}: reward by optimiser step, per seed.", traces, layout)


def _kl(entry: Log) -> str:
    parts = [f"KL {numbers.number(entry['kl'])}"] if entry.get("kl") is not None else []
    constant = entry.get("constant_groups")
    parts += [f"groups of equal reward {numbers.number(constant)}"] if constant is not None else []
    return "\n" + ", ".join(parts) if parts else ""


def _judged(run: Run, arm: str, logs: Sequence[Log]) -> dict[str, Figure]:
    """What the judge says by the same steps, on a linear axis like the reward's."""
    records = [c for c in run.findings.curves if c.name == "quality" and c.arm == arm]
    drawn = persistence.flat(treated.blocks(run, records, draw=partial(figures.by_step, linear=True)))
    return {name: replace(f, layout=f.layout | {"shapes": _peaks(logs)}) for name, f in drawn.items()}


def _peaks(logs: Sequence[Log]) -> list[dict[str, Any]]:
    return [
        {
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at, "layer": "below",
            "line": {"color": f"var(--arm-{i % canvas.N_COLOURS + 1})", "width": 1.5, "dash": "dash"},
        }
        for i, log in enumerate(logs)
        if (at := peak(log)) is not None
    ]  # fmt: skip


def _row(log: Log) -> dict[str, str]:
    last: dict[str, Any] = {}  # what is not measured at every step counts where it was measured last
    for entry in log["rewards"]:
        last |= {key: value for key, value in entry.items() if value is not None}
    return {
        "arm": str(log.get("arm")), "seed": str(log.get("seed", numbers.NOT_MEASURED)),
        "peak": numbers.NOT_MEASURED if peak(log) is None else numbers.number(peak(log)),
        "steps": _number(last.get("step")), "reward": _number(last.get("reward")), "held_out": _number(last.get("held_out")),
        "kl": _number(last.get("kl")), "constant": _number(last.get("constant_groups")),
    }  # fmt: skip


def _number(value: Any) -> str:
    return numbers.number(value) if isinstance(value, int | float) else numbers.NOT_MEASURED
