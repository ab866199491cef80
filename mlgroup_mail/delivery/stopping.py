"""Stopping in good order: the window that is open is finished and recorded, and nothing new is begun."""

import time

_LOOK_EVERY_SECONDS = 0.1


class Stop:
    """Whether somebody has asked to stop: Ctrl-C, a worker that ends.

    One thread may ask while another works. It is a plain flag and no `threading.Event`: asking happens in signal
    handlers, which may interrupt the very thread that holds an Event's lock, and would wait for it for ever.
    """

    def __init__(self) -> None:
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether nothing new may be begun."""
        return self._asked

    def ask(self) -> None:
        """Ask for it. Safe in a signal handler, and as often as one likes."""
        self._asked = True

    def wait(self, seconds: float) -> None:
        """Sleep for so long, or until somebody asks."""
        until = time.monotonic() + seconds
        while not self._asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_EVERY_SECONDS))
