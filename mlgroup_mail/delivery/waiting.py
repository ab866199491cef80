"""Waiting for a rate, before anything is claimed."""

from collections.abc import Callable

from mlgroup_mail.delivery.stopping import Stop

PATIENCE_SECONDS = 120.0
"""How long a rate is waited out; what has to wait longer gets a new time, and a later dispatch sends it."""

_LOOK_EVERY_SECONDS = 0.5


def wait_out(seconds: float, *, wanted: Callable[[], bool], stop: Stop) -> bool:
    """Wait in short steps; False where it is too long, somebody asks to stop, or it is `wanted` no more."""
    left = seconds
    if left > PATIENCE_SECONDS:
        return False
    while left > 0:
        stop.wait(min(left, _LOOK_EVERY_SECONDS))
        left -= _LOOK_EVERY_SECONDS
        # Whoever has waited to the end looks anyway.
        if stop.asked or (left > 0 and not wanted()):
            return False
    return True
