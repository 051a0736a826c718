"""Show exactly which tokens carry loss (`axenic show-loss-mask`).

In: an encoder and a few texts. Out: a rich renderable in which the tokens that carry loss stand out.
"""

from collections.abc import Iterable

from rich.console import Group
from rich.text import Text

from axenic.models.template import Encoder, Tokens
from axenic.schema import Document, Row

_LOSS = "bold black on green"
_NO_LOSS = "dim"


def show(encoder: Encoder, rows: Iterable[Row]) -> Group:
    """The texts as the model sees them, one token after the other between bars; highlighted tokens carry loss."""
    legend = Text.assemble((" carries loss ", _LOSS), " ", ("no loss", _NO_LOSS))
    return Group(legend, *(_line(encoder, tokens(encoder, row)) for row in rows))


def tokens(encoder: Encoder, row: Row) -> Tokens:
    """Ids and mask of one text of either kind."""
    return encoder.document(row) if isinstance(row, Document) else encoder.chat(row)


def pieces(encoder: Encoder, encoded: Tokens) -> list[tuple[str, bool]]:
    """Each token as readable text, and whether it carries loss."""
    texts = [encoder.tokenizer.decode([i]) for i in encoded.ids]
    return [(text.replace("\n", "\\n"), carries) for text, carries in zip(texts, encoded.mask, strict=True)]


def _line(encoder: Encoder, encoded: Tokens) -> Text:
    shown = pieces(encoder, encoded)
    count = sum(carries for _, carries in shown)
    line = Text(f"{count} of {len(shown)} tokens carry loss\n", style="italic")
    for text, carries in shown:
        line.append(text, style=_LOSS if carries else _NO_LOSS)
        line.append("|", style="dim")
    return line.append("\n")
