"""A recipe's parameters from everything a user may say: defaults < `--config FILE.yaml` < `--set key=value` < flags.

In: the recipe's pydantic model and what was said. Out: one validated, frozen instance of it. Values are YAML, so that lists
work (`--set docs=[8,32]`); dots reach into nested parameters (`--set sft.epochs=2`). Every problem is reported at once, one
line each, with the key and where its value came from. Also here: the nested parameters that several recipes have.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError

from axenic.errors import UserError, unknown_name
from axenic.recipes.yaml_core import YamlProblem, parse_yaml
from axenic.schema import Noun

Tree = dict[str, Any]
Key = tuple[str, ...]
P = TypeVar("P", bound=BaseModel)
RECIPE_KEY = "recipe"
"""The key by which a config file says which recipe it is for."""


class Tuning(Noun):
    """Parameters of one supervised training; what is left out takes the recipe's default."""

    steps: int | None = Field(None, ge=1)
    epochs: int | None = Field(None, ge=1, le=1000)  # instead of steps
    learning_rate: float | None = Field(None, gt=0, le=10)
    batch_size: int | None = Field(None, ge=1, le=65536)
    micro_batch_size: int | None = Field(None, ge=1)
    schedule: Literal["cosine", "linear", "constant"] | None = None
    optimizer: Literal["adamw", "adamw_8bit"] | None = None

    def over(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of a `training.spec.TrainSpec`: what was said, else the defaults; a length that is said replaces theirs."""
        said = {name: value for name, value in self.model_dump().items() if value is not None}
        lengths = ("steps", "epochs")
        found = {name: value for name, value in defaults.items() if name not in lengths or not said.keys() & set(lengths)} | said
        steps = found.pop("steps", None)
        if steps is not None:
            found.pop("epochs", None)
            found["max_steps"] = steps
        return found


def merge(model: type[P], *, config: Path | None = None, sets: Sequence[str] = (), flags: Mapping[str, Any] | None = None) -> P:
    """Build a recipe's parameters.

    Args:
        model: The recipe's parameter model.
        config: A YAML or JSON file with a mapping of parameters.
        sets: `key=value` pairs as typed after `--set`; later ones win.
        flags: Values of command-line flags by parameter name; None means not given.

    Raises:
        UserError: A key is unknown or a value invalid; names every one, its source, and for a typing error the nearest match.
    """
    merged: Tree = {}
    sources: dict[Key, str] = {}
    if config is not None:
        given = {key: value for key, value in read_config(config).items() if key != RECIPE_KEY}
        _overlay(merged, given, source=f"in {config}", sources=sources)
    for text in sets:
        _overlay(merged, parse_set(text), source=f"from --set {text}", sources=sources)
    for name, value in (flags or {}).items():
        if value is None:
            continue
        if name not in model.model_fields:
            raise UserError(f"This recipe takes no --{name}. It takes: {', '.join(sorted(model.model_fields))}.")
        _overlay(merged, {name: value}, source=f"from --{name}", sources=sources)
    if "seeds" in merged and "seeds" in model.model_fields:
        merged["seeds"] = parse_seeds(merged["seeds"])
    return _validate(model, merged, lambda key: _source(key, sources))


def one_is_a_list(value: object) -> object:
    """A single value where a parameter takes several, e.g. `--set docs=8`."""
    return value if isinstance(value, list | tuple) else (value,)


def recipe_of(config: Path) -> str | None:
    """The recipe that a config file is for, where it says so (`recipe: NAME`)."""
    named = read_config(config).get(RECIPE_KEY)
    if named is not None and not isinstance(named, str):
        raise UserError(f"The --config file {config}: 'recipe' must be a name of `axenic list`, not {named!r}.")
    return named


def refuse_unused(params: BaseModel, names: Iterable[str], *, because: str) -> None:
    """Refuse parameters that the user gave although they would have no effect, e.g. `size` beside `model`.

    Raises:
        UserError: One of `names` was given; `because` completes "has no effect here: ...".
    """
    given = [name for name in names if name in params.model_fields_set]
    if given:
        listing = ", ".join(f"'{name}'" for name in given)
        raise UserError(f"{listing} {'has' if len(given) == 1 else 'have'} no effect here: {because}. Leave it out.")


def parse_set(text: str) -> Tree:
    """Turn `a.b=[1,2]` into `{"a": {"b": [1, 2]}}`."""
    key, equals, value = text.partition("=")
    keys = [part.strip() for part in key.split(".")]
    if not equals or not all(keys):
        raise UserError(f"--set '{text}' is not of the form key=value, e.g. --set docs=[8,32].")
    try:
        parsed = parse_yaml(value)
    except YamlProblem as problem:
        raise UserError(f"--set '{text}': the value is not valid YAML: {problem}. Quote it, e.g. --set 'name=\"a: b\"'.") from None
    for part in reversed(keys):
        parsed = {part: parsed}
    return dict(parsed)


def read_config(path: Path) -> Tree:
    """Read a mapping of parameters from a YAML (or JSON) file."""
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"The --config file {path} cannot be read: {error.strerror}.") from None
    except (YamlProblem, UnicodeDecodeError) as problem:
        raise UserError(f"The --config file {path} is not valid YAML: {problem}.") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UserError(f"The --config file {path} must hold parameters as 'key: value' lines, not a {type(content).__name__}.")
    return content


def parse_seeds(value: object) -> tuple[int, ...]:
    """Seeds from a count (3 -> 0, 1, 2) or a list ("3,5,7"; "5," is the one seed 5).

    Raises:
        UserError: Not whole numbers, fewer than one, negative, or one of them twice.
    """
    wrong = UserError(f"Seeds must be a count, e.g. 3, or a list of different whole numbers, e.g. 3,5,7; got {value!r}.")
    try:
        parts = list(value) if isinstance(value, list | tuple) else [p for p in str(value).split(",") if p.strip()]
        seeds = tuple(int(str(part)) for part in parts)
    except ValueError:
        raise wrong from None
    if not isinstance(value, list | tuple) and "," not in str(value) and len(seeds) == 1:
        seeds = tuple(range(seeds[0])) if seeds[0] <= 10_000 else ()
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise wrong
    return seeds


def _overlay(into: Tree, new: Tree, *, source: str, sources: dict[Key, str], at: Key = ()) -> None:
    for key, value in new.items():
        here = (*at, key)
        if isinstance(value, dict) and isinstance(into.get(key, {}), dict):
            _overlay(into.setdefault(key, {}), value, source=source, sources=sources, at=here)
        else:
            into[key] = value
        sources[here] = source


def _source(key: Key, sources: Mapping[Key, str]) -> str:
    """Where the value at `key`, or else its nearest parent, came from; "" for a default."""
    return next((sources[key[:n]] for n in range(len(key), 0, -1) if key[:n] in sources), "")


def _validate(model: type[P], data: Tree, source: Callable[[Key], str]) -> P:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_line(model, dict(problem), source) for problem in error.errors(include_url=False)]
        raise UserError("\n".join(lines)) from None


def _line(model: type[BaseModel], problem: Mapping[str, Any], source: Callable[[Key], str]) -> str:
    """One problem, in words: which key, what is wrong, where the value came from."""
    key = tuple(str(part) for part in problem["loc"])
    origin = source(key)
    where = f" ({origin})" if origin else ""
    if problem["type"] == "extra_forbidden":
        known = _fields(model, key[:-1])
        return str(unknown_name("parameter", ".".join(key), (".".join((*key[:-1], name)) for name in known))) + where
    name = f"Parameter '{'.'.join(key)}'" if key else "The parameters"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if problem["type"] == "missing" or not key else f", not {problem['input']!r}"
    return f"{name}: {message[0].lower() + message[1:]}{given}{where}."


def _fields(model: type[BaseModel], key: Key) -> list[str]:
    """The names that are known at `key` inside a (nested) parameter model."""
    for part in key:
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType):
        return next((m for a in get_args(annotation) if (m := _model_in(a))), None)
    return None
