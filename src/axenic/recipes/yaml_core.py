"""YAML as people expect it: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).

In: text. Out: plain data. PyYAML reads YAML 1.1, in which `1e-3` is a string, `no` is false, `12:30` is 750 and a key given
twice silently wins; here they are a number, two strings and an error.
"""

import re
from typing import Any

import yaml


class YamlProblem(Exception):
    """What is wrong with the text and on which line, in one sentence."""


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2 and without duplicate keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
for _tag, (_pattern, _first) in _SCALARS.items():
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def parse_yaml(text: str) -> Any:
    """Read one YAML document.

    Raises:
        YamlProblem: The text is not YAML; names the line.
    """
    try:
        return yaml.load(text, Loader=_CoreLoader)  # a SafeLoader: builds plain data only
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise YamlProblem(f"{line}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise YamlProblem(str(error).splitlines()[0]) from None
