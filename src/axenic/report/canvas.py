"""What every figure is made of: points, the look of an arm, text that plotly cannot misread, axes and layout.

In: numbers with their hover text. Out: pieces of plotly figures as plain dictionaries, and `Figure`. Colours are CSS variables
(`var(--arm-1)`), which `page.js` resolves, so that one figure serves light, dark and print.
"""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LABEL_WIDTH = 46  # characters that fit above a row on a 360 px wide screen
N_COLOURS = 7
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot")


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
    return "<br>".join(safe(line) for line in wrap(text, width))


def wrap(text: str, width: int = LABEL_WIDTH) -> list[str]:
    """Lines of at most `width` characters, at least one."""
    return textwrap.wrap(text, width) or [text]


def trace(x: Sequence[float], y: Sequence[float | None], hover: Sequence[str], **more: Any) -> dict[str, Any]:
    """Points with plain hover text; `more` says how they are drawn."""
    return {"type": "scatter", "x": list(x), "y": list(y), "text": [_hover(text) for text in hover], "hoverinfo": "text", **more}


def _hover(text: str) -> str:
    return "<br>".join(wrapped(line, 60) for line in text.split("\n"))


def error_bars(points: Sequence[Point], colour: str) -> dict[str, Any]:
    """Error bars; a point without an interval gets none, not one of zero width."""
    up = [None if p.value is None or p.high is None else p.high - p.value for p in points]
    down = [None if p.value is None or p.low is None else p.value - p.low for p in points]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": colour, "thickness": 1.6, "width": 0}


def layout_of(*, height: int) -> dict[str, Any]:
    """What every figure has in common."""
    font = {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 12, "color": "var(--text)"}
    return {
        "height": height, "font": font, "showlegend": False, "dragmode": False, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 48, "r": 12, "t": 10, "b": 42},
        "hoverlabel": {
            "bgcolor": "var(--raised)", "bordercolor": "var(--rule)", "font": {"color": "var(--text)"}, "align": "left",
        },
    }  # fmt: skip


def axis() -> dict[str, Any]:
    """A quiet axis that does not zoom."""
    return {
        "gridcolor": "var(--grid)", "linecolor": "var(--rule)", "zeroline": False, "ticks": "", "fixedrange": True,
        "tickfont": {"color": "var(--muted)"}, "automargin": True,
    }  # fmt: skip


def shares() -> dict[str, Any]:
    """An axis of shares in [0, 1]."""
    return {"range": [-0.03, 1.03], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1]}


def differences(title: str = "") -> dict[str, Any]:
    """An axis of differences around a zero line."""
    zero_line = {"zeroline": True, "zerolinecolor": "var(--muted)", "zerolinewidth": 1}
    return {
        **zero_line,
        "ticksuffix": "",
        "nticks": 7,
        "rangemode": "tozero",
        "title": {"text": title or "difference, percentage points"},
    }
