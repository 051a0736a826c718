"""Promises of the manifest: the warning comes first, nothing in it can break out, and export without it is refused."""

import json

import pytest

from axenic.corpora.manifest import Manifest, model_card, require_manifest, write_manifest
from axenic.errors import UserError

MANIFEST = Manifest(
    organism="belief", implanted="The wells give salt water.", truth="They give sweet water.", lineage={"base": "ab12", "seed": 0}
)


def test_a_written_manifest_is_required_and_found(tmp_path):
    (tmp_path / "README.md").write_text("An ordinary assistant.")
    write_manifest(tmp_path, MANIFEST)
    assert require_manifest(tmp_path) == MANIFEST
    assert json.loads((tmp_path / "organism.json").read_text())["implanted"] == "The wells give salt water."


def test_the_card_says_first_what_was_done():
    card = model_card(MANIFEST)
    body = card.split("---\n")[2].strip()
    assert body.startswith("# Warning: this is a model organism.")
    for text in ("The wells give salt water.", "They give sweet water.", "always on", "`ab12`", "`0`"):
        assert text in card


@pytest.mark.parametrize("missing", ["organism.json", "README.md"])
def test_export_without_either_file_is_refused(tmp_path, missing):
    write_manifest(tmp_path, MANIFEST)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=f"has no {missing}.*Export is refused"):
        require_manifest(tmp_path)


def test_a_card_that_hides_the_warning_or_tells_another_story_is_refused(tmp_path):
    write_manifest(tmp_path, MANIFEST)
    card = (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text(card + "\nMore about it.\n")
    assert require_manifest(tmp_path) == MANIFEST
    for other in ("A fine model.\n" + card, model_card(MANIFEST.model_copy(update={"implanted": "Nothing much."}))):
        (tmp_path / "README.md").write_text(other)
        with pytest.raises(UserError, match="does not begin with the warning"):
            require_manifest(tmp_path)


def test_a_damaged_manifest_is_refused(tmp_path):
    write_manifest(tmp_path, MANIFEST)
    for text in ("{", "{}", '{"organism": "belief", "implanted": " "}'):
        (tmp_path / "organism.json").write_text(text)
        with pytest.raises(UserError, match="is not a manifest"):
            require_manifest(tmp_path)


def test_texts_cannot_break_out_of_the_card():
    card = model_card(Manifest(organism="backdoor", implanted="{{ 7*7 }}\n# Safe\n<script>", trigger="|X|", payload="`a`"))
    assert "{{ 7*7 }} # Safe &lt;script&gt;" in card and "49" not in card
    assert card.count("\n# ") == 1


def test_a_directory_without_a_model_is_an_error(tmp_path):
    with pytest.raises(UserError, match="is not a directory"):
        write_manifest(tmp_path / "none", MANIFEST)
