"""The truth: who was accepted, on disk before anybody is told.

A line of the log is one accepted recipient, forced to disk (fsync) before the 202 leaves. What is in the log was taken,
whether or not anybody was told; what is not was not.
"""

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """One recipient of one accepted request."""

    address: str
    request: int
    """The number of the request, from 1."""
    answer_id: str
    """X-Message-Id of the answer: events begin their `sg_message_id` with it."""
    at: float
    """When, in seconds since 1970."""
    message_id: str = ""
    """The header Message-ID that it was sent with; "" for none."""
    custom_args: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """The request's own headers, with those of this recipient over them. Substitutions do not reach them."""
    content: str = ""
    """SHA-256 (hexadecimal) of subject and content after substitution; "" where nothing is checked."""
    subject: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The content after substitution by its type, where the log was told to keep it."""

    @property
    def entry(self) -> dict[str, object]:
        """As the log holds it."""
        return {name: value for name in _NAMES if (value := getattr(self, name))}


_NAMES = tuple(each.name for each in fields(Accepted))
_encode = json.JSONEncoder().encode


class TruthLog:
    """The file. Several threads may write; a line that was begun when its writer died is no line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        self._lock = threading.Lock()

    def write(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Put recipients on disk, durably: the fields of `Accepted` by name, empty ones left out."""
        lines = "".join([f"{_encode(entry)}\n" for entry in entries]).encode()
        with self._lock:
            self._file.write(lines)
            self._file.flush()
            os.fsync(self._file.fileno())

    def read(self) -> list[Accepted]:
        """Everybody who was accepted, in order."""
        return read_truth(self.path)

    def close(self) -> None:
        """No more lines."""
        self._file.close()


def read_truth(path: Path) -> list[Accepted]:
    """What a log on disk says."""
    *lines, _unfinished = path.read_bytes().split(b"\n")
    return [Accepted(**json.loads(line)) for line in lines]
