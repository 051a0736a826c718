"""TF-IDF and signs -> logistic regression: fitted, saved without pickle, loaded, and the same numbers again.

In: prompts and responses. Out: the probability of the positive class. N-grams are taken of the masked opening; they learn one
model's manner, which the next model does not share, so they weigh less than the signs (docs/judges.md).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from axenic.errors import EnvironmentProblem, UserError
from axenic.evals.judges.base import source_of
from axenic.evals.judges.classifier import signs
from axenic.schema import digest

JSON, WEIGHTS = "judge.json", "judge.safetensors"
FORMAT = 1
C = 1.0
GRAM_SCALE, TOGETHER_SCALE = 0.3, 3.0
GRAMS: dict[str, Any] = {"ngram_range": (1, 3), "token_pattern": r"[\w']+", "sublinear_tf": True}
MIN_DF = 2
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """Fitted: the n-grams (None if none occurred often enough), and a weight per feature."""

    grams: TfidfVectorizer | None
    weights: Floats
    intercept: float

    def probabilities(self, prompts: Sequence[str], responses: Sequence[str]) -> Floats:
        """Of the positive class, one per response."""
        if not responses:
            return np.empty(0)
        features = _features(prompts, responses)
        if self.grams is not None:
            features = sp.hstack([features, GRAM_SCALE * self.grams.transform(_openings(prompts, responses))])
        scores: Floats = features.tocsr() @ self.weights + self.intercept
        return 1.0 / (1.0 + np.exp(-scores))


def features_hash() -> str:
    """Hex digest of the code and patterns that make features: weights fit no others."""
    patterns = {name: pattern.pattern for name, pattern in signs.families().items()}
    return digest([FORMAT, source_of(signs.signs), patterns, GRAM_SCALE, TOGETHER_SCALE, str(GRAMS)])


def fit(prompts: Sequence[str], responses: Sequence[str], positive: npt.NDArray[np.bool_]) -> Classifier:
    """Fit on labelled answers. Answers that open alike count once: a stock refusal repeated 200 times is one example.

    Args:
        prompts: What was asked; "" where it is not known.
        responses: What was answered.
        positive: Which are of the positive class; both classes must occur.
    """
    openings = _openings(prompts, responses)
    first = {(opening, label): i for i, (opening, label) in reversed(list(enumerate(zip(openings, positive, strict=True))))}
    kept = sorted(first.values())
    x = _features([prompts[i] for i in kept], [responses[i] for i in kept])
    grams = TfidfVectorizer(min_df=MIN_DF, **GRAMS)
    try:
        x = sp.hstack([x, GRAM_SCALE * grams.fit_transform([openings[i] for i in kept])])
    except ValueError:  # no n-gram occurs often enough
        grams = None
    found = LogisticRegression(C=C, class_weight="balanced", max_iter=3000).fit(x.tocsr(), positive[kept])
    return Classifier(grams, np.asarray(found.coef_[0], np.float64), float(found.intercept_[0]))


def _openings(prompts: Sequence[str], responses: Sequence[str]) -> list[str]:
    return [signs.masked_opening(p, r) for p, r in zip(prompts, responses, strict=True)]


def _features(prompts: Sequence[str], responses: Sequence[str]) -> Any:
    """The signs, scaled: sparse `[n, len(signs.names())]`."""
    scale = np.array([TOGETHER_SCALE if name in signs.TOGETHER else 1.0 for name in signs.names()])
    return sp.csr_matrix(np.stack([signs.signs(p, r) for p, r in zip(prompts, responses, strict=True)]) * scale)


def save(model: Classifier, directory: Path, description: dict[str, Any]) -> None:
    """Write `judge.json` (what it is, and the vocabulary) and `judge.safetensors` (the numbers).

    Raises:
        EnvironmentProblem: The directory cannot be written.
    """
    arrays = {"weights": model.weights, "intercept": np.array([model.intercept])}
    vocabulary: list[str] = []
    if model.grams is not None:
        arrays["idf"] = np.asarray(model.grams.idf_, np.float64)
        vocabulary = [str(term) for term in model.grams.get_feature_names_out()]
    whole = {**description, "format": FORMAT, "features": features_hash(), "vocabulary": vocabulary}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        save_file(arrays, directory / WEIGHTS)
        (directory / JSON).write_text(json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(f"Cannot write the judge into '{directory}': {error.strerror}. Name another folder.") from None


def load(directory: Path) -> tuple[Classifier, dict[str, Any]]:
    """Read what `save` wrote: the classifier, and its description.

    Raises:
        UserError: Not a judge's directory, damaged, or made by another version of the features.
    """
    if not (directory / JSON).is_file():
        raise UserError(f"'{directory}' is no trained judge: it has no {JSON}. `axenic judge train ... --out DIR` makes one.")
    try:
        whole: dict[str, Any] = json.loads((directory / JSON).read_text(encoding="utf-8"))
        arrays = load_file(directory / WEIGHTS)
        if whole["features"] == features_hash():
            return _restored(whole["vocabulary"], arrays), whole
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise UserError(f"The trained judge in '{directory}' is damaged ({error}). Train it again.") from None
    raise UserError(
        f"The judge in '{directory}' was trained by another version of axenic, whose features were others. Train it again."
    )


def _restored(vocabulary: list[str], arrays: dict[str, Floats]) -> Classifier:
    if arrays["weights"].shape != (len(signs.names()) + len(vocabulary),):
        raise ValueError(f"{arrays['weights'].shape} weights for {len(signs.names())} signs and {len(vocabulary)} n-grams")
    grams = TfidfVectorizer(vocabulary=vocabulary, **GRAMS) if vocabulary else None
    if grams is not None:
        grams.idf_ = arrays["idf"]
    return Classifier(grams, arrays["weights"], float(arrays["intercept"][0]))
