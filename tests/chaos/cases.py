"""Every case that is played: what goes wrong, on which ledger, over which transport."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.field import LedgerKind
from tests.chaos.http_troubles import HTTP_TROUBLES
from tests.chaos.points import POINTS, Wire
from tests.chaos.sink import Trouble


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
    """The mail server or the provider cuts, stalls, dies, defers or refuses."""
    HALVED = "halved and killed"
    """The provider refuses every request that has a bad recipient, and who looks for that one is killed (SendGrid)."""
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
    wire: Wire = Wire.SMTP
    point: str = ""
    trouble: tuple[str, Trouble, str] | None = None
    """(verb, trouble, answer) of the mail server."""
    http: str = ""
    """The provider's trouble, by its name in `HTTP_TROUBLES`, or `DIES` or `SLEEPS`."""
    offset: float = 0.0

    def __str__(self) -> str:
        about = " ".join(str(each) for each in self.trouble if each) if self.trouble else self.http
        about = " at ".join(each for each in (about, self.point) if each)
        if self.offset:
            about = "ahead" if self.offset > 0 else "behind"
        return f"{self.kind}, {self.wire}, {self.ledger}" + (f": {about}" if about else "")


DIES, SLEEPS = "dies", "falls asleep"
"""What a provider does as a process: SIGKILL, SIGSTOP."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Places:
    """At which points the kinds are played that are not played at all of them."""

    terminated: tuple[str, ...]
    elsewhere: tuple[str, ...]
    asleep: tuple[str, ...]
    locked: tuple[str, ...]
    """Where the sender does not hold the database itself."""
    database: tuple[str, ...]
    opt_out: tuple[str, ...]


_PLACES = {
    Wire.SMTP: _Places(
        terminated=(
            *("write.dot.before", "write.dot.after", "read.dot.after", "commit.claim.after", "commit.record.before"),
        ),
        elsewhere=("write.dot.after", "commit.claim.after"),
        asleep=("read.dot.before", "write.rcpt.before", "commit.claim.after", "write.body.middle"),
        locked=("write.dot.after", "write.rcpt.before", "read.dot.after"),
        database=("write.dot.after", "commit.claim.before", "read.dot.after"),
        opt_out=(
            *("commit.claim.before", "commit.claim.after", "write.rcpt.before", "write.dot.after", "read.dot.after"),
        ),
    ),
    Wire.SENDGRID: _Places(
        terminated=("write.content.before", "write.content.after", "read.answer.after", "commit.claim.after"),
        elsewhere=("write.content.after", "commit.claim.after"),
        asleep=("read.answer.before", "write.head.before", "commit.claim.after", "write.content.middle"),
        locked=("write.content.after", "write.head.before", "read.answer.after"),
        database=("write.content.after", "commit.claim.before", "read.answer.after"),
        opt_out=(
            *("commit.claim.before", "commit.claim.after", "write.head.before", "write.content.after"),
            "read.answer.after",
        ),
    ),
}
_HALVED_AT = ("commit.claim.before", "commit.claim.after", "write.content.after", "read.answer.after")
_DAY = 86_400.0


def _cases(wire: Wire, ledger: LedgerKind) -> Iterator[Case]:
    places = _PLACES[wire]
    on_a_server = ledger is LedgerKind.POSTGRESQL
    yield from _at(Kind.KILLED, wire, ledger, POINTS[wire])
    yield from _at(Kind.TERMINATED, wire, ledger, places.terminated)
    if on_a_server:
        yield from _at(Kind.ELSEWHERE, wire, ledger, places.elsewhere)
    yield from _at(Kind.ASLEEP, wire, ledger, places.asleep)
    yield from _troubles(wire, ledger)
    yield from _at(Kind.LOCKED, wire, ledger, places.locked)
    for point in places.database:
        yield from _at(Kind.FULL, wire, ledger, [point])
        if on_a_server:
            yield from _at(Kind.GONE, wire, ledger, [point])
    yield from _at(Kind.OPT_OUT, wire, ledger, places.opt_out)
    for offset in (_DAY, -_DAY):
        yield Case(kind=Kind.CLOCK, wire=wire, ledger=ledger, offset=offset)
    for kind in (*[Kind.KILLED_ANYWHERE] * 4, Kind.TWO, Kind.FOUR, Kind.CLONE):
        yield Case(kind=kind, wire=wire, ledger=ledger)


def _at(kind: Kind, wire: Wire, ledger: LedgerKind, points: Iterable[str]) -> Iterator[Case]:
    for point in points:
        yield Case(kind=kind, wire=wire, ledger=ledger, point=point)


def _troubles(wire: Wire, ledger: LedgerKind) -> Iterator[Case]:
    if wire is Wire.SMTP:
        for trouble in _TROUBLES:
            yield Case(kind=Kind.SERVER, wire=wire, ledger=ledger, trouble=trouble)
        return
    for name in HTTP_TROUBLES:
        yield Case(kind=Kind.SERVER, wire=wire, ledger=ledger, http=name)
    for name in (DIES, SLEEPS):
        for point in ("write.content.before", "write.content.after"):
            yield Case(kind=Kind.SERVER, wire=wire, ledger=ledger, http=name, point=point)
    yield from _at(Kind.HALVED, wire, ledger, _HALVED_AT)


CASES = tuple(case for wire in Wire for ledger in LedgerKind for case in _cases(wire, ledger))
"""Every case once: a scenario's number, modulo how many there are, says which it is."""
