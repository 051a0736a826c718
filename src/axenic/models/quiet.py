"""Keep libraries out of the user's progress display.

In: nothing. Out: a context in which transformers and its kin draw no bars, log no advice and raise no deprecation
warnings; errors still come through as exceptions.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging


@contextmanager
def quiet() -> Iterator[None]:
    """Silence, undone on exit. What a user must know, axenic says itself; the libraries' advice is about axenic's own calls."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
