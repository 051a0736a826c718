"""A user's mistake, told the way Inspect tells one: a message without a traceback.

In: code that raises `UserError`. Out: Inspect's `PrerequisiteError` with the same message.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from inspect_ai._util.error import PrerequisiteError as Refused

from axenic.errors import UserError

__all__ = ["Refused", "told_to_inspect"]


@contextmanager
def told_to_inspect() -> Iterator[None]:
    """Inside, a `UserError` becomes what Inspect prints and stops at."""
    try:
        yield
    except UserError as error:
        raise Refused(str(error)) from error
