"""Scenarios, each made from (seed, number): who dies where, on which ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.chaos.field import LedgerKind
from tests.chaos.points import POINTS
from tests.chaos.sink import Fault, Trouble


class Kind(StrEnum):
    """What goes wrong."""

    KILLED = "killed at a point"
    """SIGKILL at a labelled point, several times in a row."""
    KILLED_ANYWHERE = "killed at random"
    """SIGKILL at random times, several times in a row."""
    TERMINATED = "terminated"
    """SIGTERM at labelled points."""
    ELSEWHERE = "killed on another host"
    """SIGKILL on one host; another host, which cannot see that, waits for the lease and sends on (PostgreSQL)."""
    ASLEEP = "asleep beyond its lease"
    """SIGSTOP; another sends on once the lease is over; SIGCONT."""
    SERVER = "server in trouble"
    """The mail server cuts, stalls, dies, defers or refuses."""
    LOCKED = "database locked"
    """Another process keeps the database for longer than anybody waits."""
    FULL = "disk full"
    """The database cannot grow."""
    GONE = "connection gone"
    """The database's sessions are ended (PostgreSQL)."""
    TWO = "two at once"
    """Two dispatchers, one of which is killed."""
    FOUR = "four at once"
    """Four dispatchers, two of which are killed."""
    CLOCK = "clock a day off"
    """A machine whose clock is a day ahead or behind sends, is killed, and another goes on."""
    OPT_OUT = "opt-outs in the middle"
    """People opt out while their mail is being sent, and the sender is killed."""
    CLONE = "second clone"
    """A copy of the project with a database of its own tries to send."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What a scenario is about; the rest of it is drawn."""

    kind: Kind
    ledger: LedgerKind
    point: str = ""
    trouble: tuple[str, Trouble, str] | None = None
    """(verb, trouble, answer) of the mail server."""
    offset: float = 0.0

    def __str__(self) -> str:
        about = " ".join(str(each) for each in self.trouble if each) if self.trouble else self.point
        if self.offset:
            about = "ahead" if self.offset > 0 else "behind"
        return f"{self.kind}, {self.ledger}" + (f": {about}" if about else "")


_TROUBLES = (
    ("mail", Trouble.SAYS, "421 4.3.2 Shutting down"),
    ("mail", Trouble.SAYS, "451 4.3.0 Try again"),
    ("mail", Trouble.CUTS, ""),
    ("rcpt", Trouble.SAYS, "450 4.2.1 Greylisted"),
    ("rcpt", Trouble.SAYS, "550 5.1.1 No such mailbox"),
    ("rcpt", Trouble.CUTS, ""),
    ("data", Trouble.SAYS, "451 4.3.0 Try again"),
    ("data", Trouble.SAYS, "554 5.6.0 Not this one"),
    ("data", Trouble.DIES, ""),
    ("body", Trouble.CUTS, ""),
    ("body", Trouble.DIES, ""),
    ("dot", Trouble.SAYS, "451 4.3.0 Try again"),
    ("dot", Trouble.SAYS, "550 5.7.0 Not this one"),
    ("dot", Trouble.SAYS, "421 4.3.2 Shutting down"),
    ("dot", Trouble.SAYS, "what?"),
    ("dot", Trouble.CUTS, ""),
    ("dot", Trouble.CUTS_AFTER, ""),
    ("dot", Trouble.STALLS, ""),
    ("dot", Trouble.STALLS_AFTER, ""),
    ("dot", Trouble.DIES, ""),
    ("dot", Trouble.DIES_AFTER, ""),
)

_DAY = 86_400.0
_ELSEWHERE_AT = ("write.dot.after", "commit.claim.after")
_ASLEEP_AT = ("read.dot.before", "write.rcpt.before", "commit.claim.after", "write.body.middle")
# Where the sender does not hold the database itself.
_LOCKED_AT = ("write.dot.after", "write.rcpt.before", "read.dot.after")
_DATABASE_AT = ("write.dot.after", "commit.claim.before", "read.dot.after")
_OPT_OUT_AT = ("commit.claim.before", "commit.claim.after", "write.rcpt.before", "write.dot.after", "read.dot.after")
_TERMINATED_AT = ("write.dot.before", "write.dot.after", "read.dot.after", "commit.claim.after", "commit.record.before")


def _cases(ledger: LedgerKind) -> Iterator[Case]:
    for point in POINTS:
        yield Case(kind=Kind.KILLED, ledger=ledger, point=point)
    for point in _TERMINATED_AT:
        yield Case(kind=Kind.TERMINATED, ledger=ledger, point=point)
    if ledger is LedgerKind.POSTGRESQL:
        for point in _ELSEWHERE_AT:
            yield Case(kind=Kind.ELSEWHERE, ledger=ledger, point=point)
    for point in _ASLEEP_AT:
        yield Case(kind=Kind.ASLEEP, ledger=ledger, point=point)
    for trouble in _TROUBLES:
        yield Case(kind=Kind.SERVER, ledger=ledger, trouble=trouble)
    for point in _LOCKED_AT:
        yield Case(kind=Kind.LOCKED, ledger=ledger, point=point)
    for point in _DATABASE_AT:
        yield Case(kind=Kind.FULL, ledger=ledger, point=point)
        if ledger is LedgerKind.POSTGRESQL:
            yield Case(kind=Kind.GONE, ledger=ledger, point=point)
    for point in _OPT_OUT_AT:
        yield Case(kind=Kind.OPT_OUT, ledger=ledger, point=point)
    for offset in (_DAY, -_DAY):
        yield Case(kind=Kind.CLOCK, ledger=ledger, offset=offset)
    for kind in (*[Kind.KILLED_ANYWHERE] * 4, Kind.TWO, Kind.FOUR, Kind.CLONE):
        yield Case(kind=kind, ledger=ledger)


CASES = tuple(case for ledger in LedgerKind for case in _cases(ledger))
"""Every case once: a scenario's number, modulo how many there are, says which it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A case, and what was drawn for it; equal for equal seed and number."""

    seed: int
    number: int
    case: Case
    planned: bool
    connections: int
    pipelining: bool
    rounds: int
    """How often it dies before it is left in peace."""
    draw: Random

    def __str__(self) -> str:
        return f"--seed {self.seed} --only {self.number} ({self.case})"

    def count(self, point: str) -> int:
        """At which passing of the point; small enough to be reached in every round."""
        if point.startswith(("commit.plan", "commit.other", "commit.record")):
            return 1
        return self.draw.randint(1, 3 if point.startswith("commit") else 5)

    def fault(self) -> Fault:
        """The mail server's trouble, at a message of its own."""
        assert self.case.trouble
        verb, trouble, answer = self.case.trouble
        return Fault(verb=verb, trouble=trouble, answer=answer, count=self.draw.randint(1, 6))


def scenario(seed: int, number: int) -> Scenario:
    """The scenario of that number."""
    case = CASES[number % len(CASES)]
    draw = Random(f"{seed}:{number}")
    planning = case.point.startswith("commit.plan")
    return Scenario(
        seed=seed,
        number=number,
        case=case,
        # Planning can be killed only where it is still to be done.
        planned=not planning and draw.random() < 0.7,
        connections=draw.choice((1, 1, 2, 3)),
        pipelining=draw.random() < 0.5,
        rounds=draw.randint(1, 3),
        draw=draw,
    )
