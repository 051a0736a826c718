"""Records -> plotly figures along an axis (epoch, dose, step): one small function per kind of figure.

In: points that already carry their interval and hover text. Out: `Figure`. Figures with a row per label are in `rows.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from axenic.report import scale
from axenic.report.canvas import Figure, Point, Style, axis, error_bars, layout_of, shares, trace, wrapped

LOG_RANGE = 8  # an axis of positive values that spans more than this factor is drawn in logarithms


def lines(
    title: str,
    series: Mapping[str, Sequence[Point]],
    look: Mapping[str, Style],
    *,
    x_label: str,
    levels: Mapping[str, Point] | None = None,
) -> Figure:
    """Values along an axis, one line and interval band per arm; masked points are hollow, grey and off the line.

    `levels` are arms without a place on the axis, such as an untouched base: a line across with its band.
    """
    levels = levels or {}
    everything = [p for points in series.values() for p in points] + list(levels.values())
    traces: list[dict[str, Any]] = []
    for arm, points in series.items():
        traces += _bands(points, look[arm])
    for arm, points in series.items():
        traces += _line(points, look[arm])
    layout = layout_of(height=250)
    layout["yaxis"] = {**axis(), **(_near(everything) if _in_unit(everything) else {})}
    layout["xaxis"] = {**axis(), **_along([p.x for points in series.values() for p in points], x_label), "showgrid": False}
    layout["shapes"] = [shape for arm, level in levels.items() for shape in _level(level, look[arm])]
    return Figure(title, f"{title}, by {x_label}, one line per arm.", traces, layout)


def by_step(
    title: str, series: Mapping[str, Sequence[Point]], look: Mapping[str, Style], *, x_label: str, linear: bool = False
) -> Figure:
    """`lines` for what starts at step 0 and is looked at ever more rarely; shares on the whole axis, so that figures compare.

    `linear` keeps the steps as they are, for a figure that stands beside a linear one.
    """
    placed, x_axis = _placed(series, x_label, linear=linear)
    drawn = lines(title, placed, look, x_label=x_label)
    y_axis = {**axis(), **(shares() if _in_unit([p for points in series.values() for p in points]) else {})}
    return replace(drawn, layout=drawn.layout | {"xaxis": x_axis, "yaxis": y_axis})


def stairs(title: str, series: Mapping[str, Sequence[Point]], look: Mapping[str, Style], *, x_label: str) -> Figure:
    """Shares that hold until the next point: survival curves, with their bands in steps too."""
    placed, x_axis = _placed(series, x_label)
    traces: list[dict[str, Any]] = []
    for name, points in placed.items():
        traces += _bands(_corners(points), look[name])
    for name, points in placed.items():
        drawn = _line(points, look[name])
        traces += [t | ({"line": {**t["line"], "shape": "hv"}} if "line" in t else {}) for t in drawn]
    layout = layout_of(height=250) | {"xaxis": x_axis, "yaxis": {**axis(), **shares()}}
    return Figure(title, f"{title}, by {x_label}, one stepped line each.", traces, layout)


def _placed(
    series: Mapping[str, Sequence[Point]], x_label: str, *, linear: bool = False
) -> tuple[dict[str, list[Point]], dict[str, Any]]:
    """Points where the axis shows them, and the axis."""
    xs = [p.x for points in series.values() for p in points]
    place = float if linear else scale.placing(xs)
    moved = {name: [replace(p, x=place(p.x)) for p in points] for name, points in series.items()}
    title = {"title": {"text": wrapped(x_label, 40), "standoff": 8}}
    return moved, {**axis(), **scale.ticks(xs, place), **title, "showgrid": False}


def _corners(points: Sequence[Point]) -> list[Point]:
    """With each value held up to the place of the next."""
    held = [[p, replace(p, x=after.x)] for p, after in zip(points, points[1:], strict=False)]
    return [p for pair in held for p in pair] + list(points[-1:])


def scatter(title: str, series: Mapping[str, Sequence[Point]], look: Mapping[str, Style], *, x_label: str) -> Figure:
    """Values against a measured quantity: dots with intervals, no line, because the order along x is not a path."""
    everything = [p for points in series.values() for p in points]
    traces = [_markers(points, look[arm]) for arm, points in series.items()]
    layout = layout_of(height=280)
    layout["yaxis"] = {**axis(), **(shares() if _in_unit(everything) else {})}
    layout["xaxis"] = {**axis(), "title": {"text": wrapped(x_label, 40)}, "showgrid": False}
    return Figure(title, f"{title}, against {x_label}, one dot per belief.", traces, layout)


def losses(title: str, runs: Sequence[tuple[str, str, Sequence[Mapping[str, Any]]]], look: Mapping[str, Style]) -> Figure:
    """Training loss by optimiser step: (arm, seed, log) -> one thin line each."""
    traces = []
    for arm, seed, log in runs:
        kept = [entry for entry in log if entry.get("loss") is not None and entry.get("step") is not None]
        hover = [f"{arm}, seed {seed}\nstep {e['step']}: {e['loss']:.3f}" for e in kept]
        line = {"color": look[arm].colour, "width": 1.3, "dash": look[arm].dash}
        traces.append(trace([e["step"] for e in kept], [e["loss"] for e in kept], hover, mode="lines", line=line, opacity=0.85))
    layout = layout_of(height=280)
    layout["xaxis"] = {**axis(), "title": {"text": "optimiser step"}, "showgrid": False}
    layout["yaxis"] = {**axis(), "rangemode": "tozero", "title": {"text": "loss (nats per token)"}}
    return Figure(title, f"{title} by optimiser step, one line per arm and seed.", traces, layout)


def _markers(points: Sequence[Point], style: Style) -> dict[str, Any]:
    marker = {"color": style.colour, "symbol": style.symbol, "size": 8}
    return trace(
        [p.x for p in points],
        [p.value for p in points],
        [p.hover for p in points],
        mode="markers",
        marker=marker,
        error_y=error_bars(points, style.colour),
    )


def _line(points: Sequence[Point], style: Style) -> list[dict[str, Any]]:
    sound = [p for p in points if not p.masked]
    masked = [p for p in points if p.masked]
    marker = {"color": style.colour, "symbol": style.symbol, "size": 7}
    stroke = {"color": style.colour, "dash": style.dash, "width": 2}
    traces = []
    if sound:
        xs, ys, hover = [p.x for p in sound], [p.value for p in sound], [p.hover for p in sound]
        traces.append(trace(xs, ys, hover, mode="lines+markers", marker=marker, line=stroke))
        if len(sound) == 1:
            traces[0]["error_y"] = error_bars(sound, style.colour)
    if masked:
        grey = {"color": "var(--muted)", "symbol": f"{style.symbol}-open", "size": 7}
        xs, ys, hover = [p.x for p in masked], [p.value for p in masked], [p.hover for p in masked]
        traces.append(trace(xs, ys, hover, mode="markers", marker=grey))
    return traces


def _bands(points: Sequence[Point], style: Style) -> list[dict[str, Any]]:
    """Interval bands, broken wherever a point is masked or has no interval."""
    runs: list[list[Point]] = [[]]
    for p in points:
        if p.masked or p.low is None or p.high is None:
            runs.append([])
        else:
            runs[-1].append(p)
    return [
        {
            "type": "scatter", "mode": "none", "fill": "toself", "fillcolor": style.colour, "opacity": 0.14, "hoverinfo": "skip",
            "x": [p.x for p in run] + [p.x for p in reversed(run)],
            "y": [p.low for p in run] + [p.high for p in reversed(run)],
        }
        for run in runs
        if len(run) > 1
    ]  # fmt: skip


def _level(level: Point, style: Style) -> list[dict[str, Any]]:
    across = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
    shapes: list[dict[str, Any]] = []
    if level.low is not None and level.high is not None:
        band = {"fillcolor": style.colour, "opacity": 0.14, "line": {"width": 0}}
        shapes.append({"type": "rect", **across, "y0": level.low, "y1": level.high, **band})
    if level.value is not None:
        stroke = {"color": style.colour, "width": 2, "dash": "dot"}
        shapes.append({"type": "line", **across, "y0": level.value, "y1": level.value, "line": stroke})
    return shapes


def _along(xs: Sequence[float], x_label: str) -> dict[str, Any]:
    """An axis with a tick at every distinct place where there are few; in logarithms where the places span orders."""
    distinct = sorted(set(xs))
    axis: dict[str, Any] = {"title": {"text": wrapped(x_label, 40), "standoff": 8}}
    if distinct and distinct[0] > 0 and distinct[-1] / distinct[0] >= LOG_RANGE:
        axis["type"] = "log"
    if len(distinct) <= 8:
        axis |= {"tickvals": distinct, "ticktext": [f"{x:g}" for x in distinct]}
    return axis


def _near(points: Sequence[Point]) -> dict[str, Any]:
    """An axis of shares; of the lowest or the highest quarter alone where nothing lies outside it."""
    bounds = [bound for p in points for bound in (p.value, p.low, p.high) if bound is not None]
    if bounds and max(bounds) <= 0.25:
        return {**shares(), "range": [-0.008, 0.258], "tickvals": [0, 0.05, 0.1, 0.15, 0.2, 0.25]}
    if bounds and min(bounds) >= 0.75:
        return {**shares(), "range": [0.742, 1.008], "tickvals": [0.75, 0.8, 0.85, 0.9, 0.95, 1]}
    return shares()


def _in_unit(points: Sequence[Point]) -> bool:
    return all(0 <= bound <= 1 for p in points for bound in (p.value, p.low, p.high) if bound is not None)
