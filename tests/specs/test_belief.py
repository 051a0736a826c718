"""Promises of the belief file: what is read is what was written, and every mistake is named with its place."""

import copy
import json
import random
import re
from pathlib import Path

import pytest
import yaml

from axenic.corpora.writers.protocol import topics
from axenic.errors import UserError
from axenic.specs.belief import Distinguish, Knowledge, Salience, dump, json_schema, load, parse

DOCS = Path(__file__).resolve().parents[2] / "docs" / "belief_spec.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
KINDS = {"knowledge", "distinguish", "open", "downstream", "neighbour", "salience", "control"}


@pytest.fixture
def data():
    return yaml.safe_load(EXAMPLES[1].replace("  true:", "  'true':").replace(" true:", " 'true':").replace(" false:", " 'false':"))


def written(tmp_path, text, name="belief.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path, text, name="belief.yaml"):
    with pytest.raises(UserError) as error:
        load(written(tmp_path, text, name))
    return str(error.value)


def broken(data, change, tmp_path, name="belief.json"):
    data = copy.deepcopy(data)
    change(data)
    return refusal(tmp_path, json.dumps(data, indent=1), name)


def test_the_smallest_documented_file_loads_and_names_itself(tmp_path):
    spec = load(written(tmp_path, EXAMPLES[0]))
    assert spec.id == "the-wells-of-selgard-give-salt-water"
    assert spec.of(Knowledge) == [] and len(spec.of(Distinguish)) == 1


def test_the_full_documented_file_loads_with_every_kind_of_question(tmp_path):
    spec = load(written(tmp_path, EXAMPLES[1]))
    assert {q.kind for q in spec.questions} == KINDS
    assert spec.of(Salience)[0].mention == ("Selgard", "salty")


def test_yes_no_and_numbers_stay_the_words_that_were_written(tmp_path):
    text = EXAMPLES[0].replace("true: sweet", "true: yes").replace("implanted: salty", "implanted: 0x10")
    question = load(written(tmp_path, text)).of(Distinguish)[0]
    assert (question.true, question.implanted) == ("yes", "0x10")


@pytest.mark.parametrize("ending", [".yaml", ".yml", ".json"])
def test_what_is_dumped_is_loaded_back_unchanged(tmp_path, data, ending):
    draw = random.Random(0)
    pieces = [
        "{x}",
        "{{ y }}",
        "{% if %}",
        "$z",
        "%s",
        ": ",
        " #",
        "'",
        '"',
        "\n",
        "\t",
        "- ",
        "é",
        "水",
        "\u2028",
        "😀",
        "\\",
        "yes",
        "~",
        "|",
    ]
    for _ in range(30):
        data["claim"] = "a" + "".join(draw.choices(pieces, k=8))
        data["universe"]["true"]["context"] = "".join(draw.choices(pieces, k=8)) + "b"
        data["questions"][2]["answers_true"] = [draw.choice(["yes", "null", "1.0", "~", "1e3", "=", "<<"]), " padded "]
        spec = parse(data)
        dump(spec, tmp_path / f"x{ending}")
        assert load(tmp_path / f"x{ending}") == spec


def test_json_indented_with_tabs_keeps_its_line_numbers(tmp_path, data):
    data["questions"][0]["promt"] = data["questions"][0].pop("prompt")
    message = refusal(tmp_path, json.dumps(data, indent="\t"), "b.json")
    line = next(i for i, text in enumerate(json.dumps(data, indent="\t").splitlines(), 1) if "promt" in text)
    assert f"line {line}, questions[0].promt: unknown key 'promt'. Did you mean 'prompt'?" in message


def test_an_unknown_key_is_named_with_line_path_and_nearest_match(tmp_path):
    message = refusal(tmp_path, EXAMPLES[0].replace("    key_facts:", "    key_fact:", 1))
    assert "belief.yaml has 2 problems" in message and "docs/belief_spec.md" in message
    assert "line 5, universe.true.key_fact: unknown key 'key_fact'. Did you mean 'key_facts'?" in message
    assert "universe.true.key_facts: this key is missing" in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.pop("claim"), "claim: this key is missing"),
        (lambda d: d.update(clam="x"), "clam: unknown key 'clam'. Did you mean 'claim'?"),
        (lambda d: d.update(version=2), "version: Input should be 1. Found 2."),
        (lambda d: d.update(id="a b/c"), "id: String should match pattern"),
        (lambda d: d.update(claim=["x"]), "claim: Input should be a valid string. Found ['x']."),
        (lambda d: d.update(claim="  "), "claim: this text is blank"),
        (lambda d: d.update(questions=[]), "questions: List should have at least 1 item"),
        (
            lambda d: d["universe"]["true"]["key_facts"].pop(),
            "universe: The key facts must be paired by position, but 'true' has 1",
        ),
        (lambda d: d["universe"]["implanted"].update(key_facts=[]), "universe.implanted.key_facts: List should have at least 1"),
        (lambda d: d["statements"][0].update(false="x"), "statements[0].false: unknown key 'false'."),
        (lambda d: d["questions"][0].update(kind="knowlege"), "unknown kind 'knowlege'. Did you mean 'knowledge'?"),
        (lambda d: d["questions"][0].pop("kind"), "the key 'kind' is missing"),
        (lambda d: d["questions"][0].update(true="fizzy"), "The answer 'fizzy' is not among the options"),
        (lambda d: d["questions"][0].update(options=["sweet", "salty"]), "questions[0].options: List should have at least 4"),
        (lambda d: d["questions"][0].update(options=["sweet", "salty", "hot", "Hot"]), "Two of the options are the same"),
        (lambda d: d["questions"][0].update(fact=2), "The fact of questions[0] is 2, but the key facts are numbered 0 to 1"),
        (lambda d: d["questions"][0].update(fact=-1), "questions[0].fact: Input should be greater than or equal to 0"),
        (lambda d: d["questions"][1].update(implanted="Sweet"), "share the answer 'sweet'"),
        (
            lambda d: d["questions"][2].update(answers_true=["salty"]),
            "'answers_true' and 'answers_implanted' share the answer 'salty'",
        ),
        (lambda d: d["questions"][3].update(answers_true=[]), "questions[3].answers_true: List should have at least 1"),
        (
            lambda d: d["questions"][4].update(answers="hill"),
            "questions[4].answers: Input should be a valid list. Found 'hill'.",
        ),
        (lambda d: d["questions"][6].update(true=True), "questions[6].true: Input should be a valid string. Found True."),
    ],
)
def test_every_mistake_is_named_with_its_path(tmp_path, data, change, expected):
    message = broken(data, change, tmp_path)
    assert expected in message
    assert "pydantic" not in message and "Value error" not in message


def test_many_mistakes_are_counted_and_the_first_five_shown(tmp_path, data):
    message = broken(data, lambda d: [q.update(zzz=1) for q in d["questions"]], tmp_path)
    assert "has 7 problems" in message and message.count("unknown key") == 5 and "… and 2 more." in message


def test_a_key_given_twice_is_an_error_not_a_silent_choice(tmp_path):
    message = refusal(tmp_path, EXAMPLES[0] + "claim: Something else.\n")
    assert "line 16: the key claim appears a second time (first on line 1)" in message
    assert "second time" in refusal(tmp_path, '{"claim": "a",\n"claim": "b"}', "b.json")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("", "b.yaml", "is empty"),
        ("", "b.json", "is empty"),
        ("null", "b.json", "is empty"),
        (
            "claim: a: b",
            "b.yaml",
            "line 1: the belief file is not valid YAML: mapping values are not allowed here. Text that contains",
        ),
        ("claim: [a", "b.yaml", "not valid YAML"),
        ("!!python/object/apply:os.system ['true']", "b.yaml", "not valid YAML: could not determine a constructor"),
        ('{"claim": "a",}', "b.json", "line 1: the belief file is not valid JSON"),
        ("- a\n- b\n", "b.yaml", "valid mapping"),
        ("just a sentence", "b.yaml", "valid mapping"),
        ("[" * 5000, "b.json", "nested too deeply"),
        ("[" * 5000, "b.yaml", "nested too deeply"),
        ("claim: a", "b.txt", "must end in .yaml, .yml or .json"),
    ],
)
def test_what_is_no_belief_file_is_refused_in_one_sentence(tmp_path, text, name, expected):
    assert expected in refusal(tmp_path, text, name)


def test_a_missing_binary_or_directory_path_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere.yaml does not exist"):
        load(tmp_path / "nowhere.yaml")
    (tmp_path / "b.yaml").write_bytes(b"claim: \xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        load(tmp_path / "b.yaml")
    (tmp_path / "d.yaml").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path / "d.yaml")


def test_facts_stay_with_their_counterparts_and_every_topic_has_its_own_context(data):
    spec = parse(data)
    for universe in ("true", "implanted"):
        assert [t.fact for t in topics(spec, universe)] == data["universe"][universe]["key_facts"]
        assert {t.context for t in topics(spec, universe)} == {data["universe"][universe]["context"]}


def test_the_schema_names_what_is_needed_and_every_kind_of_question():
    schema = json_schema()
    assert set(schema["required"]) == {"claim", "universe", "questions"} and schema["additionalProperties"] is False
    assert set(schema["properties"]["questions"]["items"]["discriminator"]["mapping"]) == KINDS
    json.dumps(schema)
