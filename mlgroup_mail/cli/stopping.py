"""Ctrl-C and its relatives, while mail goes out: the first one ends in good order, the second one cuts."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlgroup_mail.delivery.stopping import Stop

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, the order to end of a service manager, and the end of the terminal (not every system has all of them)."""

_STOPPING = (
    b"\nStopping: what is open now is finished and recorded, nothing new is begun. "
    b"Ctrl-C again cuts at once, and leaves that in doubt.\n"
)
_STANDARD_ERROR = 2


_handing_over = ContextVar("handing_over", default=False)


def was_handing_over() -> bool:
    """Whether this process was cut while it handed messages over: one of them may be in doubt."""
    return _handing_over.get()


@contextmanager
def handing_over() -> "Iterator[None]":
    """While this is open, messages are handed over. What is cut inside stays noted."""
    _handing_over.set(True)
    try:
        yield
    except Exception:
        _handing_over.set(False)
        raise
    _handing_over.set(False)


@contextmanager
def stop_on_signals(stop: "Stop") -> "Iterator[None]":
    """While this is open, the first signal asks `stop`, and the next one raises KeyboardInterrupt.

    What this process was told to ignore (`nohup`, a job in the background) stays ignored.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the form of a handler)
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask()
        # Not through Python's streams: the signal may have come in the middle of one of their writes.
        with suppress(OSError):
            os.write(_STANDARD_ERROR, _STOPPING)

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in numbers}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, on_signal)
    try:
        with handing_over():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
