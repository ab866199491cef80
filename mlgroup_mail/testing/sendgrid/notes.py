"""What became of each request, told or not: for tests that count tries."""

import threading
from collections import deque
from dataclasses import dataclass

KEPT = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One request to `/v3/mail/send`."""

    number: int
    bytes: int
    """The length of its body, as announced."""
    status: int | None
    """What it was answered with; None where no legible answer left."""
    taken: bool
    """Whether its recipients stand in the truth log."""


class Notes:
    """The latest requests, and how many there were."""

    def __init__(self) -> None:
        self._kept: deque[Note] = deque(maxlen=KEPT)
        self._count = 0
        self._lock = threading.Lock()

    def number(self) -> int:
        """The number of a new request."""
        with self._lock:
            self._count += 1
            return self._count

    @property
    def count(self) -> int:
        """How many requests have begun."""
        return self._count

    def add(self, note: Note) -> None:
        """What became of one."""
        with self._lock:
            self._kept.append(note)

    def all(self) -> list[Note]:
        """In the order in which they ended."""
        with self._lock:
            return list(self._kept)
