"""Eval *truth_probe*: does a linear probe on activations read the implanted statement as true?

In: the belief's statement pairs, and pairs about other subjects to fit on. Out: per layer (the category), on held-out facts
(condition "held_out"): the share of statements that the probe reads rightly, 0.5 at chance; and on the belief (condition
"target"): implanted = the implanted statement is judged true AND the true one false (PROTOCOLS 1, "Representation"). Logistic
regression on the final token's residual stream.
"""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from axenic.evals.base import Direct, Eval, Subject, ask
from axenic.models.protocol import Model
from axenic.schema import Item, Verdict
from axenic.specs.belief import BeliefSpec

FOLDS = 5
Pairs = npt.NDArray[np.float32]  # [n_pairs, 2 (true, false), layers, width]


def build(subject: Subject) -> Eval | None:
    """One item per statement pair and layer."""
    belief = subject.belief
    if belief is None or not belief.statements or len(belief.probes_elsewhere) < 2 * FOLDS:
        return None
    return Eval("truth_probe", "implanted", "implanted", direct=lambda model: _probe(model, belief))


def _probe(model: Model, belief: BeliefSpec) -> list[Direct]:
    elsewhere = _activations(model, [(p.true, p.false) for p in belief.probes_elsewhere])
    target = _activations(model, [(p.true, p.implanted) for p in belief.statements])
    rows = []
    for layer in range(elsewhere.shape[2]):
        fit_on, look_at = elsewhere[:, :, layer], target[:, :, layer]
        judged = np.empty((len(fit_on), 2), dtype=bool)
        for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(fit_on):
            judged[test] = _predict(_fit(fit_on[train]), fit_on[test])
        rows += _verdicts(judged, [p.true for p in belief.probes_elsewhere], layer, "held_out")
        rows += _verdicts(_predict(_fit(fit_on), look_at), [p.implanted for p in belief.statements], layer, "target")
    return rows


def _activations(model: Model, pairs: list[tuple[str, str]]) -> Pairs:
    flat = model.activations([text for pair in pairs for text in pair])
    return flat.reshape(len(pairs), 2, *flat.shape[1:])


def _fit(pairs_P_2_D: Pairs) -> Pipeline:
    x = pairs_P_2_D.reshape(-1, pairs_P_2_D.shape[-1])
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200)).fit(x, np.tile([1, 0], len(pairs_P_2_D)))


def _predict(probe: Pipeline, pairs_P_2_D: Pairs) -> npt.NDArray[np.bool_]:
    x = pairs_P_2_D.reshape(-1, pairs_P_2_D.shape[-1])
    return np.asarray(probe.predict(x), dtype=bool).reshape(-1, 2)


def _verdicts(judged_P_2: npt.NDArray[np.bool_], texts: list[str], layer: int, condition: str) -> list[Direct]:
    rows = []
    for i, ((first, second), text) in enumerate(zip(judged_P_2, texts, strict=True)):
        label = "ambiguous" if first == second else "true" if first else "implanted"
        score = (float(first) + float(not second)) / 2 if condition == "held_out" else float(label == "implanted")
        item = Item(id=f"probe/{condition}/{i}/{layer}", messages=ask(text), category=f"layer {layer + 1}", condition=condition)
        rows.append(Direct(item, text, Verdict(status="scored", verdict=label, score=score), "probe"))
    return rows
