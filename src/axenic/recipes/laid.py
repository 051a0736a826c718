"""The steps of one study while it is laid out: who is asked, what was trained and written, and the step that concludes it.

In: labelled steps, in the order in which the last step reads them. Out: that last step. Imports nothing heavy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from axenic.pipeline.step import Cost, Later, Step
from axenic.recipes.step_specs import Conclusion, Label
from axenic.schema import Study


@dataclass
class Laid:
    """The steps of one study, by what they are to its end."""

    asked: list[tuple[Any, Step]] = field(default_factory=list)  # each with its `Asked`
    trained: list[tuple[Label, Step]] = field(default_factory=list)
    written: list[tuple[Label, Step]] = field(default_factory=list)

    @property
    def responses(self) -> int:
        """Expected number of all answers, for the plan."""
        return sum(step.cost.responses for _, step in self.asked)

    def concluded(
        self, step: Later, spec: type[Conclusion], study: Study, *, cost: Cost, label: str = "estimates",
        inputs: Mapping[str, Step | tuple[Step, ...]], **more: Any,
    ) -> tuple[Study, Step]:  # fmt: skip
        """The study and its last step.

        Args:
            step: What concludes it.
            spec: What it is told: the study, the labels, and `more`.
            study: What was asked.
            cost: Of the last step.
            label: Of the last step.
            inputs: Further inputs of it, such as the base.
            more: Further fields of `spec`.
        """
        labels = {name: tuple(label for label, _ in steps) for name, steps in self._parts().items()}
        given = {name: tuple(step for _, step in steps) for name, steps in self._parts().items()}
        told = spec.model_validate({"study": study, **labels, **more})
        return study, Step(step, spec=told, inputs={**inputs, **given}, label=label, cost=cost)

    def _parts(self) -> dict[str, list[tuple[Any, Step]]]:
        return {"asked": self.asked, "trained": self.trained, "written": self.written}
