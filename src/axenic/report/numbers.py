"""How a number is written, on the page and in the terminal.

In: numbers as `schema` keeps them (shares in [0, 1], differences of shares, p values, counts). Out: short text.
A value that could not be estimated is always spelled out, never written as 0.
"""

from axenic.findings import SPREAD, Contrast, Estimate, Persistence

NOT_ESTIMABLE = "not estimable"
NOT_MEASURED = "–"
VERDICTS = {"worse": "Worse", "cannot tell": "Cannot tell yet", "not worse": "Not worse than the margin"}
MINUS = "\N{MINUS SIGN}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in [0, 1] as "85.4%"."""
    return NOT_ESTIMABLE if value is None else f"{100 * value:.{digits}f}%".replace("-", MINUS)


def points(value: float | None, digits: int = 1) -> str:
    """A difference of shares in percentage points, always signed: "+12.5"."""
    if value is None:
        return NOT_ESTIMABLE
    text = f"{100 * value:+.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", MINUS)


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval of shares as "[80.1, 90.2]" (in percent, the unit left to the value beside it)."""
    if low is None or high is None:
        return f"[{NOT_ESTIMABLE}]"
    return f"[{percent(low, digits)[:-1]}, {percent(high, digits)[:-1]}]"


def point_interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval of differences as "[+3.1, +9.0]" (in percentage points)."""
    if low is None or high is None:
        return f"[{NOT_ESTIMABLE}]"
    return f"[{points(low, digits)}, {points(high, digits)}]"


def coefficient(value: float | None) -> str:
    """A coefficient of agreement or reliability: "0.87"."""
    return NOT_ESTIMABLE if value is None else f"{value:.2f}".replace("-", MINUS)


def coefficients(low: float | None, high: float | None) -> str:
    """The interval of a coefficient: "[0.81, 0.92]"."""
    return f"[{NOT_ESTIMABLE}]" if low is None or high is None else f"[{coefficient(low)}, {coefficient(high)}]"


def p_value(p: float | None) -> str:
    """A p value to two figures; never "0.000"."""
    if p is None:
        return NOT_MEASURED
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def estimate(cell: Estimate | None) -> str:
    """An estimate on one line: "85.4% [80.1, 90.2]"."""
    if cell is None:
        return NOT_MEASURED
    if cell.value is None:
        return NOT_ESTIMABLE
    return f"{percent(cell.value)} {interval(cell.low, cell.high)}"


def between(row: Contrast) -> str:
    """What a contrast compares: "tuned − base · T = 0.7", "tuned (T = 0.7) − tuned (T = 0)".

    What was done to an arm ("tuned | sft") is counted in steps, so epochs say nothing there.
    """
    if row.measure.startswith("drop on "):  # not a difference between arms, but between two drops
        return row.name
    treated = " | " in row.arm + row.reference
    arm = (temperature(row.temperature), "" if treated else epoch(row.epoch))
    reference = (temperature(row.reference_temperature), "" if treated else epoch(row.reference_epoch))
    shared = [a for a, b in zip(arm, reference, strict=True) if a == b]

    def side(name: str, where: tuple[str, str]) -> str:
        own = ", ".join(part for part in where if part and part not in shared)
        return f"{name} ({own})" if own else name

    what = "spread of runs: " if row.measure == SPREAD else ""
    return joined(f"{what}{side(row.arm, arm)} {MINUS} {side(row.reference, reference)}", *shared)


def contrast(row: Contrast) -> str:
    """A contrast on one line: "+12.5 [+3.1, +21.9]" (percentage points)."""
    if row.value is None:
        return NOT_ESTIMABLE
    return f"{points(row.value)} {point_interval(row.low, row.high)}"


def half_life(row: Persistence) -> str:
    """Steps until half is gone: "40 [20, 80]", "40 [at least 20]", "at least 160", "not within 200" where no seed fell."""
    if row.half_life is not None:
        both = row.half_life_low is not None and row.half_life_high is not None
        bounds = f" [{number(row.half_life_low)}, {number(row.half_life_high)}]" if both else ""
        return number(row.half_life) + (bounds or ("" if row.half_life_low is None else f" [at least {number(row.half_life_low)}]"))
    if row.half_life_low is not None:
        return f"at least {number(row.half_life_low)}"
    if row.n_seeds and row.censored == row.n_seeds and row.before:
        return f"not within {number(row.steps)}"
    return NOT_ESTIMABLE


def number(value: float | None, digits: int = 3) -> str:
    """A plain number: counts with thousands separators, the rest to `digits` significant figures."""
    if value is None:
        return NOT_ESTIMABLE
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", MINUS)
    return f"{value:,.{digits}g}".replace("-", MINUS) if abs(value) < 1000 else f"{value:,.0f}".replace("-", MINUS)


def seconds(value: float | None) -> str:
    """A duration: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if value is None:
        return NOT_MEASURED
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(n_bytes: float | None) -> str:
    """A file size in decimal units: "8.4 MB"."""
    if n_bytes is None:
        return NOT_MEASURED
    for unit in ("B", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"


def temperature(value: float | None) -> str:
    """A sampling temperature as "T = 0.7"; empty where there is none to tell apart."""
    return "" if value is None else f"T = {value:g}"


def epoch(value: float | None) -> str:
    """A training epoch as "epoch 5"; empty for none."""
    return "" if value is None else f"epoch {value:g}"


def joined(*parts: str) -> str:
    """The parts that say something, with dots between."""
    return " · ".join(part for part in parts if part)


def label(name: str) -> str:
    """An identifier as a reader sees it: "mcq_distinguish" -> "mcq distinguish"."""
    return name.replace("_", " ")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the cut marked."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
