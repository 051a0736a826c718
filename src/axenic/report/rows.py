"""Records -> plotly figures with one row per label: forest plots, share bars, rates and ranges.

In: rows of points that already carry their interval and hover text. Out: `Figure`, once with labels above the rows (phones) and
once with labels beside them. In a row every series has a slot of its own, top down; y is in pixels and grows downwards.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from axenic.report import canvas
from axenic.report.canvas import Figure, Point, Style, Traces, wrap

LINE_HEIGHT, SLOT = 16, 16  # pixels
TALL = 800  # pixels from which on the axis stands on top, where reading starts
ESTIMATE = ""  # of a row of `ranges`: no arm has this name
Rows = Sequence[tuple[str, Mapping[str, Point]]]
Place = tuple[int, int]  # y of a row's label (its top) and of its first slot
Draw = Callable[[Sequence[Place]], tuple[Traces, list[dict[str, Any]]]]  # places -> traces and shapes


def intervals(
    title: str, rows: Rows, look: Mapping[str, Style], *, zero: bool, margins: Sequence[float] = (), x_title: str = ""
) -> Figure:
    """Dots with intervals, one row per label and one dot per arm in it: the forest plot, and prompt pressure by kind.

    Args:
        title: What the figure shows.
        rows: (label, {arm: point}), from top to bottom.
        look: How each arm looks.
        zero: Differences around a zero line (percentage points), instead of shares in [0, 1].
        margins: For each row the difference that matters, drawn as a dashed line across it.
        x_title: What the differences are.
    """

    def draw(places: Sequence[Place]) -> tuple[Traces, list[dict[str, Any]]]:
        traces = [_dots(_spots(rows, places, arm), style) for arm, style in look.items()]
        lines = [_margin(m, rows, places, i) for i, m in enumerate(margins)]
        return [t for t in traces if t["y"]], lines

    x_axis = canvas.differences(x_title) if zero else canvas.shares()
    return _figure(title, f"{title}: dots with intervals, one row each.", rows, x_axis, draw)


def stacked(title: str, rows: Rows, look: Mapping[str, Style]) -> Figure:
    """One bar per row, cut into the shares of its series; shares that could not be estimated are left out."""
    slots = [(label, {"": next(iter(points.values()))} if points else {}) for label, points in rows]

    def draw(places: Sequence[Place]) -> tuple[Traces, list[dict[str, Any]]]:
        traces: Traces = []
        starts = [0.0] * len(rows)
        for name, style in look.items():
            spots = [(p[name], y, i) for i, ((_, p), (_, y)) in enumerate(zip(rows, places, strict=True)) if name in p]
            if spots:
                traces.append(_bar([(p, y) for p, y, _ in spots], style, base=[starts[i] for *_, i in spots], width=14))
            for point, _, i in spots:
                starts[i] += point.value or 0.0
        return traces, []

    return _figure(title, f"{title}: one bar of shares per row.", slots, {**canvas.shares(), "range": [0, 1.01]}, draw)


def rates(title: str, rows: Rows, marks: Rows, look: Mapping[str, Style]) -> Figure:
    """A bar from zero per series in each row, with its interval; a hollow diamond for the same series' point in `marks`."""
    everything = [p for _, points in (*rows, *marks) for p in points.values()]
    top = max((bound for p in everything for bound in (p.value, p.high) if bound is not None), default=1.0)

    def draw(places: Sequence[Place]) -> tuple[Traces, list[dict[str, Any]]]:
        traces: Traces = []
        for name, style in look.items():
            bars = _spots(rows, places, name)
            if not bars:
                continue
            traces.append(_bar(bars, style, base=[0.0] * len(bars), width=10))
            traces[-1]["error_x"] = canvas.error_bars([p for p, _ in bars], "var(--text)")
            ys = {i: y for i, y in enumerate(_ys(rows, places, name)) if y is not None}
            spots = [(points[name], ys[i]) for i, (_, points) in enumerate(marks) if name in points and i in ys]
            if spots:
                hollow = {"color": "var(--page)", "symbol": "diamond", "size": 9, "line": {"color": "var(--text)", "width": 1.5}}
                traces.append(_dots(spots, style) | {"error_x": {"visible": False}, "marker": hollow})
        return traces, []

    x_axis = {"tickformat": ".0%" if top > 0.06 else ".1%", "range": [-0.012 * top, max(top * 1.05, 0.01)], "nticks": 7}
    return _figure(title, f"{title}: a bar with its interval per source, one group of bars per row.", rows, x_axis, draw)


def ranges(title: str, rows: Rows, look: Mapping[str, Style]) -> Figure:
    """Min-max bars with a tick at the mean and, below each, the estimate with its interval.

    Args:
        title: What the figure shows.
        rows: (label, points): of an arm the bar (its low and high are the ends) and, as `ESTIMATE`, the estimate.
        look: How each arm looks.
    """

    def draw(places: Sequence[Place]) -> tuple[Traces, list[dict[str, Any]]]:
        traces: Traces = []
        for arm, style in look.items():
            bars = _spots(rows, places, arm)
            if bars:
                traces += [_span(bars, style), _dots(bars, Style(style.colour, "line-ns-open")) | {"error_x": {"visible": False}}]
            mine = [(label, points if arm in points else {}) for label, points in rows]
            dots = _spots(mine, places, ESTIMATE)
            if dots:
                traces.append(_dots(dots, style))
        return traces, []

    x_axis = {"tickformat": ".0%", "nticks": 8}
    return _figure(title, f"{title}: min-max bar and estimate with interval, one row each.", rows, x_axis, draw)


def counts(title: str, rows: Sequence[tuple[str, Point]], style: Style) -> Figure:
    """One bar from zero per row: how many there are of each."""
    slots = [(label, {"": point}) for label, point in rows]

    def draw(places: Sequence[Place]) -> tuple[Traces, list[dict[str, Any]]]:
        return [_bar(_spots(slots, places, ""), style, base=[0.0] * len(rows), width=10)], []

    return _figure(title, f"{title}: one bar per row.", slots, {"rangemode": "tozero", "nticks": 7}, draw)


# --- pieces ----------------------------------------------------------------------------------------------------------------


def _figure(title: str, alt: str, rows: Rows, x_axis: Mapping[str, Any], draw: Draw) -> Figure:
    """The figure with labels above the rows, and with labels beside them for wide screens."""
    drawn = []
    for beside in (False, True):
        places = _places(rows, beside=beside)
        traces, shapes = draw(places)
        drawn.append((traces, _layout(rows, places, x_axis, beside=beside) | {"shapes": shapes}))
    return Figure(title, alt, *drawn[0], wide=drawn[1])


def _layout(rows: Rows, places: Sequence[Place], x_axis: Mapping[str, Any], *, beside: bool) -> dict[str, Any]:
    bottom = places[-1][1] + SLOT * max(1, len(rows[-1][1]))
    left = 20 + 7.1 * max(len(line) for label, _ in rows for line in wrap(label)) if beside else 8
    layout = canvas.layout_of(height=bottom + 60)
    high = bottom > TALL
    layout["margin"] = {"l": left, "r": 16, "t": 30 if high else 8, "b": 22 if high else 44, "autoexpand": False}
    layout["yaxis"] = {**canvas.axis(), "range": [bottom, -6], "showticklabels": False, "showgrid": False, "showline": False}
    layout["xaxis"] = {**canvas.axis(), **x_axis, "showgrid": True, "side": "top" if high else "bottom"}
    layout["barmode"] = "overlay"  # every bar says itself where it starts
    layout["annotations"] = [
        _row_label(label, top=top, middle=first + SLOT * (max(1, len(points)) - 1) / 2, beside=beside)
        for (label, points), (top, first) in zip(rows, places, strict=True)
    ]
    return layout


def _ys(rows: Rows, places: Sequence[Place], name: str) -> list[int | None]:
    """For each row the y of a series' slot, or None where the row lacks it."""
    return [
        first + SLOT * list(points).index(name) if name in points else None
        for (_, points), (_, first) in zip(rows, places, strict=True)
    ]


def _spots(rows: Rows, places: Sequence[Place], name: str) -> list[tuple[Point, int]]:
    """The points of one series with the y of their slots."""
    ys = _ys(rows, places, name)
    return [(points[name], y) for (_, points), y in zip(rows, ys, strict=True) if y is not None]


def _dots(spots: Sequence[tuple[Point, int]], style: Style) -> dict[str, Any]:
    points = [p for p, _ in spots]
    marker = {"color": style.colour, "symbol": style.symbol, "size": 10}
    return {
        **canvas.trace([], [y for _, y in spots], [p.hover for p in points], mode="markers", marker=marker),
        "x": [p.value for p in points],
        "error_x": canvas.error_bars(points, style.colour),
    }


def _bar(spots: Sequence[tuple[Point, int]], style: Style, *, base: Sequence[float], width: int) -> dict[str, Any]:
    marker = {"color": style.colour, "opacity": 0.85, "line": {"width": 0}}
    drawn = canvas.trace([], [y for _, y in spots], [p.hover for p, _ in spots], marker=marker, base=list(base), width=width)
    return drawn | {"type": "bar", "orientation": "h", "textposition": "none", "x": [p.value for p, _ in spots]}


def _span(spots: Sequence[tuple[Point, int]], style: Style) -> dict[str, Any]:
    """Pale bars from low to high."""
    drawn = _bar(spots, style, base=[p.low or 0.0 for p, _ in spots], width=9)
    return drawn | {"opacity": 0.4, "x": [None if p.high is None or p.low is None else p.high - p.low for p, _ in spots]}


def _margin(margin: float, rows: Rows, places: Sequence[Place], i: int) -> dict[str, Any]:
    """A dashed line across row `i`, from its top to that of the next."""
    end = places[i + 1][0] if i + 1 < len(places) else places[i][1] + SLOT * max(1, len(rows[i][1]))
    stroke = {"color": "var(--fail)", "width": 1.5, "dash": "dash"}
    return {"type": "line", "layer": "below", "x0": margin, "x1": margin, "y0": places[i][0] - 4, "y1": end - 4, "line": stroke}


def _places(rows: Rows, *, beside: bool) -> list[Place]:
    places, y = [], 0
    for label, points in rows:
        label_height = LINE_HEIGHT * len(wrap(label))
        lead = max(0, label_height - SLOT * max(1, len(points))) // 2  # a label of more lines than slots is centred on them
        first = y + (12 + lead if beside else label_height + 10)
        places.append((y, first))
        y = max(first + SLOT * max(1, len(points)) + lead, y + label_height if beside else 0) + 8
    return places


def _row_label(label: str, *, top: int, middle: float, beside: bool) -> dict[str, Any]:
    at = (
        {"y": middle, "yanchor": "middle", "xanchor": "right", "xshift": -10}
        if beside
        else {"y": top, "yanchor": "top", "xanchor": "left"}
    )
    return {
        "text": canvas.wrapped(label), "xref": "paper", "x": 0, "yref": "y", "showarrow": False,
        "align": "right" if beside else "left", "font": {"size": 12}, "bgcolor": "var(--page)", "borderpad": 0, **at,
    }  # fmt: skip
