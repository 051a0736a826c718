"""What a recipe is: a question, a hypothesis, its parameters, and a function that lays out the study.

In: parameters (one pydantic model per recipe, see `recipes.params`). Out: a `Study`, which says what is asked, and its last
`Step`, which leaves `study.json`, `results.parquet`, `estimates.json`, `corpora.json` and `training.json`. Building runs
nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from axenic.errors import UserError
from axenic.pipeline.step import Step
from axenic.recipes import RECIPES
from axenic.schema import Arm, Study
from axenic.tables import look_up

LAB_LIMITS = "A small model trained from scratch on a synthetic world: a result about the method, not about frontier models."
"""What every result in the lab is and is not."""


@dataclass(frozen=True)
class Recipe:
    """A whole study. `hypothesis` is written before the run; `cost` and `expect` say what the lab needs and shows."""

    name: str
    title: str
    question: str
    hypothesis: str
    params: type[BaseModel]
    build: Callable[[Any], tuple[Study, Step]]
    cost: str  # e.g. "2 minutes on 2 cores with the base cached"
    expect: str  # the lab result to expect, with numbers

    def __post_init__(self) -> None:
        if self.params.model_config.get("extra") != "forbid":
            raise ValueError(f"the parameters of recipe {self.name!r} must refuse unknown keys: derive them from schema.Noun")

    def study(
        self, identity: str, *, lab: str, limits: Mapping[str, str], arms: Iterable[Arm], parameters: Mapping[str, Any],
        headline: Sequence[str], about: str = "",
    ) -> Study:  # fmt: skip
        """One study by this recipe.

        Args:
            identity: Digest of everything that decides it.
            lab: What the lab's model is called, where the parameters name no `model` of the user's own.
            limits: What may not be concluded, by tier ("lab", "local").
            arms: What is compared.
            parameters: What the study was laid out with: `seeds`, and `model` where one can be named.
            headline: The evals that a reader sees first.
            about: Put behind the recipe's question: what this study asks it about.
        """
        model = parameters.get("model")
        tier: Literal["lab", "local"] = "local" if model else "lab"
        return Study(
            study=identity, recipe=self.name, title=self.title, question=f"{self.question} {about}".rstrip(),
            hypothesis=self.hypothesis, tier=tier, limits=limits[tier], model=model or f"lab {lab}",
            seeds=tuple(parameters["seeds"]), arms=tuple(arms), parameters=dict(parameters), headline=tuple(headline),
        )  # fmt: skip


def get(name: str) -> Recipe:
    """Return a recipe by its name, or from outside as `path.py:RECIPE` (a function there is called without arguments).

    Raises:
        UnknownName: There is no such recipe.
        UserError: What `name` points at is not a recipe.
    """
    found = look_up("recipe", name, RECIPES, add="docs/add_a_recipe.md")
    recipe = found if isinstance(found, Recipe) or not callable(found) else found()
    if not isinstance(recipe, Recipe):
        raise UserError(f"'{name}' is a {type(recipe).__name__}. It must be, or return, an axenic.recipes.recipe.Recipe.")
    return recipe
