"""Doing something every few seconds beside the work itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(act: Callable[[], bool], *, seconds: float, name: str) -> Iterator[None]:
    """Call `act` every so many seconds, in a thread, until this is left or it says False; never after it is left."""
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(seconds) and act():
            pass

    thread = threading.Thread(target=go_on, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
