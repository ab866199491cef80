"""The labelled points at which a process can be made to die, and what is to happen there. Standard library only:
the senders that ours is compared with run under other Pythons.
"""

import json
import os
import resource
import signal
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

VARIABLE = "CHAOS_ORDERS"
"""The environment variable that carries a victim's orders."""

_GATE_SECONDS = 20.0
_PAGES = 4 * 4096


class Act(StrEnum):
    """What happens at the point."""

    KILL = "kill"
    """SIGKILL: what a power cut or the kernel's memory killer does."""
    TERM = "term"
    """SIGTERM: what a service manager or `docker stop` does."""
    STOP = "stop"
    """SIGSTOP: a laptop that sleeps, a machine that hangs; SIGCONT wakes it."""
    GATE = "gate"
    """It waits until the harness has done something else."""
    FULL = "full"
    """From here on no file grows: the disk is full."""


class Wire(StrEnum):
    """By which transport mail goes."""

    SMTP = "SMTP"
    """To a mail server, each message with an answer of its own."""
    SENDGRID = "SendGrid"
    """To a provider over HTTP, a window at once."""


WRITES = ("mail", "rcpt", "data", "body", "dot")
READS = ("mail", "rcpt", "data", "dot")
COMMITS = ("claim", "record", "plan", "other")

_COMMITS = tuple(f"commit.{what}.{side}" for what in COMMITS for side in ("before", "after"))
POINTS = {
    Wire.SMTP: (
        *(f"write.{what}.{side}" for what in WRITES for side in ("before", "after")),
        # Half of the body is on its way, half is not.
        "write.body.middle",
        *(f"read.{what}.{side}" for what in READS for side in ("before", "after")),
        *_COMMITS,
    ),
    Wire.SENDGRID: (
        *(f"write.{what}.{side}" for what in ("head", "content") for side in ("before", "after")),
        "write.content.middle",
        *(f"read.answer.{side}" for side in ("before", "middle", "after")),
        *_COMMITS,
    ),
}
"""Every point. `read.dot.after` is: the answer to the final dot has been read, nothing has been done about it."""

WRITTEN = {Wire.SMTP: "write.dot.after", Wire.SENDGRID: "write.content.after"}
"""All of it has been written, and nothing read."""
ANSWERED = {Wire.SMTP: "read.dot.after", Wire.SENDGRID: "read.answer.after"}
"""Its answer has been read, and nothing done about it."""
IN_THE_MIDDLE = {Wire.SMTP: "write.body.middle", Wire.SENDGRID: "write.content.middle"}
"""Half of the content has been written."""


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a victim is to do to itself, and in which world it lives."""

    point: str = ""
    count: int = 1
    """At which passing of the point, from 1."""
    act: Act = Act.KILL
    wire: Wire = Wire.SMTP
    port: int = 0
    """The mail server's or the provider's: other connections are not watched."""
    census: bool = False
    """Whether it marks every point that it passes: `passed-` and the point's name."""
    marks: str = ""
    """A folder for marks: `reached` when the point was reached, `go` to open the gate."""
    grows: str = ""
    """With FULL: the file that cannot grow any more."""
    constants: dict[str, float] = field(default_factory=dict)
    """Constants of the product, by name, such as LEASE_SECONDS."""
    clock_offset: float = 0.0
    """Seconds by which its clock is wrong."""
    host: str = ""
    """The name of the machine it believes to be on; empty for this one's."""
    plant: str = ""
    """The fault to plant (`tests.chaos.plants`)."""

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Orders":
        values = json.loads(text) if text else {}
        closed = {"act": Act(values.get("act", Act.KILL)), "wire": Wire(values.get("wire", Wire.SMTP))}
        return cls(**{**values, **closed})


class Points:
    """Counts the points that a process passes, and acts at the one that was ordered."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def wants(self, point: str) -> bool:
        return self._orders.census or self._orders.point == point

    def reach(self, point: str) -> None:
        with self._lock:
            self._passed[point] += 1
            first = self._passed[point] == 1
            here = point == self._orders.point and self._passed[point] == self._orders.count
        if self._orders.census and first:
            (Path(self._orders.marks) / f"passed-{point}").touch()
        if here:
            self._act()

    def _act(self) -> None:
        orders, marks = self._orders, Path(self._orders.marks)
        (marks / "reached").touch()
        match orders.act:
            case Act.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Act.TERM:
                os.kill(os.getpid(), signal.SIGTERM)
            case Act.STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
            case Act.FULL:
                size = Path(orders.grows).stat().st_size if Path(orders.grows).exists() else 0
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size + _PAGES, resource.RLIM_INFINITY))
            case Act.GATE:
                until = time.monotonic() + _GATE_SECONDS
                while not (marks / "go").exists() and time.monotonic() < until:
                    time.sleep(0.005)
