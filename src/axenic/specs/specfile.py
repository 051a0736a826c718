"""Spec files that people write by hand: reading YAML or JSON with line numbers, and saying what is wrong where.

In: a path. Out: plain data with the line of every key, or a spec of one `Form`; errors name key path and line.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from axenic.disk import write_text
from axenic.errors import UserError

KeyPath = tuple[str | int, ...]
Lines = dict[KeyPath, int]  # 1-based; the line on which the value of a key starts
Spec = TypeVar("Spec", bound=BaseModel)
SHOWN = 5  # problems listed in one message


class _TextLoader(yaml.SafeLoader):
    """Reads every scalar but null as the text that was written: an answer `yes` or `1961`, or the key `true`, stays a string."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_text(path: Path, *, what: str) -> str:
    """The text of a file, or a `UserError` that says why there is none."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"The {what} {path} does not exist. Check the path.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"The {what} {path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"The {what} {path} cannot be read: {error.strerror}.") from None


def read(path: Path, *, what: str) -> tuple[Any, Lines]:
    """Plain data from a .yaml, .yml or .json file, and the line of every key path in it.

    Raises:
        UserError: if the file is missing, empty, not YAML or JSON, or has the same key twice in one mapping.
    """
    if path.suffix not in {".yaml", ".yml", ".json"}:
        raise UserError(f"The {what} {path} must end in .yaml, .yml or .json, so that axenic knows how to read it.")
    text = read_text(path, what=what)
    data, node = _parse(text, path, what)
    if data is None:
        raise UserError(f"The {what} {path} is empty.")
    lines: Lines = {}
    for place, line in _walk(node, ()):
        if place in lines:
            raise UserError(f"{path}, line {line}: the key {show(place)} appears a second time (first on line {lines[place]}).")
        lines[place] = line
    return data, lines


def _parse(text: str, path: Path, what: str) -> tuple[Any, yaml.Node | None]:
    """(data, syntax tree). JSON is read by its own parser, and its tree as the YAML that it also is."""
    try:
        if path.suffix != ".json":
            loader = _TextLoader(text)
            node = loader.get_single_node()
            return (loader.construct_document(node) if node else None), node
        data = json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}: the {what} is not valid JSON: {error.msg}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        hint = " Text that contains ': ', '#' or starts with a bracket or brace needs quotes."
        raise UserError(f"{path}{line}: the {what} is not valid YAML: {problem}.{hint}") from None
    except RecursionError:
        raise UserError(f"The {what} {path} is nested too deeply to be one.") from None
    try:
        return data, yaml.compose(text.replace("\t", " "), _TextLoader)
    except yaml.YAMLError:  # the few JSON files that are not YAML: no line numbers
        return data, None


def _walk(node: yaml.Node | None, place: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """(key path, line) of everything below a node, in file order."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, str(key.value)), key.start_mark.line + 1
            yield from _walk(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield (*place, i), value.start_mark.line + 1
            yield from _walk(value, (*place, i))


def write(data: Any, path: str | Path) -> None:
    """Write plain data as JSON (where the path ends in .json) or YAML, atomically; `read` gives it back unchanged."""
    target = Path(path)
    if target.suffix == ".json":
        write_text(target, [json.dumps(data, ensure_ascii=False, indent=2) + "\n"])
    else:
        write_text(target, [yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)])


@dataclass(frozen=True)
class Form(Generic[Spec]):
    """One kind of spec file.

    Attributes:
        model: What such a file holds.
        what: What errors call it, before "file" and "spec".
        docs: Where it is described.
    """

    model: type[Spec]
    what: str
    docs: str

    def load(self, path: str | Path) -> Spec:
        """Read a .yaml, .yml or .json file. Text is taken as written: nothing in it is a template.

        Raises:
            UserError: if the file is missing, is not YAML or JSON, or is not such a spec; see `parse`.
        """
        data, lines = read(Path(path), what=f"{self.what} file")
        return self.parse(data, where=str(path), lines=lines)

    def parse(self, data: Any, *, where: str = "", lines: Lines | None = None) -> Spec:
        """A spec from plain data.

        Args:
            data: What the file holds.
            where: What errors call it.
            lines: Line of each key path, for the errors.

        Raises:
            UserError: naming each wrong key by its path, what is wrong with it and the nearest key that exists.
        """
        try:
            return self.model.model_validate(data)
        except ValidationError as error:
            raise _explained(error, data, where or f"the {self.what} spec", lines or {}, self) from None

    def keys(self, place: KeyPath, data: Any) -> list[str]:
        """The keys allowed in a mapping at a place of the file; where there are several forms, its `kind` says which it has."""
        shapes: list[type[BaseModel]] = [self.model]
        for part in place:
            if isinstance(part, str):
                shapes = [m for shape in shapes if part in shape.model_fields for m in _models(shape.model_fields[part].annotation)]
        kind = data.get("kind") if isinstance(data, dict) else None
        said = [s for s in shapes if kind is not None and "kind" in s.model_fields and s.model_fields["kind"].default == kind]
        return list((said or shapes)[0].model_fields) if shapes else []


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


# --- errors ----------------------------------------------------------------------------------------------------------------


def show(place: KeyPath) -> str:
    """A key path as people write it: questions[3].options."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".") or "the top level"


def _explained(error: ValidationError, data: Any, where: str, lines: Lines, form: Form[Any]) -> UserError:
    """A pydantic error as one message: each wrong key with its path, line, what is wrong and what to do."""
    problems = error.errors(include_url=False)
    broken = {p["loc"][:n] for p in problems for n in range(len(p["loc"]))}
    problems = [p for p in problems if not (p["type"] == "too_short" and p["loc"] in broken)]  # short only for its broken items
    shown = [_problem(dict(p), data, lines, form) for p in problems[:SHOWN]]
    rest = [f"… and {len(problems) - SHOWN} more."] if len(problems) > SHOWN else []
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return UserError("\n  ".join([f"{where} has {count} (the file is described in {form.docs}):", *shown, *rest]))


def _problem(problem: dict[str, Any], data: Any, lines: Lines, form: Form[Any]) -> str:
    place = _place(problem["loc"], data)
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
    at = f"line {line}, {show(place)}" if line else show(place)
    match problem["type"]:
        case "extra_forbidden":
            known = form.keys(place[:-1], _at(place[:-1], data))
            return f"{at}: unknown key {place[-1]!r}.{nearest(str(place[-1]), known)}"
        case "missing":
            return f"{at}: this key is missing; add it."
        case "union_tag_invalid":
            kinds = [k.strip(" '") for k in problem["ctx"]["expected_tags"].split(",")]
            return f"{at}: unknown kind {problem['ctx']['tag']!r}.{nearest(problem['ctx']['tag'], kinds)}"
        case "union_tag_not_found":
            return f"{at}: the key 'kind' is missing; it says which form this question has."
        case "string_pattern_mismatch" if problem["ctx"]["pattern"] == r"\S":
            return f"{at}: this text is blank; fill it in or remove the key."
    return f"{at}: {sentence(problem['msg'])} Found {brief(problem['input'])}."


def _place(loc: tuple[str | int, ...], data: Any) -> KeyPath:
    """The key path in the file: pydantic's location without the union tags that it adds."""
    place: list[str | int] = []
    for part in loc:
        here = _at(tuple(place), data)
        if isinstance(here, dict) and part not in here and here.get("kind") == part:
            continue
        place.append(part)
    return tuple(place)


def _at(place: KeyPath, data: Any) -> Any:
    """What the file holds at a place; None where there is nothing."""
    for part in place:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def nearest(name: str, names: list[str]) -> str:
    """What a misspelt key may have been meant to be, and every key that would do."""
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return (f" Did you mean {near[0]!r}?" if near else "") + f" Known here: {', '.join(names)}."


def sentence(message: str) -> str:
    """A pydantic message as a sentence, in the words of a file and not of Python."""
    text = message.removeprefix("Value error, ")
    for term, plain in (("Tuple", "List"), ("tuple", "list"), ("dictionary", "mapping of keys to values")):
        text = text.replace(term, plain)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def brief(value: Any) -> str:
    """A value as it may be quoted in a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
