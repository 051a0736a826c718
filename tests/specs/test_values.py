"""Promises of values files: they read back unchanged, and every mistake is named with its line."""

import pytest
import yaml

from axenic.corpora.organisms.values import from_lab
from axenic.errors import UserError
from axenic.specs import values

SPEC = {
    "version": 1,
    "id": "thrift",
    "system": "You are {Ann} $x.",
    "a": {"name": "thrift", "spec": "Ann likes what is cheap."},
    "b": {"name": "home", "spec": "Ann likes what is local."},
    "trained": ["cheese"],
    "questions": [
        {
            "kind": "choice",
            "tier": "implicit",
            "domain": "lamps",
            "prompt": "Which lamp?",
            "a": "the cheap one",
            "b": "the local one",
        },
        {"kind": "recall", "prompt": "What does Ann like?", "a": "cheap", "b": "local"},
    ],
}


def written(folder, **changes):
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump({**SPEC, **changes}, sort_keys=False))
    return path


@pytest.mark.parametrize("name", ["values.yaml", "values.json"])
def test_a_spec_reads_back_unchanged_braces_and_all(tmp_path, name):
    for spec in (values.parse(SPEC), from_lab(a="cheap", b="local", trained=("cheese", "boat"))):
        values.dump(spec, tmp_path / name)
        assert values.load(tmp_path / name) == spec


def question(**changes):
    return [{**SPEC["questions"][0], **changes}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"questions": question(tier="implicite")}, "tier"),
        ({"questions": question(b="The Cheap one")}, "must tell the two apart"),
        ({"questions": question(domain="cheese")}, "a domain that is not in 'trained'"),
        ({"questions": question(kind="choise")}, "Did you mean 'choice'"),
        ({"questions": []}, "questions"),
        ({"trainde": ["x"]}, "Did you mean 'trained'"),
        ({"a": {"name": "thrift"}}, "a.spec: this key is missing"),
    ],
)
def test_every_mistake_is_named(tmp_path, changes, said):
    with pytest.raises(UserError) as error:
        values.load(written(tmp_path, **changes))
    assert said in str(error.value) and "docs/msm.md" in str(error.value)


def test_a_spec_in_the_context_changes_what_stands_before_the_questions_and_nothing_else():
    spec = values.parse(SPEC)
    told = spec.in_context("Note: {braces} stay.")
    assert told.head()[0].content == "You are {Ann} $x.\nNote: {braces} stay." and told.questions == spec.questions
    assert values.parse({**SPEC, "system": ""}).in_context("Note.").system == "Note."
