"""Restricted maximum likelihood for crossed random effects with empty cells (Patterson & Thompson 1971; Searle et al. 1992, ch. 6).

In: cell means y_C_I (C = combinations of seed, checkpoint, temperature; I = items), NaN where empty, and
mean squares within cells. Out: variances.
Items are many and the other facets few, so the items' effects are absorbed one item at a time (Woodbury): an evaluation costs
time proportional to I, where one with the full covariance matrix costs time proportional to its cube.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from axenic.stats.crossed import Floats

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fit:
    """Variances in the order of the blocks and strata that were given."""

    item_blocks: Floats
    plain_blocks: Floats
    residual: float  # mean over strata, each of which has its own
    noise: Floats  # within cells, per stratum


@dataclass(frozen=True)
class Stratum:
    """Repetitions at one temperature: their mean square within cells. With df 0 the residual holds what noise there is."""

    mean_square: float
    df: float


@dataclass(frozen=True)
class _Sums:
    """What the likelihood needs of the cells of one stratum that have the same number of repetitions."""

    stratum: int
    repetitions: int
    n: int
    gram_I_K_K: Floats  # of [item blocks, plain blocks, 1]
    cross_I_K: Floats  # with y
    squares: float


@dataclass(frozen=True)
class _Problem:
    sums: list[_Sums]
    strata: list[Stratum]
    item_widths: list[int]
    plain_widths: list[int]

    def noise(self, theta: Floats) -> Floats:
        """Noise variance per stratum: the last parameters, 0 where it is not free."""
        last = theta[len(theta) - len(self.strata) :]
        return np.array([v if s.df > 0 and s.mean_square > 0 else 0.0 for v, s in zip(last, self.strata, strict=True)])


def fit(
    y_C_I: Floats,
    *,
    repetitions_C_I: Labels,
    stratum_C: Labels,
    strata: Sequence[Stratum],
    item_blocks: Sequence[Labels],
    plain_blocks: Sequence[Labels],
    start: Floats,
) -> Fit:
    """Maximise the restricted likelihood of all responses, which is that of cell means and of mean squares within cells.

    Args:
        y_C_I: Cell means.
        repetitions_C_I: How many responses each is the mean of.
        stratum_C: The stratum of each column.
        strata: Mean squares within cells.
        item_blocks: For each interaction with the item, the level of every column (all 0 for the item itself).
        plain_blocks: For each effect without the item, the level of every column.
        start: A guess at the variance of every block, item blocks first, and of the residual.
    """
    item, plain = ([np.eye(int(b.max()) + 1)[b] for b in blocks] for blocks in (item_blocks, plain_blocks))
    scale = float(np.nanvar(y_C_I)) or 1.0
    y = (y_C_I - np.nanmean(y_C_I)) / np.sqrt(scale)
    sums = _sums(y, repetitions_C_I, stratum_C, np.hstack([*item, *plain, np.ones((len(y), 1))]))
    scaled = [Stratum(s.mean_square / scale, s.df) for s in strata]
    problem = _Problem(sums, scaled, [b.shape[1] for b in item], [b.shape[1] for b in plain])
    n = len(item) + len(plain)
    guess = np.maximum(start / scale, 0.01)
    first = np.concatenate([guess, np.repeat(guess[-1], len(scaled) - 1), [max(s.mean_square, 1e-6) for s in scaled]])
    bounds = [(0.0, 100.0)] * n + [(1e-7, 100.0)] * len(scaled) + [(1e-7, 1e4)] * len(scaled)
    options = {"ftol": 1e-10, "gtol": 1e-5, "maxiter": 200}
    found = optimize.minimize(_deviance, first, args=(problem,), method="L-BFGS-B", bounds=bounds, options=options)
    variance = found.x * scale
    residual = float(variance[n : n + len(scaled)].mean())
    return Fit(variance[: len(item)], variance[len(item) : n], residual, problem.noise(found.x) * scale)


def _sums(y: Floats, repetitions_C_I: Labels, stratum_C: Labels, design_C_K: Floats) -> list[_Sums]:
    pairs = (design_C_K[:, :, None] * design_C_K[:, None, :]).reshape(len(design_C_K), -1)
    found = []
    for stratum in np.unique(stratum_C):
        rows = stratum_C == stratum
        for n in np.unique(repetitions_C_I[rows & (repetitions_C_I > 0).any(axis=1)]):
            seen = (repetitions_C_I[rows] == n) & (n > 0)
            known = np.where(seen, y[rows], 0.0)
            gram = (seen.T.astype(np.float64) @ pairs[rows]).reshape(y.shape[1], design_C_K.shape[1], -1)
            if seen.any():
                squares = float((known**2).sum())
                found.append(_Sums(int(stratum), int(n), int(seen.sum()), gram, known.T @ design_C_K[rows], squares))
    return found


def _deviance(theta: Floats, problem: _Problem) -> float:
    """-2 log restricted likelihood, up to a constant: first the items are absorbed, then the plain effects, then the mean."""
    sums, noise = problem.sums, problem.noise(theta)
    n_blocks = len(problem.item_widths) + len(problem.plain_widths)
    within = sum(s.df * (np.log(v) + s.mean_square / v) for s, v in zip(problem.strata, noise, strict=True) if v > 0)
    weights = [1 / (theta[n_blocks + s.stratum] + noise[s.stratum] / s.repetitions) for s in sums]
    gram = sum(w * s.gram_I_K_K for w, s in zip(weights, sums, strict=True))
    cross = sum(w * s.cross_I_K for w, s in zip(weights, sums, strict=True))
    square = sum(w * s.squares for w, s in zip(weights, sums, strict=True))
    log_det = -sum(s.n * np.log(w) for w, s in zip(weights, sums, strict=True))
    sd = np.sqrt(np.repeat(theta[:n_blocks], [*problem.item_widths, *problem.plain_widths]))
    m = sum(problem.item_widths)
    full = np.concatenate([gram, cross[:, :, None]], axis=2)  # I x K x (K + 1)
    left, det = _absorb(full, sd[:m])
    log_det += det
    top, shrink = full[:, :m, m:] * sd[:m, None], left
    rest = full[:, m:, m:].sum(axis=0) - np.einsum("ima,imb->ab", top[:, :, :-1], shrink)
    square -= float(np.einsum("im,im->", top[:, :, -1], shrink[:, :, -1]))
    left, det = _absorb(rest[None], sd[m:])
    k = len(sd) - m
    top = rest[:k, k:] * sd[m:, None]
    last = rest[k:, k:] - top[:, :-1].T @ left[0]
    square -= float(top[:, -1] @ left[0][:, -1])
    information, pull = float(last[0, 0]), float(last[0, 1])
    return float(within + log_det + det + np.log(information) + square - pull**2 / information)


def _absorb(full: Floats, sd: Floats) -> tuple[Floats, float]:
    """Solve (1 + sd A sd) x = sd B for each batch, A the leading block and B what follows it; and the log determinants."""
    m = len(sd)
    kernel = np.eye(m) + sd[:, None] * full[:, :m, :m] * sd
    if not m:
        return full[:, :0, m:], 0.0
    solved = np.asarray(np.linalg.solve(kernel, sd[:, None] * full[:, :m, m:]), dtype=np.float64)
    return solved, float(np.linalg.slogdet(kernel)[1].sum())
