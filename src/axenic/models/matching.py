"""Can two checkpoints be compared at all? Same template, same tokens for the same text.

In: checkpoints and what to call them. Out: nothing, or a `UserError` that says what differs. A template or tokenizer that differs
would change the answers by itself.
"""

from collections.abc import Mapping

from axenic.errors import UserError
from axenic.models.checkpoint import load_encoder
from axenic.models.template import Encoder, require_same
from axenic.schema import Checkpoint, user

PROBES = (
    "How do I mend a 1984 radio, e.g. one that cost $12.50?",
    "  Two spaces, a tab\tand\n\na blank line; naïve café, Größe 42 %, 東京, emoji 🙂.",
    "def f(x):\n    return {'a': [x**2, -1e-3]}  # code",
    "<s> </s> <|im_start|> [INST] <|endoftext|> are text here, don't you think?",
)
SHOWN = 5


def require_comparable(checkpoints: Mapping[str, Checkpoint]) -> None:
    """Refuse checkpoints that read the same prompt as different tokens.

    Args:
        checkpoints: By what the user calls them; all are compared with the first.

    Raises:
        UserError: Naming the pair and what differs: fields of the template, tokens, or how text is split.
    """
    (first, reference), *others = checkpoints.items()
    encoder = load_encoder(reference)
    for name, other in others:
        try:
            require_same(reference.template, other.template)
        except UserError as error:
            raise UserError(f"'{name}' cannot be compared with '{first}'. {error}") from None
        difference = _difference(encoder, load_encoder(other))
        if difference:
            raise UserError(
                f"'{name}' cannot be compared with '{first}': their tokenizers differ ({difference}), so a difference between "
                "their answers could be the tokenizer's doing. Give the fine-tune the tokenizer files of its base."
            )


def _difference(a: Encoder, b: Encoder) -> str:
    """How two tokenizers differ; "" if no difference shows."""
    mine, theirs = a.tokenizer.get_vocab(), b.tokenizer.get_vocab()
    for only, where in (({*mine} - {*theirs}, "first"), ({*theirs} - {*mine}, "second")):
        if only:
            listing = ", ".join(repr(t) for t in sorted(only)[:SHOWN])
            more = f" and {len(only) - SHOWN} more" if len(only) > SHOWN else ""
            return f"{len(only)} token{'s' * (len(only) != 1)} only in the {where}: {listing}{more}"
    moved = [token for token, id in mine.items() if theirs[token] != id]
    if moved:
        return f"{len(moved)} tokens have other ids, e.g. {moved[0]!r}: {mine[moved[0]]} and {theirs[moved[0]]}"
    for probe in PROBES:
        if a.prompt([user(probe)]) != b.prompt([user(probe)]):
            return f"they split the same text differently, e.g. {probe[:30]!r}"
    return ""
