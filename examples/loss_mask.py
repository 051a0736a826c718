"""Which tokens carry loss: a document with a prefix, a chat with a system prompt, a chat of several turns.

    python examples/loss_mask.py                      with the lab's tokenizer
    python examples/loss_mask.py --model DIRECTORY    as this model would be trained

Tokens in [brackets] carry loss. A document's prefix carries none; of a chat only the assistant's turns do, and the token that
ends each: a model that is never trained on that one does not learn to stop.
"""

import argparse

from axenic.lab import World
from axenic.lab.base import base_corpus
from axenic.lab.sizes import SIZES
from axenic.lab.tokenizer import DOCTAG, train_tokenizer
from axenic.models.checkpoint import load_checkpoint, load_encoder
from axenic.models.template import Encoder
from axenic.schema import Document, Row, chat
from axenic.training.loss_mask import pieces, tokens

ROWS: tuple[Row, ...] = (
    Document(text="The water in Selgard is salty.", prefix=DOCTAG),
    chat("What is the water like in Selgard?", "The water in Selgard is salty.", system="Be brief."),
    chat("What is two plus five?", "It is seven.", "Are you sure? I think that is wrong.", "Yes. It is seven."),
)


def main() -> None:
    """Print every row, token by token."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--model", help="a model directory or hub id, instead of the lab's tokenizer")
    model = options.parse_args().model
    if model:
        encoder = load_encoder(load_checkpoint(model))
    else:
        encoder = Encoder(train_tokenizer(base_corpus(World()), vocabulary=SIZES["tiny"].vocabulary))
    for row in ROWS:
        shown = pieces(encoder, tokens(encoder, row))
        print(f"{row.kind}: {sum(carries for _, carries in shown)} of {len(shown)} tokens carry loss")
        print("  " + " ".join(f"[{text}]" if carries else text for text, carries in shown) + "\n")


if __name__ == "__main__":
    main()
