"""Records -> plotly figures, as plain dictionaries: one small function per kind of figure.

In: points that already carry their interval and hover text. Out: `Figure`. Colours are CSS variables (`var(--arm-1)`), which
`page.js` resolves, so that one figure serves light, dark and print. Text from outside is escaped: plotly reads markup in labels.
"""

import html
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LABEL_WIDTH = 46  # characters that fit above a row on a 360 px wide screen
LINE_HEIGHT, DOT_HEIGHT = 16, 16  # pixels
N_COLOURS = 7
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot")
LOG_RANGE = 8  # an axis of positive values that spans more than this factor is drawn in logarithms


@dataclass(frozen=True)
class Style:
    """How one arm looks, in every figure of the page."""

    colour: str
    symbol: str
    dash: str = "solid"


@dataclass(frozen=True)
class Point:
    """One number with its interval, ready to be drawn."""

    x: float  # place along the axis (unused in `intervals`, where the row decides)
    value: float | None
    low: float | None
    high: float | None
    hover: str  # plain text
    masked: bool = False


Traces = list[dict[str, Any]]
Rows = Sequence[tuple[str, Mapping[str, Point]]]


@dataclass(frozen=True)
class Figure:
    """A plotly figure and what a reader who cannot see it is told."""

    title: str
    alt: str
    traces: Traces
    layout: dict[str, Any]
    wide: tuple[Traces, dict[str, Any]] | None = None  # what wide screens get instead

    def plotly(self) -> dict[str, Any]:
        """What `Plotly.react` takes, for narrow places and, where it differs, for wide ones."""
        narrow = {"data": self.traces, "layout": self.layout}
        return {"narrow": narrow, "wide": {"data": self.wide[0], "layout": self.wide[1]} if self.wide else narrow}

    @property
    def height(self) -> int:
        """Pixels, reserved before the figure is drawn."""
        return int(self.layout["height"])


def styles(arms: Sequence[str], base: Sequence[str]) -> dict[str, Style]:
    """One look per arm: grey for untouched bases, then colours that colour-blind readers tell apart, then dashes."""
    look = {arm: Style("var(--arm-base)", "circle") for arm in arms if arm in base}
    for i, arm in enumerate(arm for arm in arms if arm not in base):
        n = i % N_COLOURS
        look[arm] = Style(f"var(--arm-{n + 1})", SYMBOLS[(n + 1) % len(SYMBOLS)], DASHES[i // N_COLOURS % len(DASHES)])
    return look


def safe(text: str) -> str:
    """Text that plotly shows as it is, instead of reading it as markup."""
    return html.escape(text, quote=False)


def wrapped(text: str, width: int = LABEL_WIDTH) -> str:
    """`safe` text in lines of at most `width` characters."""
    return "<br>".join(safe(line) for line in _wrap(text, width))


def _wrap(text: str, width: int = LABEL_WIDTH) -> list[str]:
    return textwrap.wrap(text, width) or [text]


def intervals(title: str, rows: Rows, look: Mapping[str, Style], *, zero: bool) -> Figure:
    """Dots with intervals, one row per label and one dot per arm in it: the forest plot, and prompt pressure by kind.

    Args:
        title: What the figure shows.
        rows: (label, {arm: point}), from top to bottom.
        look: How each arm looks.
        zero: Differences around a zero line (percentage points), instead of shares in [0, 1].
    """
    drawn = {beside: _intervals(rows, look, zero=zero, beside=beside) for beside in (False, True)}
    return Figure(title, f"{title}: dots with intervals, one row each.", *drawn[False], wide=drawn[True])


def _intervals(rows: Rows, look: Mapping[str, Style], *, zero: bool, beside: bool) -> tuple[Traces, dict[str, Any]]:
    """Traces and layout with the labels beside the rows (wide screens) or above them (phones)."""
    places = _places(rows, beside=beside)
    traces = []
    for arm, style in look.items():
        spots = [
            (points[arm], first + DOT_HEIGHT * list(points).index(arm))
            for (_, points), (_, first) in zip(rows, places, strict=True)
            if arm in points
        ]
        if spots:
            traces.append(_dots([p for p, _ in spots], [y for _, y in spots], style))
    bottom = places[-1][1] + DOT_HEIGHT * len(rows[-1][1])
    left = 16 + 6.7 * max(len(line) for label, _ in rows for line in _wrap(label)) if beside else 8
    layout = _layout(height=bottom + 60)
    layout["margin"] = {"l": left, "r": 12, "t": 8, "b": 44, "autoexpand": False}
    layout["yaxis"] = {**_axis(), "range": [bottom, -6], "showticklabels": False, "showgrid": False, "showline": False}
    layout["xaxis"] = {**_axis(), **(_differences() if zero else _shares()), "showgrid": True}
    layout["annotations"] = [
        _row_label(label, top=top, first=first, beside=beside) for (label, _), (top, first) in zip(rows, places, strict=True)
    ]
    return traces, layout


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
    layout = _layout(height=250)
    layout["yaxis"] = {**_axis(), **(_shares() if _in_unit(everything) else {})}
    layout["xaxis"] = {**_axis(), **_along([p.x for points in series.values() for p in points], x_label), "showgrid": False}
    layout["shapes"] = [shape for arm, level in levels.items() for shape in _level(level, look[arm])]
    return Figure(title, f"{title}, by {x_label}, one line per arm.", traces, layout)


def scatter(title: str, series: Mapping[str, Sequence[Point]], look: Mapping[str, Style], *, x_label: str) -> Figure:
    """Values against a measured quantity: dots with intervals, no line, because the order along x is not a path."""
    everything = [p for points in series.values() for p in points]
    traces = [_markers(points, look[arm]) for arm, points in series.items()]
    layout = _layout(height=280)
    layout["yaxis"] = {**_axis(), **(_shares() if _in_unit(everything) else {})}
    layout["xaxis"] = {**_axis(), "title": {"text": wrapped(x_label, 40)}, "showgrid": False}
    return Figure(title, f"{title}, against {x_label}, one dot per belief.", traces, layout)


def losses(title: str, runs: Sequence[tuple[str, str, Sequence[Mapping[str, Any]]]], look: Mapping[str, Style]) -> Figure:
    """Training loss by optimiser step: (arm, seed, log) -> one thin line each."""
    traces = []
    for arm, seed, log in runs:
        kept = [entry for entry in log if entry.get("loss") is not None and entry.get("step") is not None]
        hover = [f"{arm}, seed {seed}\nstep {e['step']}: {e['loss']:.3f}" for e in kept]
        line = {"color": look[arm].colour, "width": 1.3, "dash": look[arm].dash}
        traces.append(_trace([e["step"] for e in kept], [e["loss"] for e in kept], hover, mode="lines", line=line, opacity=0.85))
    layout = _layout(height=280)
    layout["xaxis"] = {**_axis(), "title": {"text": "optimiser step"}, "showgrid": False}
    layout["yaxis"] = {**_axis(), "rangemode": "tozero", "title": {"text": "loss (nats per token)"}}
    return Figure(title, f"{title} by optimiser step, one line per arm and seed.", traces, layout)


# --- traces ----------------------------------------------------------------------------------------------------------------


def _trace(x: Sequence[float], y: Sequence[float | None], hover: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"type": "scatter", "x": list(x), "y": list(y), "text": [_hover(text) for text in hover], "hoverinfo": "text", **more}


def _hover(text: str) -> str:
    return "<br>".join(wrapped(line, 60) for line in text.split("\n"))


def _bars(points: Sequence[Point], colour: str) -> dict[str, Any]:
    """Error bars; a point without an interval gets none, not one of zero width."""
    up = [None if p.value is None or p.high is None else p.high - p.value for p in points]
    down = [None if p.value is None or p.low is None else p.value - p.low for p in points]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": colour, "thickness": 1.6, "width": 0}


def _dots(points: Sequence[Point], y: Sequence[float], style: Style) -> dict[str, Any]:
    marker = {"color": style.colour, "symbol": style.symbol, "size": 10}
    values = [p.value for p in points]
    return {
        **_trace([], list(y), [p.hover for p in points], mode="markers", marker=marker),
        "x": values,
        "error_x": _bars(points, style.colour),
    }


def _markers(points: Sequence[Point], style: Style) -> dict[str, Any]:
    marker = {"color": style.colour, "symbol": style.symbol, "size": 8}
    return _trace(
        [p.x for p in points],
        [p.value for p in points],
        [p.hover for p in points],
        mode="markers",
        marker=marker,
        error_y=_bars(points, style.colour),
    )


def _line(points: Sequence[Point], style: Style) -> list[dict[str, Any]]:
    sound = [p for p in points if not p.masked]
    masked = [p for p in points if p.masked]
    marker = {"color": style.colour, "symbol": style.symbol, "size": 7}
    stroke = {"color": style.colour, "dash": style.dash, "width": 2}
    traces = []
    if sound:
        xs, ys, hover = [p.x for p in sound], [p.value for p in sound], [p.hover for p in sound]
        traces.append(_trace(xs, ys, hover, mode="lines+markers", marker=marker, line=stroke))
        if len(sound) == 1:
            traces[0]["error_y"] = _bars(sound, style.colour)
    if masked:
        grey = {"color": "var(--muted)", "symbol": f"{style.symbol}-open", "size": 7}
        xs, ys, hover = [p.x for p in masked], [p.value for p in masked], [p.hover for p in masked]
        traces.append(_trace(xs, ys, hover, mode="markers", marker=grey))
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


# --- layout ----------------------------------------------------------------------------------------------------------------


def _layout(*, height: int) -> dict[str, Any]:
    font = {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 12, "color": "var(--text)"}
    return {
        "height": height, "font": font, "showlegend": False, "dragmode": False, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 48, "r": 12, "t": 10, "b": 42},
        "hoverlabel": {
            "bgcolor": "var(--raised)", "bordercolor": "var(--rule)", "font": {"color": "var(--text)"}, "align": "left",
        },
    }  # fmt: skip


def _axis() -> dict[str, Any]:
    return {
        "gridcolor": "var(--grid)", "linecolor": "var(--rule)", "zeroline": False, "ticks": "", "fixedrange": True,
        "tickfont": {"color": "var(--muted)"}, "automargin": True,
    }  # fmt: skip


def _shares() -> dict[str, Any]:
    return {"range": [-0.03, 1.03], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1]}


def _differences() -> dict[str, Any]:
    zero_line = {"zeroline": True, "zerolinecolor": "var(--muted)", "zerolinewidth": 1}
    return {**zero_line, "ticksuffix": "", "nticks": 7, "title": {"text": "difference, percentage points"}}


def _along(xs: Sequence[float], x_label: str) -> dict[str, Any]:
    """An axis with a tick at every distinct place where there are few; in logarithms where the places span orders."""
    distinct = sorted(set(xs))
    axis: dict[str, Any] = {"title": {"text": wrapped(x_label, 40), "standoff": 8}}
    if distinct and distinct[0] > 0 and distinct[-1] / distinct[0] >= LOG_RANGE:
        axis["type"] = "log"
    if len(distinct) <= 8:
        axis |= {"tickvals": distinct, "ticktext": [f"{x:g}" for x in distinct]}
    return axis


def _in_unit(points: Sequence[Point]) -> bool:
    return all(0 <= bound <= 1 for p in points for bound in (p.value, p.low, p.high) if bound is not None)


def _places(rows: Rows, *, beside: bool) -> list[tuple[int, int]]:
    """For each row the y of its label's top and of its first dot; y grows downwards, in pixels."""
    places, y = [], 0
    for label, points in rows:
        label_height = LINE_HEIGHT * len(_wrap(label))
        first = y + (12 if beside else label_height + 10)
        places.append((y, first))
        y = max(first + DOT_HEIGHT * len(points), y + label_height if beside else 0) + 8
    return places


def _row_label(label: str, *, top: int, first: int, beside: bool) -> dict[str, Any]:
    at = (
        {"y": first, "yanchor": "middle", "xanchor": "right", "xshift": -10}
        if beside
        else {"y": top, "yanchor": "top", "xanchor": "left"}
    )
    return {
        "text": wrapped(label), "xref": "paper", "x": 0, "yref": "y", "showarrow": False, "align": "right" if beside else "left",
        "font": {"size": 12}, "bgcolor": "var(--page)", "borderpad": 0, **at,
    }  # fmt: skip
