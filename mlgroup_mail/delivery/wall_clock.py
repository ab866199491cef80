"""Whether the machine's clock can be right: a wrong one sends too early, expires in silence, and hides what is due.

Three witnesses: the database server's own clock; the time since boot, which nobody sets, against what time it was
when live mail was last allowed; and the latest live attempt, before which it cannot be. What none of them can show is
a clock that was wrong from the boot on, ahead of the time, with an embedded database (docs/operations.md).
"""

from datetime import datetime, timedelta

from mlgroup_mail.clock import Clock, boot_seconds
from mlgroup_mail.errors import ClockError
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.clock_marks import database_now, end_waits, last_live_attempt_at, read_mark, set_mark
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.transactions import next_number

TOLERANCE = timedelta(minutes=5)
"""How far clocks may lie apart: further than time services let them, and not far enough to do harm."""

MEND = (
    "Set the machine's clock, best by a time service. If it is right now, and was wrong before: "
    "mlgroup-mail db trust-clock --reason WHY"
)


def doubts(connection: Connection, *, now: datetime) -> str:
    """Why `now` cannot be trusted, for people; empty where nothing speaks against it."""
    told = f"the clock here says {_shown(now)}"
    other = database_now(connection)
    if other and abs(now - other) > TOLERANCE:
        return f"{told}, and the database's clock {_shown(other)}"
    mark = read_mark(connection)
    if mark is None:
        return ""
    expected = mark.expected()
    if expected and abs(now - expected) > TOLERANCE:
        return f"{told}: since {_shown(mark.wall)}, when live mail last went, it was set {_by(now - expected)}"
    last = max(filter(None, (mark.wall, last_live_attempt_at(connection, after=mark.number))))
    if last - now > TOLERANCE:
        return f"{told}, and the ledger has live mail of {_shown(last)}, which would be still to come"
    return ""


def require_sound_clock(store: Store, *, now: datetime) -> None:
    """Let live mail go on by a clock that can be right, and note what time it is. Raises ClockError."""
    with store.writing() as connection:
        if why := doubts(connection, now=now):
            raise ClockError(f"nothing is sent: {why}", mend=MEND)
        mark = read_mark(connection)
        set_mark(connection, now=now, number=mark.number if mark else 0)


class SteadyClock:
    """The clock of one run, held against the time since boot: a run may take hours, and its clock was found right.

    Where it is set ahead meanwhile, what is under way is recorded by the time that it would be, and nothing more
    begins or expires. A clock that stands still or is set back is told as it is: it only sends later.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began, self._began_boot = clock.now(), boot_seconds()

    def now(self) -> datetime:
        """What time it is; where the clock was set ahead, what it would be."""
        told, steady = self._clock.now(), self._steady()
        return steady if _ahead(told, steady) else told

    def require_sound(self) -> None:
        """Raise ClockError where the clock was set ahead since the run began."""
        told, steady = self._clock.now(), self._steady()
        if _ahead(told, steady):
            since = f"since {_shown(self._began)}, when this run began, it was set {_by(told - steady)}"
            raise ClockError(f"nothing more is sent: the clock here says {_shown(told)}: {since}", mend=MEND)

    def _steady(self) -> datetime:
        return self._began + timedelta(seconds=boot_seconds() - self._began_boot)


def _ahead(told: datetime, steady: datetime) -> bool:
    return told - steady > TOLERANCE


def trust_clock(store: Store, *, reason: str, by: str, now: datetime) -> int:
    """The clock is right now, by a person's word; waits that another clock began end. Returns how many did.

    Raises ClockError where the database's clock says otherwise: of two clocks that run, one is to be set.
    """
    with store.writing() as connection:
        other = database_now(connection)
        if other and abs(now - other) > TOLERANCE:
            raise ClockError(
                f"the clock here says {_shown(now)}, and the database's clock {_shown(other)}",
                mend="Set the one that is wrong, best by a time service.",
            )
        # First, as in a claim: whoever has the ledger's number waits for nobody.
        ended = end_waits(connection, now=now)
        set_mark(connection, now=now, number=next_number(connection))
        write_journal(connection, None, "trust_clock", reason=reason, actor=by, now=now)
        return ended


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _by(difference: timedelta) -> str:
    minutes = round(abs(difference).total_seconds() / 60)
    amount = f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"
    return f"{'forward' if difference > timedelta() else 'back'} by {amount}"
