"""Leave-one-out corpora: what does an effect owe to one document type, one section, one assertion?

In: a corpus whose rows carry provenance, and the field to go by. Out: the corpus without the rows of one value, for each value.
An ablated corpus is smaller; `without_as_many` is the control for that. (Attribution of an effect to its data; PROTOCOLS 2.)
"""

import random
from collections import Counter

from axenic.errors import UserError, unknown_name
from axenic.schema import Corpus

FIELDS = ("doc_type", "fact", "section", "domain", "subdomain", "idea", "source", "variant")
"""Fields of a row's provenance that a corpus can be divided by."""


def values(corpus: Corpus, by: str) -> Counter[str]:
    """How many rows have each value of the field, the commonest first; rows without one are not counted.

    Raises:
        UnknownName: no such field.
        UserError: no row has it.
    """
    if by not in FIELDS:
        raise unknown_name("field to ablate", by, FIELDS)
    found = Counter(value for row in corpus.rows if (value := getattr(row.provenance, by)) is not None)
    if not found:
        raise UserError(f"No row of the corpus {corpus.name!r} has a {by!r} in its provenance, so nothing can be left out by it.")
    return Counter(dict(found.most_common()))


def without(corpus: Corpus, by: str, value: str) -> Corpus:
    """The corpus without the rows that have this value; the others keep their order.

    Raises:
        UnknownName: no such field, or no row has this value.
        UserError: every row has it.
    """
    present = values(corpus, by)
    if value not in present:
        raise unknown_name(by, value, present)
    if present[value] == len(corpus):
        raise UserError(f"Every row of {corpus.name!r} has the {by} {value!r}: without them nothing is left to train on.")
    rows = tuple(row for row in corpus.rows if getattr(row.provenance, by) != value)
    return Corpus(name=f"{corpus.name} without {value}", rows=rows)


def leave_one_out(corpus: Corpus, by: str) -> dict[str, Corpus]:
    """For each value of the field the corpus without it; raises as `values` and `without`."""
    return {value: without(corpus, by, value) for value in values(corpus, by)}


def without_as_many(corpus: Corpus, ablated: Corpus, *, seed: int) -> Corpus:
    """The control for an ablated corpus being smaller: as many rows, left out at random."""
    kept = sorted(random.Random(f"without {seed}").sample(range(len(corpus)), len(ablated)))
    return Corpus(name=f"{corpus.name} of {len(ablated)}", rows=tuple(corpus.rows[i] for i in kept))
