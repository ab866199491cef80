"""Sends what is due while the pages answer: no answer waits for a mail server, or tells by its time what it said."""

import logging
import threading
from collections.abc import Callable

from mlgroup_mail.errors import ConfigurationError, MailError

log = logging.getLogger(__name__)

AFTER_TROUBLE = 60.0
"""Seconds until it is tried again."""


class Postman:
    """One thread, begun when there is something to send. It ends with the process: a mail that is under way then may
    or may not have been accepted, and is not sent again."""

    def __init__(self, send_due: Callable[[], float]) -> None:
        """`send_due` sends what is due, and says after how many seconds it is worth another look."""
        self._send_due = send_due
        self._wanted = threading.Event()
        self._begun = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There may be something to send. Returns at once."""
        self._wanted.set()
        with self._begun:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="postman", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        wait = 0.0
        while True:
            self._wanted.wait(wait)
            self._wanted.clear()
            wait = self._sent()

    def _sent(self) -> float:
        try:
            return self._send_due()
        except (MailError, ConfigurationError) as error:
            log.warning("mails to those who join wait: %s", error.problem.message)
        except Exception as error:  # noqa: BLE001: whatever it is, the next one is another.
            # Its text may name whom it was about.
            log.error("mails to those who join wait: %s", type(error).__name__)
        return AFTER_TROUBLE
