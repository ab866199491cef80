"""What the fake does instead of answering as usual, when it is told to."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mlgroup_mail.testing.sendgrid.answers import MAIL_SEND, Flaw, answer_flaws, refuse

LONGEST_WAIT = 60.0
"""Seconds that a fault may last."""
MOST_FAULTS = 10_000


class Trouble(StrEnum):
    """How a conversation goes wrong."""

    ANSWERS = "answers"
    """It gives another answer: `status`, `headers`, `body`."""
    ANSWERS_EARLY = "answers early"
    """The same, after the headers: it reads none of the body, and hangs up."""
    RESETS_BEFORE = "resets before"
    """It resets the connection after the headers, before it has read any of the body."""
    RESETS_DURING = "resets during"
    """It resets the connection when it has read half of the body."""
    RESETS_AFTER = "resets after"
    """It reads all of the request and resets the connection without an answer."""
    CUTS_STATUS = "cuts status"
    """It closes the connection in the middle of the status line."""
    CUTS_BODY = "cuts body"
    """It answers, announces a body, and closes the connection in the middle of it."""
    WAITS = "waits"
    """It takes `seconds` before it answers as usual."""
    CLOSES = "closes"
    """It answers as usual and then closes the connection that it had promised to keep."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One trouble: at request number `request`, or, where that is None, at the next one; `times` times in a row.

    `taken`: the request is carried out all the same, so that the truth log has its recipients. It says something
    where the whole request was read and another answer, or none, is given. Raises ValueError for what is out of bounds.
    """

    trouble: Trouble
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    taken: bool = False
    seconds: float = 0.0
    request: int | None = None
    times: int = 1
    path: str = MAIL_SEND

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= LONGEST_WAIT:
            raise ValueError(f"a fault lasts {LONGEST_WAIT:.0f} seconds at most")
        if not 1 <= self.times <= MOST_FAULTS or not 100 <= self.status <= 599:
            raise ValueError("a fault happens 1 to 10,000 times, with a status from 100 to 599")

    @property
    def carries_out(self) -> bool:
        """Whether the request is carried out as usual, whatever is said about it."""
        return self.taken or self.trouble in (Trouble.WAITS, Trouble.CLOSES)


def from_document(document: Mapping[str, Any]) -> Fault:
    """A fault from JSON: the fields of `Fault` by name. Raises ValueError for what is none."""
    try:
        return Fault(**{**document, "trouble": Trouble(document["trouble"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"no fault: {error}") from None


@dataclass(kw_only=True, slots=True)
class _Waiting:
    fault: Fault
    left: int

    def comes_at(self, number: int) -> bool:
        first = self.fault.request
        return first is None or first <= number < first + self.fault.times


class Faults:
    """The faults to come, in order. One with a number waits for its request; the others take the next one."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """More faults, behind those that wait. Raises ValueError where there are too many."""
        with self._lock:
            if len(self._waiting) + len(faults) > MOST_FAULTS:
                raise ValueError(f"at most {MOST_FAULTS:,} faults may wait")
            self._waiting += [_Waiting(fault=fault, left=fault.times) for fault in faults]

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._waiting.clear()

    @property
    def waiting(self) -> int:
        """How many have not happened."""
        return sum(each.left for each in self._waiting)

    def due(self, path: str, number: int) -> Fault | None:
        """The fault whose turn it is at request `number`; counts the turn."""
        with self._lock:
            for each in sorted(self._waiting, key=lambda each: each.fault.request is None):
                if each.fault.path == path and each.comes_at(number):
                    each.left -= 1
                    if each.left < 1:
                        self._waiting.remove(each)
                    return each.fault
        return None


def too_many_requests(
    *, reset_in: float | None = None, retry_after: float | str | None = None, times: int = 1
) -> Fault:
    """429. `reset_in`: seconds until X-RateLimit-Reset, a time in seconds since 1970; `retry_after`: as written."""
    headers: dict[str, str] = {}
    if reset_in is not None:
        reset = str(int(time.time() + reset_in))
        headers |= {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return answers(429, "too many requests", headers=headers, times=times)


def answers(
    status: int, message: str = "", *, headers: Mapping[str, str] | None = None, taken: bool = False, times: int = 1
) -> Fault:
    """Another answer, with the service's JSON where there is a message."""
    body = refuse(status, message).body.decode() if message else ""
    return Fault(trouble=Trouble.ANSWERS, status=status, headers=headers or {}, body=body, taken=taken, times=times)


def redirects(status: int, to: str, *, times: int = 1) -> Fault:
    """301, 302, 307 or 308 to another URL."""
    return answers(status, headers={"Location": to}, times=times)


def bad_recipient(index: int) -> Fault:
    """400 for the whole request, naming the recipient at `index`, from 0."""
    flaw = Flaw(
        message="Does not contain a valid address.",
        field=f"personalizations.{index}.to.0.email",
        topic="personalizations.to",
    )
    return Fault(trouble=Trouble.ANSWERS, status=400, body=answer_flaws(400, [flaw]).body.decode())
