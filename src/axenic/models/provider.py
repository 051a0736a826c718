"""Reaching a model by its name in Inspect AI (PROVIDER/MODEL), for judging and for writing.

In: a name and how to generate. Out: Inspect's model, or one sentence saying why there is none. Keys and base URLs come from the
provider's environment variables, as Inspect documents them.
"""

import re

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import GenerateConfig, Model, get_model

from axenic.errors import UserError

_MARKUP = re.compile(r"\[/?(?:bold|blue|red|yellow|green|italic)\]")


def connect(name: str, config: GenerateConfig, *, task: str, base_url: str = "") -> Model:
    """The model, with a client of its own: a client belongs to one event loop.

    Args:
        name: As Inspect writes it.
        config: How it generates unless a call says otherwise.
        task: What it is for, in errors: "judging".
        base_url: Of the provider's server, where it is not the provider's own.

    Raises:
        UserError: There is no such provider, its package is missing, or its key is not set.
    """
    try:
        return get_model(name, config=config, base_url=base_url or None, memoize=False)
    except PrerequisiteError as error:
        raise UserError(f"The {task} model '{name}' cannot be reached: {plain(error)}") from None
    except (ValueError, ImportError, OSError) as error:
        raise UserError(
            f"The {task} model '{name}' cannot be reached: {plain(error)} Write it as Inspect does: PROVIDER/MODEL."
        ) from None


def plain(error: BaseException) -> str:
    """What an error says, on one line, without the markup that Inspect prints with."""
    return " ".join(_MARKUP.sub("", str(getattr(error, "message", error))).split())
