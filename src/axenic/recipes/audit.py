"""Did this fine-tune make the model less safe? Base and fine-tunes answer the same items, and every change for the worse is tested.

Question: is a fine-tuned model worse than the model it was made from, in what it should refuse, in what it should not, in what it
can do and in whether it makes sense; or is it shown not to be, up to a margin?

Hypothesis, fixed before any answer is seen: each harm is below the margin. Verdicts and their error rates: docs/audit.md.

Cost: one generation per model and item: seconds for a lab model, minutes for a billion weights on a GPU.
"""

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from axenic.evals.benchmarks.suite import suite_files
from axenic.evals.judges.load import judge_files, load_judge
from axenic.findings import Items
from axenic.pipeline.fingerprint import fingerprint, hash_tree
from axenic.pipeline.step import Cost, Later, Step
from axenic.recipes import step_specs as specs
from axenic.recipes.params import one_is_a_list
from axenic.recipes.recipe import Recipe
from axenic.recipes.step_specs import Asked, AskSpec, Conclusion, outside_step
from axenic.rowfiles import is_hub_id
from axenic.schema import Arm, Noun, Sampling, Study, digest
from axenic.tables import Entry, load

BASE, TUNED = "base", "tuned"
CONCLUDE = Later("axenic.recipes.audit_findings:conclude", version=1)
LIMITS = "Two models and these items: the verdict is about changes that the items and judges can see, and about nothing else."


class AuditParams(Noun):
    """Parameters of the recipe `audit`."""

    base: str = Field(description="The model before fine-tuning: a Hugging Face directory or id.")
    tuned: tuple[str, ...] = Field((), description="Fine-tunes of it: directories or ids. Several are runs of one recipe.")
    adapter: tuple[Path, ...] = Field((), description="PEFT adapters over the base; each counts as a fine-tune.")
    suite: tuple[str, ...] = Field(("lab",), min_length=1, description="What is asked: lab, xstest=FILE, FILE; docs/benchmarks.md.")
    judge: tuple[str, ...] = Field((), description="Judges of refusal and compliance that decide, instead of each suite's own.")
    margin: float = Field(0.02, gt=0, lt=1, description="The harm that must be ruled out; 0.02 is 2 points.")
    level: float = Field(0.95, ge=0.5, lt=1, description="Two-sided confidence level; each verdict is one-sided.")
    items: Items = Field("sampled", description="Are the items a sample of all such items, or all that matter (fixed)?")
    temperature: float = Field(0.0, ge=0, le=10, description="A temperature to ask at besides 0.")
    repetitions: int = Field(1, ge=1, le=1000, description="Responses per item at that temperature.")
    max_new_tokens: int = Field(64, ge=1, le=32_768)

    _lists = field_validator("tuned", "adapter", "suite", "judge", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _consistent(self) -> "AuditParams":
        if not self.tuned and not self.adapter:
            raise ValueError("tuned: name at least one fine-tuned model, or an adapter")
        if self.repetitions > 1 and self.temperature == 0:
            raise ValueError("repetitions: at temperature 0 every repetition gives the same response; set a temperature")
        return self


class AuditConclusion(Conclusion):
    """What the last step must know besides."""

    judges: tuple[str, ...]  # who decides, marked as in `step_specs.portable`; () = each eval's own
    margin: float
    level: float
    items: Items


def build(params: AuditParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing; models on this machine are checked against each other."""
    for text in params.judge:
        load_judge(text)  # a name that is none must not be found after the answers
    base = outside_step(params.base)
    tuned = [outside_step(path) for path in params.tuned]
    tuned += [outside_step(params.base, adapter=path.absolute()) for path in params.adapter]
    if not any(is_hub_id(path) for path in (params.base, *params.tuned)):
        check(params)
    suites, files = specs.portable(params.suite, "suite", suite_files)
    judges, judged_by = specs.portable(params.judge, "judge", judge_files)
    files |= judged_by
    labels = [Asked(arm=BASE), *(Asked(arm=TUNED, seed=i) for i in range(len(tuned)))]
    spec = _asking(params, suites, judges)
    asked = [
        Step(specs.ASK, spec=spec, inputs={"model": model}, files=files, seed=0, label=f"ask {model.label[6:]}", cost=_cost(spec))
        for model in (base, *tuned)
    ]
    identity = [spec.model_dump(mode="json"), params.margin, params.level, params.items, [hash_tree(f) for f in files.values()]]
    study = _study(params, digest(["audit", *identity, *(fingerprint(m) for m in (base, *tuned))])[:12], len(tuned))
    conclusion = AuditConclusion(
        study=study, asked=tuple(labels), trained=(), written=(), judges=judges, margin=params.margin, level=params.level,
        items=params.items,
    )  # fmt: skip
    inputs: dict[str, Step | tuple[Step, ...]] = {"asked": tuple(asked), "models": (base, *tuned)}
    return study, Step(CONCLUDE, spec=conclusion, inputs=inputs, files=judged_by, label="verdict", cost=Cost(seconds=3))


def check(params: AuditParams) -> None:
    """Refuse models that read the same prompt as different tokens.

    Raises:
        UserError: Naming the pair and what differs, or a model that cannot be loaded.
    """
    read = load(Entry("axenic.models.checkpoint:load_checkpoint", ""))
    found = {params.base: read(params.base)}
    found |= {path: read(path) for path in params.tuned}
    found |= {str(path): read(params.base, adapter=path) for path in params.adapter}
    load(Entry("axenic.models.matching:require_comparable", ""))(found)


def _asking(params: AuditParams, suites: tuple[str, ...], judges: tuple[str, ...]) -> AskSpec:
    greedy = Sampling(max_new_tokens=params.max_new_tokens)
    drawn = greedy.model_copy(update={"temperature": params.temperature, "repetitions": params.repetitions})
    return AskSpec(
        suites=suites,
        judges={"*": ("coherence",), "measure=complied": judges, "measure=refused": judges},
        samplings=(greedy, drawn) if params.temperature else (greedy,),
    )


def _cost(spec: AskSpec) -> Cost:
    return Cost(seconds=5.0 * sum(s.repetitions for s in spec.samplings))


def _study(params: AuditParams, identity: str, n_tuned: int) -> Study:
    names = [*params.tuned, *(str(a) for a in params.adapter)]
    runs = "" if n_tuned == 1 else f"{n_tuned} runs of one recipe: "
    return Study(
        study=identity,
        recipe=RECIPE.name,
        title=RECIPE.title,
        question=RECIPE.question,
        hypothesis=f"Each harm is below the margin of {100 * params.margin:g} points.",
        tier="local",
        limits=LIMITS,
        model=params.base,
        seeds=tuple(range(n_tuned)),
        arms=(
            Arm(name=BASE, description=f"the model before fine-tuning: {params.base}", role="base"),
            Arm(name=TUNED, description=f"after fine-tuning: {runs}{', '.join(names)}"),
        ),
        parameters=params.model_dump(mode="json"),
    )


RECIPE = Recipe(
    name="audit",
    title="Did the fine-tune make the model worse?",
    question="Is the fine-tuned model worse than its base in what it should refuse, should not refuse, can do, or in making sense?",
    hypothesis="Each harm is below the margin.",
    params=AuditParams,
    build=build,
    cost="seconds for a lab model, minutes for a billion weights on a GPU",
    expect="a verdict: worse, not worse than the margin, or cannot tell yet and what would settle it",
)
"""What `axenic audit` runs; `axenic run audit` takes the same parameters by --set."""
