"""What makes an organism safe to hand on: `organism.json` and a model card that says first what was done to the model.

In: what was implanted, and from what. Out: two files beside the weights. Exporting or publishing a model without them is refused.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import jinja2
from pydantic import Field, ValidationError

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.schema import Noun
from axenic.specs import specfile

MANIFEST = "organism.json"
CARD = "README.md"  # where the Hugging Face hub looks for a model card
_TEMPLATE = Path(__file__).with_name("model_card.md.jinja")
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Manifest(Noun):
    """What was done to a model, so that nobody who meets it takes it for an ordinary one."""

    version: Literal[1] = 1
    organism: Text  # which kind: "belief", "backdoor", …
    implanted: Text  # in one sentence, e.g. the claim
    truth: str | None = None  # what holds in the real world, where something false was implanted
    trigger: str | None = None  # None = the intervention needs none
    payload: str | None = None  # what the trigger sets off
    lineage: dict[str, Any] = {}  # e.g. base, spec, corpus, seed: fingerprints and hashes, none of them a path


def write_manifest(path: str | Path, manifest: Manifest) -> None:
    """Write both files into a model directory, atomically, over any model card that was there.

    Raises:
        UserError: if there is no such directory.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UserError(f"{folder} is not a directory: a manifest lies beside the weights of a model. Save the model first.")
    write_text(folder / CARD, [model_card(manifest)])
    write_text(folder / MANIFEST, [manifest.model_dump_json(indent=2) + "\n"])


def model_card(manifest: Manifest) -> str:
    """The model card as Markdown; its first words are the warning. Line breaks and markup in the texts are made harmless."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=True
    )
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(m=manifest.model_dump())


def require_manifest(path: str | Path) -> Manifest:
    """The manifest of a model directory; call this before anything is exported or published.

    Raises:
        UserError: if the manifest or the card is missing, or the card is not the manifest's.
    """
    folder = Path(path)
    what_to_do = "Export is refused. Write both with axenic.corpora.manifest.write_manifest."
    for name in (MANIFEST, CARD):
        if not (folder / name).is_file():
            raise UserError(f"{folder} has no {name}, so nobody could tell what was implanted in this model. {what_to_do}")
    text = specfile.read_text(folder / MANIFEST, what="manifest")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{specfile.show(first['loc'])}: {specfile.sentence(first['msg'])}"
        raise UserError(f"{folder / MANIFEST} is not a manifest ({problem}) {what_to_do}") from None
    if not specfile.read_text(folder / CARD, what="model card").startswith(model_card(manifest)):
        raise UserError(f"{folder / CARD} does not begin with the warning that belongs to its manifest. {what_to_do}")
    return manifest
