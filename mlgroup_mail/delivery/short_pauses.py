"""No long pause of Python's own in the middle of a transaction for which others wait."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def short_pauses() -> Iterator[None]:
    """Let garbage collections meanwhile look at new objects only.

    A full one goes through everything that was ever loaded: 0.1 s, in which an opt-out on SQLite waited for a planning
    chunk (measured). What is there now is looked at again afterwards.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
