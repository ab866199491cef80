"""`.ledger-seen/`: how far the ledger had come when live mail went from this copy of the project.

`ledger.toml` tells one ledger from another, but a backup of the right one has the right id. Whoever restores
yesterday's database would send today's mail again, to people who opted out since. So each live command leaves a mark
beside `ledger.toml`, outside of the database and its folder, and the next one compares. A mark is on disk before the
first message of its command leaves, and is renewed while messages go: a command that dies leaves it behind.

Each command writes a file of its own, so that two at once cannot lose each other's. Only what the ledger has committed
is noted. The folder is not committed: it changes with every send, and a second laptop leaves its own.
"""

import json
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlgroup_mail.delivery.durable_files import sync_folder, write_durably
from mlgroup_mail.delivery.repeating import repeating
from mlgroup_mail.documents import Document, read_document
from mlgroup_mail.errors import ConfigurationError, LedgerError
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.deliveries import ledger_id
from mlgroup_mail.store.ledger_age import LedgerAge, ledger_age
from mlgroup_mail.store.owners import Owner, OwnerState, owner_state

log = logging.getLogger(__name__)

FOLDER = ".ledger-seen"

_HEAD = (
    "# How far the ledger had come when live mail last went from here: tells a restored, older copy.\n# Not for git.\n"
)

NOTE_SECONDS = 2.0
"""How often a mark is renewed while messages go: what was done since the last time is not in it."""


class Mark(Document):
    """What a file says: the ledger's age, and the owner that was sending, if one was."""

    ledger: str
    attempts: int
    signals: int
    orders: int
    owner: int = 0
    lock: str = ""

    @property
    def age(self) -> LedgerAge:
        """How far the ledger had come."""
        return LedgerAge(attempts=self.attempts, signals=self.signals, orders=self.orders)


def older_than_seen(root: Path, store: Store) -> str:
    """Why this ledger seems to be an older copy of itself; empty where it does not, or nobody knows."""
    # Before the ledger: what other commands note from here on may be newer than what is read below.
    marks = [mark for mark in _marks(root).values() if mark]
    with store.reading() as connection:
        ours, age = ledger_id(connection), ledger_age(connection)
        marks = [mark for mark in marks if mark.ledger == ours]
        lacking = {what: None for mark in marks for what in age.lacks(mark.age)}
        if any(mark.owner and owner_state(connection, mark.owner, mark.lock) is OwnerState.UNKNOWN for mark in marks):
            lacking["live commands"] = None
    return f"this is an older copy of the ledger: it lacks the last {', '.join(lacking)}" if lacking else ""


def require_no_older_copy(root: Path, store: Store) -> None:
    """Raise LedgerError where this project has seen more of this ledger than there is now."""
    if why := older_than_seen(root, store):
        raise LedgerError(
            f"nothing is sent: {why} that were made here. Was a backup restored?",
            where=str(root / FOLDER),
            mend="Bring back the newer database. If it is lost for good, enter the opt-outs since then, cancel or "
            "resolve what has gone out, and go on with: mlgroup-mail db adopt --reason WHY",
        )


@contextmanager
def witnessing(root: Path, store: Store, owner: Owner) -> Iterator[None]:
    """Leave a mark before anything goes, keep it up to date meanwhile, and at the end.

    Where the file cannot be written that is a warning, and mail goes all the same. What fails here while mail goes, or
    afterwards, hides no error of the sending itself.
    """
    witness = _Witness(root, store, owner)
    witness.note()
    try:
        with repeating(witness.renew, seconds=NOTE_SECONDS, name="witness"):
            yield
    finally:
        witness.renew()
        _tidy(root, store)


def note_age(root: Path, store: Store) -> None:
    """Leave a mark where nothing was to be sent: opt-outs come in between mailings, too. Never raises."""
    _Witness(root, store, None).renew()
    _tidy(root, store)


def cannot_be_written(root: Path) -> bool:
    """Whether live commands cannot leave marks here. Writes nothing."""
    folder = root / FOLDER
    place = folder if folder.exists() else root
    return not (place.is_dir() and os.access(place, os.W_OK))


def begin_anew(root: Path, store: Store) -> None:
    """Forget all marks and leave a new one: a person has decided that this is the ledger from now on.

    Raises LedgerError where one cannot be taken away.
    """
    for path in _marks(root):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LedgerError(
                f"this file cannot be taken away: {error.strerror}",
                where=str(path),
                mend="Live commands refuse while it is there: let this account write here.",
            ) from None
    note_age(root, store)


class _Witness:
    """One command's mark."""

    def __init__(self, root: Path, store: Store, owner: Owner | None) -> None:
        self._root, self._store, self._owner = root, store, owner
        name = owner.lock_name.removesuffix(".lock") if owner else f"nothing-sent-{uuid.uuid4().hex}"
        self._path = root / FOLDER / f"{name}.toml"
        self._noted: Mark | None = None
        self._warned = False

    def note(self) -> None:
        """Write the mark where it says anything new. Raises what the database raises."""
        with self._store.reading() as connection:
            mark = self._mark(connection)
        if mark == self._noted:
            return
        try:
            _write(self._path, mark)
            self._noted = mark
        except OSError as error:
            self._warn(error.strerror)

    def renew(self) -> bool:
        """The same, whatever the database does; returns that it is worth another try."""
        try:
            self.note()
        except Exception as error:  # a database that does not answer now may do so at the next turn
            self._warn(type(error).__name__)
        return True

    def _mark(self, connection: Connection) -> Mark:
        age = ledger_age(connection)
        return Mark(
            ledger=ledger_id(connection),
            attempts=age.attempts,
            signals=age.signals,
            orders=age.orders,
            owner=self._owner.owner_id if self._owner else 0,
            lock=self._owner.lock_name if self._owner else "",
        )

    def _warn(self, why: str | None) -> None:
        if not self._warned:
            log.warning("%s could not be written, so a restored backup may go unnoticed: %s", FOLDER, why)
        self._warned = True


def _write(path: Path, mark: Mark) -> None:
    folder = path.parent
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    values = "".join(f"{name} = {json.dumps(value)}\n" for name, value in mark.model_dump().items())
    write_durably(path, f"{_HEAD}{values}".encode())
    sync_folder(folder)


def _tidy(root: Path, store: Store) -> None:
    """Take away what says nothing that another mark does not say, and what cannot be understood. Never raises."""
    try:
        marks = _marks(root)
        known = [(path, mark) for path, mark in marks.items() if mark]
        with store.reading() as connection:
            ended = [(path, mark) for path, mark in known if _has_ended(mark, connection)]
        spent = [path for path, mark in ended if any(_says_more(other, (path, mark)) for other in known)]
        broken = [path for path, mark in marks.items() if mark is None and os.access(path, os.R_OK)]
        for path in (*spent, *broken):
            path.unlink(missing_ok=True)
    except Exception as error:  # nothing hangs on it
        log.debug("the marks could not be tidied up: %s", type(error).__name__)


def _says_more(one: tuple[Path, Mark], other: tuple[Path, Mark]) -> bool:
    """Whether a ledger that knows what the first says knows the second too. Never both ways: one of two stays."""
    same = one[1].ledger == other[1].ledger and not one[1].age.lacks(other[1].age)
    return same and _place(*one) > _place(*other)


def _place(path: Path, mark: Mark) -> tuple[int, int, int, int, str]:
    """Owners are numbered as they begin: a ledger that knows a later one knows the earlier ones."""
    return (mark.owner, mark.attempts, mark.signals, mark.orders, path.name)


def _has_ended(mark: Mark, connection: Connection) -> bool:
    """Whether nobody will write this mark again; a living owner's stays its own."""
    return not mark.owner or owner_state(connection, mark.owner, mark.lock) is OwnerState.ENDED


def _marks(root: Path) -> dict[Path, Mark | None]:
    """All marks; None for one that cannot be read: it is no witness, and the next live command takes it away."""
    return {path: _read(path) for path in sorted((root / FOLDER).glob("*.toml"))}


def _read(path: Path) -> Mark | None:
    try:
        return read_document(Mark, path)
    except ConfigurationError as error:
        if path.exists():  # else another command has just tidied it up
            log.warning("%s", error.problem.message)
        return None
