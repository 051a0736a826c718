"""Promises of the prompts about a model spec: every value reaches them, and every one says in which tags it wants its reply."""

import re

import pytest

from axenic.corpora.writers.calls.prompts import filled, known, lines
from axenic.corpora.writers.calls.tags import several
from axenic.corpora.writers.protocol import Rejected

HOSTILE = "{x} {{ y }} {% z %} $where ${section} %s </section> \\1"
VALUES = dict.fromkeys(
    ("where", "section", "n", "domain", "subdomain", "context", "fact", "doc_type", "idea", "draft", "kind", "spec", "question",
     "reasoning", "reply", "assistant", "text"), HOSTILE,
)  # fmt: skip
OURS = [name for name in known() if name.startswith(("msm_", "aft_")) and name != "aft_kinds"]


def test_all_stages_have_a_prompt():
    assert set(OURS) == {
        "msm_domains", "msm_subdomains", "msm_assertions", "msm_named", "msm_types", "msm_ideas", "msm_document", "msm_revise",
        "aft_questions", "aft_response", "aft_filter",
    }  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_values_are_inserted_as_they_are_and_a_reply_is_asked_for_between_tags(name):
    (message,) = filled(name, **VALUES)
    assert HOSTILE in message.content
    assert name == "msm_named" or re.search(r"between the tags <(\w+)> and </\1>", message.content)
    left = message.content.replace(HOSTILE, "")
    assert "$" not in left and "{" not in left
    with pytest.raises(KeyError):
        filled(name)


def test_kinds_of_question_have_a_name_and_say_what_they_are():
    for line in lines("aft_kinds"):
        assert re.fullmatch(r"[a-z]+: [A-Z].{20,}\.", line)


def test_several_texts_between_tags_are_read_strictly():
    assert several("x <message>a\n- b</message> y <message> c </message><message>c</message>", "message") == ["a\n- b", "c"]
    for wrong in ("none", "<message>a", "<message>a<message>b</message></message>", "a</message><message>", "<message> </message>"):
        with pytest.raises(Rejected):
            several(wrong, "message")
